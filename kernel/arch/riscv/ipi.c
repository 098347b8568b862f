/*
 * How a hart interrupts another (what for: sync/ipi.c).
 *
 *   sender: write the target's msip in the CLINT
 *   target, machine mode:  clear msip, set SSIP     (machinevec.S)
 *   target, supervisor:    clear SSIP               (trap.c)
 *
 * Each step is ordered after the one before.
 */
#include "clint.h"
#include "cpu.h"
#include "io.h"
#include "memlayout.h"

void ipi_raise(struct cpu *c) { io_write32(P2IO(mscratch[c->id].msip), 1); }

void cpu_halt(void) {
  intr_off();
  w_sie(0); /* nothing shall end the wfi */
  for (;;)
    cpu_wait();
}
