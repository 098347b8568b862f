/*
 * cr3: giving a CPU a page directory.
 *
 * The upper half of every directory is the kernel's and the same in all of
 * them: the page tables that its entries lead to are made at boot, and only
 * what is in those changes (kernel stacks). So a trap changes nothing, and a
 * CPU may stay in any space while it does the kernel's work, also that of other
 * threads and while it is idle. Only when a thread first goes to user mode after
 * it got the CPU is its own directory loaded, if another one is.
 *
 * Hence a CPU may still be in a space whose threads have all moved to other CPUs
 * or ended. It counts as active there (arch_space.h) although it runs none of
 * them: it may still walk the directory, speculatively, and must not do that
 * with table pages that were freed. When it is asked to flush, it goes to the
 * kernel's directory instead, and is asked no more. So a space's directory is
 * freed only after all CPUs that are in it were asked.
 *
 * The TLB has no marks for address spaces here: loading cr3 empties it but for
 * the kernel's entries, which are global (SDM vol. 3A, 4.10.4.1). So a CPU that
 * is not in a space holds none of its translations.
 */
#include "tables.h"

#include "cpu.h"
#include "lib/string.h"
#include "mm/kvm.h"
#include "sched/thread.h"
#include "sync/spinlock.h"
#include "tlb.h"
#include "user_return.h"

#define KERNEL_PDE PDX(KERNBASE) /* the kernel's entries begin here */
#define KERNEL_PDES (PT_ENTRIES - KERNEL_PDE)

/* What cr3 of CPU n points to, and the space, NULL if it is the kernel's. */
static struct {
  pagetable_t directory; /* [a] set last, for tables_unprepare_user() */
  struct arch_space *as; /* this CPU only */
} loaded[NCPU];

static uint this_cpu(void) { return 1U << mycpu()->id; }

/* Interrupts off. The running thread gets its own back in user_return(). */
static void load(pagetable_t directory, struct arch_space *as) {
  struct thread *t = mycpu()->thread;
  struct arch_space *old = loaded[mycpu()->id].as;

  if (t != NULL)
    t->arch.loaded = false;
  w_cr3(V2P(directory));
  mycpu()->tlb_flushes++;
  loaded[mycpu()->id].as = as;
  if (old != NULL && (t == NULL || t->arch_space != old))
    __atomic_fetch_and(&old->active, ~this_cpu(), __ATOMIC_RELEASE);
  __atomic_store_n(&loaded[mycpu()->id].directory, directory, __ATOMIC_RELEASE);
}

void tables_load_kernel(pagetable_t kernel) {
  w_cr0(r_cr0() | CR0_WP);
  load(kernel, NULL);
  w_cr4(r_cr4() | CR4_PGE); /* with nothing in the TLB that is global */
}

int tables_prepare_user(pagetable_t user) {
  memcpy(user + KERNEL_PDE, kernel_pagetable + KERNEL_PDE,
         KERNEL_PDES * sizeof(pte_t));
  return 0;
}

/* It lies on the kernel stack, which is in every directory. */
int tables_add_trapframe(pagetable_t user, struct arch_space *as, uint place,
                         struct trapframe *tf) {
  (void)user;
  (void)as;
  (void)place;
  (void)tf;
  return 0;
}

void tables_remove_trapframe(pagetable_t user, uint place) {
  (void)user;
  (void)place;
}

/* CPUs that are in this space. Its threads run nowhere any more, so nobody
 * comes in. */
static uint cpus_in(pagetable_t user) {
  uint in = 0;

  for (int i = 0; i < ncpu; i++)
    if (__atomic_load_n(&loaded[i].directory, __ATOMIC_ACQUIRE) == user)
      in |= 1U << i;
  return in;
}

/* A flush of the kernel's address 0, where nothing is, costs nothing but that
 * the CPU leaves the space: tlb_flush_kernel(). */
void tables_unprepare_user(pagetable_t user) {
  uint in;

  push_off();
  in = cpus_in(user);
  if (in & this_cpu())
    load(kernel_pagetable, NULL);
  tlb_ask(in & ~this_cpu(), NULL, 0, PGSIZE);
  pop_off();
  memset(user + KERNEL_PDE, 0, KERNEL_PDES * sizeof(pte_t));
}

const char *tables_describe_user(vaddr_t va) {
  return va >= KERNBASE ? "kernel" : NULL;
}

/* --- flushing --- */

/* A CPU stays in the space that it leaves, until it needs another. */
void tables_switch(struct arch_space *from, struct arch_space *to) {
  if (from == to)
    return;
  if (from != NULL && loaded[mycpu()->id].as != from)
    __atomic_fetch_and(&from->active, ~this_cpu(), __ATOMIC_RELEASE);
  if (to != NULL) /* a fence, too: mm/tlb.c */
    __atomic_fetch_or(&to->active, this_cpu(), __ATOMIC_SEQ_CST);
}

/* Is this CPU in the space of the thread that it runs? Then it stays there. */
static bool at_home(void) {
  const struct cpu *c = mycpu();

  return c->thread != NULL && c->thread->arch_space == loaded[c->id].as;
}

/* invlpg forgets global entries, too, and all that is cached of the upper
 * level (4.10.4.1); loading cr3 leaves the global ones. */
static void flush_pages(vaddr_t va, size_t size) {
  for (size_t i = 0; i < size; i += PGSIZE)
    invlpg(va + i);
  mycpu()->tlb_pages += size / PGSIZE;
}

void tlb_flush_kernel(vaddr_t va, size_t size) {
  uint32 cr4 = r_cr4();

  if (!at_home())
    load(kernel_pagetable, NULL);
  if (size <= TLB_FLUSH_PAGES * PGSIZE) {
    flush_pages(va, size);
    return;
  }
  w_cr4(cr4 & ~CR4_PGE);
  w_cr4(cr4);
  mycpu()->tlb_flushes++;
}

void tlb_flush_space(struct arch_space *as, vaddr_t va, size_t size) {
  if (loaded[mycpu()->id].as != as)
    return; /* nothing is cached; loads cr3 when it comes back */
  if (!at_home()) {
    load(kernel_pagetable, NULL);
    return;
  }
  if (size <= TLB_FLUSH_PAGES * PGSIZE) {
    flush_pages(va, size);
    return;
  }
  w_cr3(r_cr3());
  mycpu()->tlb_flushes++;
}

/* Nothing to do: a CPU sees what it writes itself, and a program that others
 * wrote it enters by loading cr3 or by IRET, either of which makes it look at
 * its instructions anew (SDM vol. 3A, 8.1.3 and 8.3). */
void instructions_written(void) {}
void instructions_mapped(struct arch_space *as) { (void)as; }

uint tables_asids(void) { return 0; }

void user_cr3_prepare(struct thread *t) {
  if (loaded[mycpu()->id].as != t->arch_space)
    load(t->pagetable, t->arch_space);
}
