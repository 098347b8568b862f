/*
 * How the harts get from machine mode into the kernel (entry.S, start.c).
 */
#ifndef START_H
#define START_H

#include "param.h"

#define BOOT_STACK_SHIFT 14 /* bytes of a boot stack, as a power of two */

#ifndef __ASSEMBLER__

#include "types.h"

/* Hart ids by struct cpu.id; those of the first ncpu are valid. The harts that
 * wait in entry.S look themselves up here once boot_go is set. */
extern uint boot_harts[NCPU];
extern uint boot_go;

/* From entry.S, on boot stack `id`, in machine mode. */
void start(uint hartid, void *fdt, int id) __attribute__((noreturn));

#endif /* __ASSEMBLER__ */
#endif
