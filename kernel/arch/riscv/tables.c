/*
 * satp: giving a hart a page table, with address-space identifiers.
 *
 * The TLB tags each translation with the ASID in satp, so that neither
 * crossing between user and kernel table nor switching processes flushes
 * anything (privileged spec 1.12, 4.2.1). The kernel's table has ASID 0. User
 * spaces get the others in turn; when they run out a new generation begins, and
 * a space of an older one gets a new ASID when one of its threads is next
 * switched to. A thread that goes on running meanwhile keeps the old one, which
 * may be another space's on another hart: TLBs are each hart's own.
 *
 * No hart is fresh (arch_space.h) when a space gets an ASID. So each flushes it
 * before its first use there, and what an earlier owner left goes.
 *
 * With asid=off, or on a hart that has none, user tables have ASID 0, too, and
 * every crossing flushes (trampoline.S looks at struct trapframe.flush).
 *
 * Global translations, which match with any ASID, are those of the trampoline
 * page only: it is the same in all tables. The kernel's other pages cannot be
 * global, since a user table has something else at their addresses: a process's
 * heap may grow over KERNBASE, and would meet the kernel's translations there.
 */
#include "tables.h"

#include "cpu.h"
#include "lib/cmdline.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kvm.h"
#include "sched/thread.h"
#include "sync/spinlock.h"
#include "tlb.h"
#include "user_return.h"

#define ASID_BITS 16 /* what satp has room for */
#define ASID_SHIFT FRESH_BITS
#define GENERATION_SHIFT (ASID_SHIFT + ASID_BITS)
#define GENERATION(word) ((word) >> GENERATION_SHIFT)
#define ASID(word) (((word) >> ASID_SHIFT) & SATP_ASID_MASK)
_Static_assert(NCPU <= FRESH_BITS, "arch_space.h");

static struct spinlock asid_lock = SPINLOCK("asids");
static uint64 generation = 1; /* [a] */
static uint next = 1;         /* [asid_lock] to hand out */
static uint asid_max;         /* constant: 0, none usable */

static uint code_written;            /* [a] count of instructions_written() */
static uint hart_code_written[NCPU]; /* this hart's count at its last fence */

void instructions_written(void) {
  __atomic_fetch_add(&code_written, 1, __ATOMIC_RELEASE);
}

/* The counterpart, on the way to user mode. */
static void see_instructions(int hart) {
  uint written = __atomic_load_n(&code_written, __ATOMIC_ACQUIRE);

  if (hart_code_written[hart] != written) {
    fence_i();
    hart_code_written[hart] = written;
  }
}

/* A hart that runs the program goes to user mode without looking; so it is asked
 * to, as if it had to flush. If this thread moves on, the next hart looks. */
void instructions_mapped(struct arch_space *as) {
  uint others, self;

  instructions_written();
  push_off();
  self = mycpu()->id;
  see_instructions(self);
  others = __atomic_load_n(&as->active, __ATOMIC_SEQ_CST) & ~(1U << self);
  if (others != 0)
    tlb_ask(others, as, 0, PGSIZE);
  pop_off();
}

uint tables_asids(void) { return asid_max; }

/* Bits of an ASID to use at most. */
static uint asid_bits_wanted(void) {
  const char *option = cmdline_get("asid");

  if (option != NULL && strcmp(option, "off") == 0)
    return 0;
  return MIN(cmdline_number("asid", ASID_BITS), (uint64)ASID_BITS);
}

/* How many ASIDs does satp hold? Write ones, see what stays (4.1.11). */
static void probe_asids(uint64 satp) {
  w_satp(satp | (SATP_ASID_MASK << SATP_ASID_SHIFT));
  asid_max = (r_satp() >> SATP_ASID_SHIFT) & SATP_ASID_MASK;
  asid_max &= (1U << asid_bits_wanted()) - 1;
}

/* The fence makes the table's entries visible to this hart's translation before
 * it is used. None is needed behind satp: ASID 0 had no translations, and a
 * change of the mode takes effect at once (4.2.1). */
void tables_load_kernel(pagetable_t kernel) {
  uint64 satp = MAKE_SATP(kernel);

  sfence_vma();
  if (asid_max == 0 && mycpu()->id == 0)
    probe_asids(satp);
  w_satp(satp);
}

int tables_prepare_user(pagetable_t user) {
  return mappages(user, TRAMPOLINE, PGSIZE, V2P(trampoline),
                  PTE_R | PTE_X | PTE_G);
}

void tables_unprepare_user(pagetable_t user) {
  unmappages(user, USER_END, MAXVA - USER_END, NULL, NULL);
}

