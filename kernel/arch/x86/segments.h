/*
 * Segments of a CPU: its descriptor table, its task state, the task that
 * double faults start.
 */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include "types.h"

struct cpu;

/* Make and load the tables of this CPU; from then on mycpu() works and is c.
 * The first thing that a CPU does. Interrupts off. */
void segments_init(struct cpu *c);

/* Traps from user mode push the trapframe below esp0 from now on. Interrupts
 * off. */
void segments_set_stack(vaddr_t esp0);

/* Programs reach their thread-local storage at `base` through TLS_SEL from now
 * on; %gs is to be loaded again. Interrupts off. */
void segments_set_tls(vaddr_t base);

/* Double faults are served in the address space of this cr3. */
void segments_set_fault_space(uint32 cr3);

/* What SYSENTER loads into esp on this CPU: where the esp0 of
 * segments_set_stack() is to be found, with a few words of stack below. */
vaddr_t segments_sysenter_stack(void);

#endif
