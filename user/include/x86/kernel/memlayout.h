/*
 * Addresses that xv6 programs know, those of the kernel included: they use
 * them to check that user mode gets nowhere near. kernel/arch/x86/memlayout.h
 * in the kernel has the picture.
 */
#ifndef XV6_MEMLAYOUT_H
#define XV6_MEMLAYOUT_H

#include "kernel/riscv.h"

#define KERNBASE 0x80000000UL                    /* the kernel, physical 0 */
#define PHYSTOP (KERNBASE + 128UL * 1024 * 1024) /* of RAM with MEM=128M */

#define VGA (KERNBASE + 0xb8000) /* the screen's text */
#define IOAPIC 0xfec00000UL
#define LAPIC 0xfee00000UL

/* Pages that RISC-V needs at the top of each address space and this machine
 * does not: the kernel is mapped there, and nothing is at these addresses. */
#define TRAMPOLINE (MAXVA - PGSIZE)
#define TRAPFRAME (TRAMPOLINE - PGSIZE)

#endif
