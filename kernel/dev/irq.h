/*
 * Device interrupts. A driver registers a handler for a source; the machine's
 * interrupt controller calls irq_dispatch().
 */
#ifndef DEV_IRQ_H
#define DEV_IRQ_H

#include "types.h"

#define IRQ_MAX 128 /* sources are numbered 1 to IRQ_MAX - 1 */

/* Call handler(arg) on each interrupt of the source, interrupts off, and
 * enable the source. 0, or -EINVAL, -EBUSY, with a message. */
int irq_register(uint irq, const char *name, void (*handler)(void *arg),
                 void *arg);

/* A source fired. Called by the machine's interrupt controller. */
void irq_dispatch(uint irq);

/* The machine's part: let the source interrupt. */
void irq_enable(uint irq);

#endif
