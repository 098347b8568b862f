/*
 * The PLIC: brings device interrupts to the harts. irq_enable() is in
 * dev/irq.h.
 */
#ifndef PLIC_H
#define PLIC_H

#include "types.h"

/* The highest register of a context. */
paddr_t plic_claim(uint context);

/* Where CPU `id`'s supervisor mode is among the PLIC's contexts; from the
 * device tree. */
void plic_set_context(int id, uint context);

/* This CPU accepts device interrupts from now on. */
void plic_init_cpu(void);

/* For the handler of the supervisor external interrupt. Interrupts off. */
void plic_interrupt(void);

#endif
