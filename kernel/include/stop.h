/*
 * Stopping the other CPUs for a moment, for who must see everything as it is
 * at one time.
 */
#ifndef STOP_H
#define STOP_H

/* All other CPUs stop and hold no spin lock; interrupts are off here from now
 * on. They serve requests to flush their TLBs meanwhile. Not twice at once: the
 * caller sees to that. Lasts until cpus_go(). No spin lock held. */
void cpus_stop(void);
void cpus_go(void);

/* A CPU that was asked by IPI_STOP. Interrupts off. */
void cpu_stop_here(void);

#endif
