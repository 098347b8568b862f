/*
 * The interrupt controllers: a local APIC in each CPU (SDM vol. 3A, chapter 11)
 * and one I/O APIC (Intel 82093AA data sheet), which takes the lines of devices.
 *
 * Interrupt numbers (dev/irq.h) below IRQ_MSI are inputs of the I/O APIC, those
 * from there on are messages that PCI devices write to a local APIC; number i
 * arrives as vector T_IRQ0 + i. irq_enable() and, for messages, msi_alloc() of
 * dev/pci.h are here, too.
 */
#ifndef APIC_H
#define APIC_H

#include "types.h"
#include "x86.h"

#define IRQ_MSI 32 /* the first number that is a message */

/* The number of this CPU's local APIC, which need not be mapped yet. */
uint apic_id_of_cpu(void);

/* This CPU accepts interrupts from now on. The first call finds out how fast
 * the timer is, for which the clock must run. */
void lapic_init_cpu(void);
/* The interrupt was served. */
void lapic_eoi(void);
/* Interrupt a CPU. Interrupts off. */
void lapic_send(uint apic_id, uint vector);
/* Let a CPU that waits since power-on begin at `entry`, a page below 1 MiB, in
 * real mode. Takes about 10 ms; whether it came is not known. */
void lapic_start_cpu(uint apic_id, paddr_t entry);

/* One interrupt T_TIMER on this CPU in so many nanoseconds, or earlier if that
 * is longer than the timer can count; in place of the one before. */
void lapic_timer(uint64 ns);

/* All inputs off, and the old interrupt controllers, too; once. */
void ioapic_init(void);
/* The interrupt number of an ISA interrupt. */
uint isa_irq(uint isa);

/* Serve a vector from T_IRQ0 on. Interrupts off. */
void interrupt(uint vector);

#endif
