/*
 * Interrupts between CPUs. ipi_send() is in cpu.h.
 */
#ifndef IPI_H
#define IPI_H

#include "types.h"

/* For the handler of T_IPI: take and clear the IPI_* bits that were sent to
 * this CPU. Interrupts off. */
uint ipi_take(void);

/* Ask all other CPUs to stop for good; for panic. */
void ipi_halt_others(void);

#endif
