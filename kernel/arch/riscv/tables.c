/*
 * satp: giving a hart a page table, with address-space identifiers.
 *
 * The TLB tags each translation with the ASID in satp, so that neither
 * crossing between user and kernel table nor switching processes flushes
 * anything (privileged spec 1.12, 4.2.1). The kernel's table has ASID 0. User
 * spaces get the others in turn; when they run out a new generation begins: a
 * space of an older one gets a new ASID when its thread is next switched to,
 * and each hart flushes once before it uses one of the new generation. A thread
 * that goes on running meanwhile keeps its old one: its hart has not seen the
 * new owner of the number.
 *
 * A space that lost mappings flushes on the hart where it happened and marks
 * itself outdated on all others; those flush before they run it again.
 *
 * With asid=off, or on a hart that has none, every crossing flushes
 * (trampoline.S looks at struct trapframe.flush).
 */
#include "tables.h"

#include "cpu.h"
#include "lib/cmdline.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kvm.h"
#include "sched/thread.h"
#include "sync/spinlock.h"
#include "user_return.h"

#define ASID_BITS 16 /* what satp has room for */

static struct spinlock asid_lock = SPINLOCK("asids");
static uint64 generation = 1UL << ASID_BITS; /* [asid_lock] */
static uint next = 1;                        /* [asid_lock] to hand out */
static uint asid_max;                        /* constant: 0, none usable */
static uint64 hart_generation[NCPU];         /* this hart's last flush */

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

uint tables_asids(void) { return asid_max; }

/* How many ASIDs does satp hold? Write ones, see what stays (4.1.11). */
static void probe_asids(uint64 satp) {
  const char *option = cmdline_get("asid");

  w_satp(satp | (SATP_ASID_MASK << SATP_ASID_SHIFT));
  asid_max = (r_satp() >> SATP_ASID_SHIFT) & SATP_ASID_MASK;
  if (option != NULL && strcmp(option, "off") == 0)
    asid_max = 0;
}

void tables_load_kernel(pagetable_t kernel) {
  uint64 satp = MAKE_SATP(kernel);

  sfence_vma(); /* the table's entries must be written before they are used */
  if (asid_max == 0 && mycpu()->id == 0)
    probe_asids(satp);
  w_satp(satp);
  sfence_vma();
}

int tables_prepare_user(pagetable_t user) {
  return mappages(user, TRAMPOLINE, PGSIZE, V2P(trampoline), PTE_R | PTE_X);
}

void tables_unprepare_user(pagetable_t user) {
  unmappages(user, USER_END, MAXVA - USER_END, NULL, NULL);
}

/* The trapframe is on a kernel stack; those are not in the direct map. */
int tables_add_trapframe(pagetable_t user, uint place, struct trapframe *tf) {
  paddr_t page = PTE2PA(*walk(kernel_pagetable, (vaddr_t)tf, false));

  return mappages(user, TRAPFRAME_PAGE(place), PGSIZE, page, PTE_R | PTE_W);
}

/* Only the thread of this place uses the address. So it is enough that each
 * hart flushes before it next switches to a thread of the space: the next one
 * with this place is among those. */
void tables_remove_trapframe(pagetable_t user, struct arch_space *as,
                             uint place) {
  unmappages(user, TRAPFRAME_PAGE(place), PGSIZE, NULL, NULL);
  __atomic_store_n(&as->fresh, 0, __ATOMIC_RELEASE);
}

const char *tables_describe_user(vaddr_t va) {
  if (va >= TRAMPOLINE)
    return "trampoline";
  return va >= USER_END ? "trapframe" : NULL;
}

/* Beyond this many pages it is cheaper to flush the whole TLB. */
#define FLUSH_PAGES 8

void tables_flush_user(struct arch_space *as, vaddr_t va, size_t size) {
  push_off();
  __atomic_store_n(&as->fresh, 1U << mycpu()->id, __ATOMIC_RELAXED);
  if (size > FLUSH_PAGES * PGSIZE)
    sfence_vma();
  for (size_t i = 0; size <= FLUSH_PAGES * PGSIZE && i < size; i += PGSIZE)
    sfence_vma_page(va + i);
  pop_off();
}

/* Give a space an ASID of this generation. */
static void assign(struct arch_space *as) {
  acquire(&asid_lock);
  if (next > asid_max) {
    generation += 1UL << ASID_BITS;
    next = 1;
  }
  as->asid = generation | next++;
  release(&asid_lock);
  __atomic_store_n(&as->fresh, ~0U, __ATOMIC_RELAXED);
}

/* The ASID of a space, good on this hart from now on. */
static uint64 fresh_asid(struct arch_space *as, int hart) {
  uint64 gen = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);

  if ((as->asid ^ gen) >> ASID_BITS)
    assign(as);
  gen = as->asid >> ASID_BITS;
  if (hart_generation[hart] != gen) {
    sfence_vma();
    hart_generation[hart] = gen;
  }
  if (!(__atomic_load_n(&as->fresh, __ATOMIC_RELAXED) & (1U << hart))) {
    sfence_vma();
    __atomic_fetch_or(&as->fresh, 1U << hart, __ATOMIC_RELAXED);
  }
  return as->asid & SATP_ASID_MASK;
}

void user_satp_prepare(struct thread *t) {
  struct cpu *c = mycpu();
  uint64 asid = 0;

  see_instructions(c->id);
  if (asid_max > 0)
    asid = fresh_asid(t->arch_space, c->id);
  t->arch.satp = MAKE_SATP(t->pagetable) | asid << SATP_ASID_SHIFT;
}
