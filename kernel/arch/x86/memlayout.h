/*
 * Where things are in memory on a 32-bit PC.
 *
 * Every page table has the same upper half, which user mode cannot touch:
 *
 *   0xffffffff  +------------------------+
 *               | devices            RW- |  at their own addresses: local APIC,
 *   DEVICES     +------------------------+  I/O APIC, PCI
 *               |                        |
 *   KSTACK_TOP  +------------------------+
 *               | kernel stack 0     RW- |  KSTACK(0), KSTACK_PAGES
 *               | guard page         --- |
 *               | kernel stack 1     RW- |  KSTACK(1)
 *               | ...                    |
 *   DIRECT_END  +------------------------+
 *               |                        |
 *   P2V(PHYSTOP)+------------------------+
 *               | free memory        RW- |
 *   end         | kernel data        RW- |
 *   etext       | kernel text        R-- |
 *   KERNLINK    | low memory         RW- |  video memory, BIOS
 *   KERNBASE    +------------------------+  physical 0
 *
 * and a lower half of its own:
 *
 *   KERNBASE    +------------------------+
 *               | heap           RW- U   |  grows by sbrk()
 *               | stack          RW- U   |
 *               | guard page     no U    |
 *               | data, bss      RW- U   |
 *   0           | text           R-- U   |
 *               +------------------------+
 *
 * A page that a process owns is thus mapped twice: here at P2V(pa), there at
 * the process's address.
 */
#ifndef MEMLAYOUT_H
#define MEMLAYOUT_H

#include "x86.h"

#define MACHINE_ARCH "x86"

#define KERNBASE 0x80000000UL        /* physical 0 */
#define EXTMEM 0x00100000UL          /* where the boot loader puts us */
#define KERNLINK (KERNBASE + EXTMEM) /* start of the kernel's text */
#define PHYSTOP_MAX 0x70000000UL     /* of RAM, the direct map takes that */
#define DIRECT_END (KERNBASE + PHYSTOP_MAX)
#define PHYSTOP (machine.ram_end) /* end of RAM in use, found at boot */

/* The highest page is never mapped, so that no range wraps. */
#define MAXVA 0xfffff000UL
/* A process's memory ends here: a page below the kernel, so that no address or
 * end of its memory is negative as the result of a system call. */
#define USER_END (KERNBASE - PGSIZE)

/* Kernel stack n: a slot of a power of two of pages, aligned to its size, of which the
 * lowest is the guard page. */
#define KSTACK_TOP 0xf8000000UL
#define KSTACK_SLOT (PGSIZE << KSTACK_ORDER)
#define KSTACK(n) (KSTACK_TOP - ((n) + 1) * KSTACK_SLOT + PGSIZE)

/* Registers of devices are in the last 64 MiB of physical addresses. */
#define DEVICES 0xfc000000UL

#define APICS 0xfec00000UL     /* from here on: interrupt controllers */
#define APICS_END 0xfef00000UL /* to here */
#define LAPIC 0xfee00000UL     /* local APIC of each CPU */
#define IOAPIC 0xfec00000UL    /* unless the MADT says otherwise */
#define IOAPICS_END 0xfed00000UL
#define UART0 0x3f8UL /* COM1, a port */
#define RTC 0x70UL    /* real-time clock: index and data port */
#define VGA_TEXT 0x000b8000UL

/* The direct map: physical memory as the kernel sees it. */
#define P2V(pa) ((void *)((paddr_t)(pa) + KERNBASE))
#define V2P(va) ((paddr_t)(va)-KERNBASE)
/* Device registers as the kernel sees them. An I/O port stands for itself:
 * io.h knows the two apart. */
#define P2IO(pa) ((volatile void *)(paddr_t)(pa))

#endif