/* The trapframe is on a kernel stack; those are not in the direct map.
 *
 * A hart may remember that nothing was there, which trampoline.S could not
 * survive. But only the thread of this place uses the address, and has to be
 * switched to first: so it is enough that no hart is fresh then. */
int tables_add_trapframe(pagetable_t user, struct arch_space *as, uint place,
                         struct trapframe *tf) {
  paddr_t page = PTE2PA(*walk(kernel_pagetable, (vaddr_t)tf, false));
  int r = mappages(user, TRAPFRAME_PAGE(place), PGSIZE, page, PTE_R | PTE_W);

  arch_space_outdate(as, 0);
  return r;
}

/* Nobody uses the address until a thread is added at this place. */
void tables_remove_trapframe(pagetable_t user, uint place) {
  unmappages(user, TRAPFRAME_PAGE(place), PGSIZE, NULL, NULL);
}

const char *tables_describe_user(vaddr_t va) {
  if (va >= TRAMPOLINE)
    return "trampoline";
  return va >= USER_END ? "trapframe" : NULL;
}

/* --- flushing --- */

void tables_switch(struct arch_space *from, struct arch_space *to) {
  uint hart = 1U << mycpu()->id;

  if (from == to)
    return;
  if (from != NULL)
    __atomic_fetch_and(&from->active, ~hart, __ATOMIC_RELEASE);
  if (to != NULL)
    __atomic_fetch_or(&to->active, hart, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST); /* mm/tlb.c */
}

/* With ASIDs only translations of this one, and not the global ones. A single
 * page's needs only its leaf to be forgotten. The fence also makes entries that
 * this hart wrote visible to its translation. */
static void flush_asid(uint asid, vaddr_t va, size_t size) {
  struct cpu *c = mycpu();

  if (size > TLB_FLUSH_PAGES * PGSIZE) {
    sfence_vma_asid(asid);
    c->tlb_flushes++;
    return;
  }
  for (size_t i = 0; i < size; i += PGSIZE)
    sfence_vma_page_asid(va + i, asid);
  c->tlb_pages += size / PGSIZE;
}

void tlb_flush_kernel(vaddr_t va, size_t size) { flush_asid(0, va, size); }

/* Also if no thread of the space runs here any more: tables_flush_user() counts
 * on it. One that runs may still use an older ASID than the space has now.
 * Without ASIDs the way to user mode flushes. */
void tlb_flush_space(struct arch_space *as, vaddr_t va, size_t size) {
  const struct thread *t = mycpu()->thread;
  uint asid = ASID(__atomic_load_n(&as->asid, __ATOMIC_RELAXED));

  see_instructions(mycpu()->id);
  if (t->arch_space == as && t->arch.satp != 0)
    asid = (t->arch.satp >> SATP_ASID_SHIFT) & SATP_ASID_MASK;
  if (asid != 0)
    flush_asid(asid, va, size);
}

/* --- the way to user mode --- */

/* The generation and number of a new ASID, with nobody fresh. asid_lock held. */
static uint64 new_asid(void) {
  if (next > asid_max) {
    __atomic_store_n(&generation, generation + 1, __ATOMIC_RELAXED);
    next = 1;
  }
  return generation << GENERATION_SHIFT | (uint64)next++ << ASID_SHIFT;
}

static bool outdated(uint64 word) {
  return asid_max > 0 &&
         GENERATION(word) != __atomic_load_n(&generation, __ATOMIC_RELAXED);
}

/* Give the space an ASID of this generation if it has none, and make this hart
 * fresh under it. */
static uint64 catch_up(struct arch_space *as, uint64 hart) {
  uint64 old, word, new = 0;

  acquire(&asid_lock);
  old = __atomic_load_n(&as->asid, __ATOMIC_RELAXED);
  if (outdated(old))
    new = new_asid();
  do /* who is fresh may change meanwhile */
    word = (new ? new : old) | hart;
  while (!__atomic_compare_exchange_n(&as->asid, &old, word, false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
  release(&asid_lock);
  flush_asid(ASID(word), 0, MAXVA);
  return word;
}

void user_satp_prepare(struct thread *t) {
  struct cpu *c = mycpu();
  uint64 hart = 1UL << c->id;
  uint64 word = __atomic_load_n(&t->arch_space->asid, __ATOMIC_SEQ_CST);

  see_instructions(c->id);
  if (!(word & hart) || outdated(word))
    word = catch_up(t->arch_space, hart);
  t->arch.satp = MAKE_SATP(t->pagetable) | ASID(word) << SATP_ASID_SHIFT;
}
