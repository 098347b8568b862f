/*
 * Where things are in memory on QEMU's RISC-V "virt" machine.
 *
 * Kernel address space (one page table; physical = virtual but for the top):
 *
 *   MAXVA       +------------------------+
 *               | trampoline         R-X |  TRAMPOLINE
 *               +------------------------+
 *               | kernel stack 0     RW- |  KSTACK(0), KSTACK_PAGES
 *               | guard page         --- |
 *               | kernel stack 1     RW- |  KSTACK(1)
 *               | guard page         --- |
 *               | ...                    |
 *   PHYSTOP     +------------------------+
 *               | free memory        RW- |
 *   etext       | kernel data        RW- |
 *   KERNBASE    | kernel text        R-X |
 *               +------------------------+
 *   0x10001000  | VIRTIO0 ..         RW- |
 *   0x10000000  | UART0              RW- |
 *   0x0c000000  | PLIC               RW- |
 *   0x02000000  | CLINT              RW- |
 *   0x00101000  | RTC                RW- |
 *   0x00100000  | test finisher      RW- |
 *   0           +------------------------+
 *
 * User address space:
 *
 *   MAXVA       +------------------------+
 *               | trampoline     R-X, no U  TRAMPOLINE
 *               | trapframe 0    RW-, no U  TRAPFRAME
 *               | trapframe 1    RW-, no U  of a process with more threads
 *               | ...                    |
 *   USER_END    +------------------------+
 *               |                        |
 *               | heap           RW- U   |  grows by sbrk()
 *               | stack          RW- U   |
 *               | guard page     no U    |
 *               | data, bss      RW- U   |
 *   0           | text           R-X U   |
 *               +------------------------+
 *
 * The addresses are asserted against the device tree at boot (machine.c).
 */
#ifndef MEMLAYOUT_H
#define MEMLAYOUT_H

#include "param.h"
#include "riscv.h"

#define MACHINE_ARCH "riscv64"

#define FINISHER 0x00100000L /* SiFive test finisher: power-off, restart */
#define RTC 0x00101000L      /* Goldfish real-time clock */
#define CLINT 0x02000000L    /* core-local interruptor: timer, IPIs */
#define PLIC 0x0c000000L     /* platform-level interrupt controller */
#define UART0 0x10000000L    /* 16550 */
#define VIRTIO0 0x10001000L  /* first of the virtio-mmio slots */

#define KERNBASE 0x80000000L        /* start of RAM; the kernel's text */
#define PHYSTOP_DEFAULT 0x88000000L /* end of RAM with 128 MiB */
#define PHYSTOP (machine.ram_end)   /* end of RAM, found at boot */

#define TRAMPOLINE (MAXVA - PGSIZE)
/* User tables only: the page with the trapframe of a process's first thread.
 * Those of the others follow below, each at its place. */
#define TRAPFRAME (TRAMPOLINE - PGSIZE)
#define TRAPFRAME_PAGE(place) (TRAPFRAME - (vaddr_t)(place)*PGSIZE)
/* A process's memory ends here. */
#define USER_END TRAPFRAME_PAGE(USER_THREADS_MAX - 1)

/* Kernel stack n: a slot of a power of two of pages, aligned to its size, of which the
 * lowest is the guard page. A stack pointer below KSTACK(n) is thus known by
 * its bits (kernelvec.S). */
#define KSTACK_SLOT (PGSIZE << KSTACK_ORDER)
#define KSTACK(n) (MAXVA - ((n) + 2) * KSTACK_SLOT + PGSIZE)
#define KSTACK_TOP (MAXVA - KSTACK_SLOT) /* above the highest stack */

/* Direct map: physical memory as the kernel sees it. On this machine virtual
 * is physical; shared code converts all the same. */
#define P2V(pa) ((void *)(paddr_t)(pa))
#define V2P(va) ((paddr_t)(va))
/* Device registers as the kernel sees them. */
#define P2IO(pa) ((volatile void *)(paddr_t)(pa))

#endif
