/*
 * How the CPUs get from the boot loader into the kernel (entry.S, apboot.S,
 * start.c).
 */
#ifndef START_H
#define START_H

#include "param.h"

#define BOOT_STACK_SHIFT 14 /* bytes of a boot stack, as a power of two */

/* Where the code of apboot.S is copied to. */
#define APBOOT 0x7000

#ifndef __ASSEMBLER__

#include "cpu.h"
#include "pte.h"

/*
 * The page table until the kernel has one of its own: virtual address v leads
 * to physical address v - KERNBASE modulo 2^32, which P2V() can therefore reach
 * all of. Only while a CPU turns paging on, the first entry leads to physical
 * address 0, where the CPU still is.
 */
extern pte_t boot_directory[PT_ENTRIES];

/* From entry.S, on the boot stack: what the boot loader left in eax and ebx. */
void start(uint32 magic, uint32 info) __attribute__((noreturn));
/* From apboot.S, on the stack that start_cpu() provides. */
void start_other(void) __attribute__((noreturn));

/* Any physical memory, readable during machine_init(). NULL beyond 4 GiB. */
const void *boot_map(paddr_t pa, size_t n);

/* Let another CPU in. False if it does not come. */
bool start_cpu(struct cpu *c);

#endif /* __ASSEMBLER__ */
#endif
