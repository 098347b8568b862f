/*
 * Pages and page-table entries of 32-bit paging without PAE (Intel SDM vol. 3A,
 * 4.3), and the registers that a user program may read. The name of this header
 * is the one that xv6 programs include, as are most names in it: a program that
 * uses them means "of this machine".
 */
#ifndef XV6_RISCV_H
#define XV6_RISCV_H

#include "abi/types.h"

#define PGSIZE 4096
#define PGSHIFT 12

#define PGROUNDUP(sz) (((sz) + PGSIZE - 1) & ~(PGSIZE - 1))
#define PGROUNDDOWN(a) (((a)) & ~(PGSIZE - 1))

/* Flags of a page-table entry (table 4-6). */
#define PTE_P (1L << 0) /* present */
#define PTE_W (1L << 1) /* may be written */
#define PTE_U (1L << 2) /* user mode may use it */
#define PTE_A (1L << 5) /* accessed */
#define PTE_D (1L << 6) /* dirty: written */
#define PTE_G (1L << 8) /* global: in every address space */

/* What is present may be read and executed: no bits say so. */
#define PTE_V PTE_P
#define PTE_R 0L
#define PTE_X 0L

/* The page number takes the same bits of an entry and of an address. */
#define PA2PTE(pa) ((uint64)(pa))
#define PTE2PA(pte) ((pte) & ~(uint64)0xFFF)
#define PTE_FLAGS(pte) ((pte)&0xFFF)

/* The 10 bits of an address that index the table of a level. */
#define PXMASK 0x3FF
#define PXSHIFT(level) (PGSHIFT + (10 * (level)))
#define PX(level, va) ((((uint64)(va)) >> PXSHIFT(level)) & PXMASK)

/* The last page is never mapped, so that no range wraps around. */
#define MAXVA 0xFFFFF000UL

#ifndef __ASSEMBLER__

typedef uint32 pte_t;
typedef uint32 *pagetable_t; /* 1024 entries */

#define USER_REGISTER(name, reg)                      \
  static inline uint64 r_##name(void) {               \
    uint32 x;                                         \
    __asm__ volatile("mov %%" #reg ", %0" : "=r"(x)); \
    return x;                                         \
  }
USER_REGISTER(sp, esp)
USER_REGISTER(fp, ebp)
#undef USER_REGISTER

/* Where the function that calls this returns to. */
static inline __attribute__((always_inline)) uint64 r_ra(void) {
  return (unsigned long)__builtin_return_address(0);
}

/* Cycles since reset. */
static inline uint64 r_time(void) { return __builtin_ia32_rdtsc(); }

#endif /* __ASSEMBLER__ */
#endif
