/*
 * Interrupts between CPUs.
 *
 *   sender: set bits in cpu.ipi  ->  ipi_raise(), if there were none
 *   target: acknowledge the interrupt, then ipi_serve() takes the bits
 *
 * Once it is acknowledged a new one can become pending, so a bit that is set
 * while the target is anywhere in this chain is either taken or makes a new
 * interrupt.
 */
#include "cpu.h"
#include "stop.h"
#include "sync/spinlock.h"
#include "tlb.h"

struct cpu cpus[NCPU];
int ncpu = 1;

void ipi_send(struct cpu *c, uint why) {
  /* Not to be preempted between the two: who finds the bit set relies on the
   * interrupt being on its way. */
  push_off();
  if (__atomic_fetch_or(&c->ipi, why, __ATOMIC_ACQ_REL) == 0)
    ipi_raise(c);
  pop_off();
}

void ipi_serve(void) {
  uint why = __atomic_exchange_n(&mycpu()->ipi, 0, __ATOMIC_ACQ_REL);

  if (why & IPI_FLUSH)
    tlb_answer();
  if (why & IPI_HALT)
    cpu_halt();
  if (why & IPI_STOP)
    cpu_stop_here();
}

void ipi_halt_others(void) {
  for (int i = 0; i < ncpu; i++)
    if (&cpus[i] != mycpu() &&
        __atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE))
      ipi_send(&cpus[i], IPI_HALT);
}
