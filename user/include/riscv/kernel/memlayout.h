/*
 * Addresses that xv6 programs know, those of the kernel included: they use
 * them to check that user mode gets nowhere near. kernel/arch/riscv/memlayout.h
 * in the kernel has the picture.
 */
#ifndef XV6_MEMLAYOUT_H
#define XV6_MEMLAYOUT_H

#include "kernel/riscv.h"

#define UART0 0x10000000L
#define UART0_IRQ 10
#define VIRTIO0 0x10001000L
#define VIRTIO0_IRQ 1
#define CLINT 0x02000000L
#define PLIC 0x0c000000L

#define KERNBASE 0x80000000L                    /* start of RAM */
#define PHYSTOP (KERNBASE + 128L * 1024 * 1024) /* its end with MEM=128M */

#define TRAMPOLINE (MAXVA - PGSIZE)
#define TRAPFRAME (TRAMPOLINE - PGSIZE)

#endif
