/*
 * How a CPU interrupts another (what for: sync/ipi.c): by a message between
 * their local APICs.
 */
#include "apic.h"
#include "cpu.h"

void ipi_raise(struct cpu *c) { lapic_send(c->hwid, T_IPI); }

void cpu_halt(void) {
  intr_off();
  for (;;)
    asm volatile("hlt"); /* an NMI ends it */
}
