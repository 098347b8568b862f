/*
 * Interrupts between CPUs.
 *
 *   sender: set bits in cpu.ipi  ->  send T_IPI, if there were none
 *   target: EOI, then take the bits
 *
 * After the EOI a new T_IPI can become pending, so a bit that is set while the
 * target is anywhere in this chain is either taken or makes a new interrupt.
 */
#include "ipi.h"

#include "apic.h"
#include "cpu.h"
#include "sync/spinlock.h"

void ipi_send(struct cpu *c, uint why) {
  /* Not to be preempted between the two: who finds the bit set relies on the
   * interrupt being on its way. */
  push_off();
  if (__atomic_fetch_or(&c->ipi, why, __ATOMIC_ACQ_REL) == 0)
    lapic_send(c->hwid, T_IPI);
  pop_off();
}

uint ipi_take(void) {
  return __atomic_exchange_n(&mycpu()->ipi, 0, __ATOMIC_ACQ_REL);
}

void ipi_halt_others(void) {
  for (int i = 0; i < ncpu; i++)
    if (&cpus[i] != mycpu() &&
        __atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE))
      ipi_send(&cpus[i], IPI_HALT);
}

void cpu_halt(void) {
  intr_off();
  for (;;)
    asm volatile("hlt"); /* an NMI ends it */
}
