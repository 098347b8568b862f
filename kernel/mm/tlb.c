/*
 * TLB shootdown: ask every other CPU to flush, and wait until it has.
 *
 * A CPU serves the request in its interrupt handler, or, when interrupts are
 * off, wherever it waits: for a lock (acquire) or for a shootdown of its own
 * (below). So two CPUs can never wait for each other.
 */
#include "tlb.h"

#include "sync/spinlock.h"

void tlb_shootdown(void) {
  uint number[NCPU];
  bool asked[NCPU] = {false};
  struct cpu *self;

  push_off();
  self = mycpu();
  tlb_flush_all();
  for (int i = 0; i < ncpu; i++) {
    struct cpu *c = &cpus[i];

    if (c == self || !__atomic_load_n(&c->online, __ATOMIC_ACQUIRE))
      continue;
    asked[i] = true;
    number[i] = __atomic_add_fetch(&c->flush_asked, 1, __ATOMIC_ACQ_REL);
    ipi_send(c, IPI_FLUSH);
  }
  for (int i = 0; i < ncpu; i++) {
    while (asked[i] &&
           (int)(__atomic_load_n(&cpus[i].flush_done, __ATOMIC_ACQUIRE) -
                 number[i]) < 0) {
      tlb_serve();
      cpu_relax();
    }
  }
  pop_off();
}
