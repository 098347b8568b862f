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
 * Hence a CPU may still be in a space whose process has moved to another CPU
 * and ended there. Before the space's directory is freed, all CPUs that are in
 * it go to the kernel's directory: tlb_flush_all(), which tlb_shootdown() asks
 * them for, does that.
 *
 * The TLB has no marks for address spaces here: loading cr3 empties it but for
 * the kernel's entries, which are global (SDM vol. 3A, 4.10.4.1). A space that
 * lost mappings flushes on the CPU where it happened and marks itself outdated
 * on all others; those load cr3 again before they run it.
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

static pagetable_t loaded[NCPU]; /* [a] what cr3 of CPU n points to */

/* Interrupts off. The running thread gets its own back in user_return(). */
static void load(pagetable_t directory) {
  struct thread *t = mycpu()->thread;

  if (t != NULL)
    t->arch.loaded = false;
  __atomic_store_n(&loaded[mycpu()->id], directory, __ATOMIC_RELEASE);
  w_cr3(V2P(directory));
}

void tables_load_kernel(pagetable_t kernel) {
  w_cr0(r_cr0() | CR0_WP);
  load(kernel);
  w_cr4(r_cr4() | CR4_PGE); /* with nothing in the TLB that is global */
}

int tables_prepare_user(pagetable_t user) {
  memcpy(user + KERNEL_PDE, kernel_pagetable + KERNEL_PDE,
         KERNEL_PDES * sizeof(pte_t));
  return 0;
}

/* It lies on the kernel stack, which is in every directory. */
int tables_add_trapframe(pagetable_t user, uint place, struct trapframe *tf) {
  (void)user;
  (void)place;
  (void)tf;
  return 0;
}

void tables_remove_trapframe(pagetable_t user, struct arch_space *as,
                             uint place) {
  (void)user;
  (void)as;
  (void)place;
}

/* Is another CPU in this space? Its thread runs nowhere any more, so that
 * nobody comes in. */
static bool loaded_elsewhere(pagetable_t user) {
  for (int i = 0; i < ncpu; i++)
    if (__atomic_load_n(&loaded[i], __ATOMIC_ACQUIRE) == user)
      return true;
  return false;
}

void tables_unprepare_user(pagetable_t user) {
  push_off();
  if (loaded[mycpu()->id] == user)
    load(kernel_pagetable);
  if (loaded_elsewhere(user))
    tlb_shootdown();
  pop_off();
  memset(user + KERNEL_PDE, 0, KERNEL_PDES * sizeof(pte_t));
}

const char *tables_describe_user(vaddr_t va) {
  return va >= KERNBASE ? "kernel" : NULL;
}

/* Is this CPU in the space of the thread that it runs? Then it stays there. */
static bool at_home(void) {
  const struct cpu *c = mycpu();

  return c->thread != NULL && c->thread->pagetable == loaded[c->id];
}

/* The global entries, too, which loading cr3 leaves. Interrupts off. */
void tlb_flush_all(void) {
  uint32 cr4 = r_cr4();

  if (!at_home())
    load(kernel_pagetable);
  w_cr4(cr4 & ~CR4_PGE);
  w_cr4(cr4);
}

/* Beyond this many pages it is cheaper to flush the whole TLB. */
#define FLUSH_PAGES 8

void tables_flush_user(struct arch_space *as, vaddr_t va, size_t size) {
  push_off();
  __atomic_store_n(&as->fresh, 1U << mycpu()->id, __ATOMIC_RELAXED);
  if (size > FLUSH_PAGES * PGSIZE)
    w_cr3(r_cr3());
  for (size_t i = 0; size <= FLUSH_PAGES * PGSIZE && i < size; i += PGSIZE)
    tlb_flush_page(va + i);
  pop_off();
}

/* Nothing to do: a CPU sees what it writes itself, and a program that others
 * wrote it enters by loading cr3 or by IRET, either of which makes it look at
 * its instructions anew (SDM vol. 3A, 8.1.3 and 8.3). */
void instructions_written(void) {}

uint tables_asids(void) { return 0; }

void user_cr3_prepare(struct thread *t) {
  int id = mycpu()->id;
  uint *fresh = &t->arch_space->fresh;

  if (loaded[id] == t->pagetable &&
      (__atomic_load_n(fresh, __ATOMIC_RELAXED) & (1U << id)))
    return;
  __atomic_fetch_or(fresh, 1U << id, __ATOMIC_RELAXED);
  load(t->pagetable);
}
