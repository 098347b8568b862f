/*
 * TLB shootdown: who must forget a translation, and when.
 *
 * CPUs cache what they read in page tables and are not told when it changes.
 * An entry that becomes valid or gets more rights is harmless: who has the old
 * one faults, and the fault path looks again. After an entry was cleared or
 * lost rights, though, its page must not be used for anything else before
 * every CPU has forgotten it. A space has two sets of CPUs for that:
 *
 *   active   run one of its threads now (or may use its table for another
 *            reason the machine has): told at once, by an interrupt
 *   fresh    hold no outdated translation, but what they are being told about:
 *            the others are not disturbed, and forget all of the space before
 *            they next go to user mode in it
 *
 *   who changes the table                 a CPU that comes to the space
 *     clear entries                         enter `active`    (tables_switch)
 *     who is active? these are told         fence
 *     the others are not fresh              not fresh? be fresh, then flush
 *     fence                                 read entries: user mode, copyin
 *     who is active now? told, too
 *     tell them, wait until they flushed
 *     reuse the pages
 *
 * Whichever of the two fences comes first: either the left side sees the CPU in
 * `active`, or the CPU sees that it is not fresh, and sees the cleared entries.
 * Who was seen in `active` is told even if it has left meanwhile, and so may
 * stay fresh. A CPU becomes fresh before it flushes: an entry cleared in between
 * makes it flush once more.
 *
 * What the kernel reads through a user table itself (copyin, copyout) needs no
 * flush, but the same wait: it copies with interrupts off, so an active CPU
 * answers when it is through with the page. It must not wait for a spin lock
 * meanwhile, since who waits for a lock answers, too.
 *
 * A CPU that asks waits with interrupts off, perhaps holding locks. Another one
 * that spins for those answers there (acquire, spin_while), and so does a CPU that itself
 * waits for answers: no two can wait for each other. Each has room for one
 * request, which it fills in before it sets the bits of those that it asks; one
 * interrupt makes a CPU look at the requests of all.
 */
#include "tlb.h"

#include "sync/spinlock.h"
#include "sync/trace.h"
#include "tables.h"

static struct request {
  struct arch_space *as; /* NULL: the kernel's addresses */
  vaddr_t va;
  size_t size;
  uint waiting; /* [a] bit n: CPU n has still to flush */
} requests[NCPU] __attribute__((aligned(64))); /* by the CPU that asks */

static uint this_cpu(void) { return 1U << mycpu()->id; }

/* Send the request of this CPU. */
static void ask(uint cpumask, struct arch_space *as, vaddr_t va, size_t size) {
  struct cpu *self = mycpu();
  struct request *r = &requests[self->id];

  if (cpumask == 0)
    return;
  trace(TRACE_SHOOTDOWN, va, size);
  r->as = as;
  r->va = va;
  r->size = size;
  __atomic_store_n(&r->waiting, cpumask, __ATOMIC_RELEASE);
  for (int i = 0; i < ncpu; i++) {
    if (cpumask & (1U << i)) {
      self->shootdowns++;
      ipi_send(&cpus[i], IPI_FLUSH);
    }
  }
}

/* Wait until all have answered. */
static void await(void) {
  const struct request *r = &requests[mycpu()->id];

  while (__atomic_load_n(&r->waiting, __ATOMIC_ACQUIRE) != 0) {
    tlb_serve();
    cpu_relax();
  }
}

void tlb_ask(uint cpumask, struct arch_space *as, vaddr_t va, size_t size) {
  ask(cpumask, as, va, size);
  await();
}

void tlb_answer(void) {
  uint self = this_cpu();

  for (int i = 0; i < ncpu; i++) {
    struct request *r = &requests[i];

    if (!(__atomic_load_n(&r->waiting, __ATOMIC_ACQUIRE) & self))
      continue;
    if (r->as != NULL)
      tlb_flush_space(r->as, r->va, r->size);
    else
      tlb_flush_kernel(r->va, r->size);
    __atomic_fetch_and(&r->waiting, ~self, __ATOMIC_RELEASE);
  }
}

void tables_flush_user(struct arch_space *as, vaddr_t va, size_t size) {
  uint told;

  push_off();
  told = __atomic_load_n(&as->active, __ATOMIC_SEQ_CST);
  arch_space_outdate(as, told);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  told |= __atomic_load_n(&as->active, __ATOMIC_SEQ_CST);
  ask(told & ~this_cpu(), as, va, size);
  if (told & this_cpu())
    tlb_flush_space(as, va, size); /* while the others do, too */
  await();
  pop_off();
}

static uint online_cpus(void) {
  uint online = 0;

  for (int i = 0; i < ncpu; i++)
    if (__atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE))
      online |= 1U << i;
  return online;
}

void tlb_shootdown(vaddr_t va, size_t size) {
  push_off();
  ask(online_cpus() & ~this_cpu(), NULL, va, size);
  tlb_flush_kernel(va, size);
  await();
  pop_off();
}
