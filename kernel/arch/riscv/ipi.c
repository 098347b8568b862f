/*
 * Interrupts between harts.
 *
 *   sender: set bits in cpu.ipi  ->  write the target's msip in the CLINT
 *   target, machine mode:  clear msip, set SSIP     (machinevec.S)
 *   target, supervisor:    clear SSIP, take the bits
 *
 * Each step is ordered after the one before, so a bit that is set while the
 * target is anywhere in this chain is either taken or makes a new interrupt.
 */
#include "ipi.h"

#include "clint.h"
#include "cpu.h"
#include "io.h"
#include "memlayout.h"
#include "sync/spinlock.h"

void ipi_send(struct cpu *c, uint why) {
  /* Not to be preempted between the two: who finds the bit set relies on the
   * interrupt being on its way. */
  push_off();
  if (__atomic_fetch_or(&c->ipi, why, __ATOMIC_ACQ_REL) == 0)
    io_write32(P2IO(mscratch[c->id].msip), 1);
  pop_off();
}

uint ipi_take(void) {
  clear_sip(SIE_SSIE);
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
  w_sie(0); /* nothing shall end the wfi */
  for (;;)
    cpu_wait();
}
