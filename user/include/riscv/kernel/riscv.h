/*
 * Pages and page-table entries (RISC-V privileged spec 1.12, 4.3 and 4.4), and
 * the registers that a user program may read.
 */
#ifndef XV6_RISCV_H
#define XV6_RISCV_H

#include "abi/types.h"

#define PGSIZE 4096
#define PGSHIFT 12

#define PGROUNDUP(sz) (((sz) + PGSIZE - 1) & ~(PGSIZE - 1))
#define PGROUNDDOWN(a) (((a)) & ~(PGSIZE - 1))

/* Flags of a page-table entry (figure 4.18). */
#define PTE_V (1L << 0) /* valid */
#define PTE_R (1L << 1) /* may be read */
#define PTE_W (1L << 2) /* may be written */
#define PTE_X (1L << 3) /* may be executed */
#define PTE_U (1L << 4) /* user mode may use it */
#define PTE_G (1L << 5) /* global: in every address space */
#define PTE_A (1L << 6) /* accessed */
#define PTE_D (1L << 7) /* dirty: written */

/* The page number starts at bit 10 of an entry, at bit 12 of an address. */
#define PA2PTE(pa) ((((uint64)(pa)) >> 12) << 10)
#define PTE2PA(pte) (((pte) >> 10) << 12)
#define PTE_FLAGS(pte) ((pte)&0x3FF)

/* The 9 bits of an address that index the table of a level. */
#define PXMASK 0x1FF
#define PXSHIFT(level) (PGSHIFT + (9 * (level)))
#define PX(level, va) ((((uint64)(va)) >> PXSHIFT(level)) & PXMASK)

/* One bit less than Sv39 has, so that no address needs sign extension. */
#define MAXVA (1L << (9 + 9 + 9 + 12 - 1))

#define SATP_SV39 (8L << 60)
#define MAKE_SATP(pagetable) (SATP_SV39 | (((uint64)(pagetable)) >> 12))

#ifndef __ASSEMBLER__

typedef uint64 pte_t;
typedef uint64 *pagetable_t; /* 512 entries */

#define USER_REGISTER(reg)                      \
  static inline uint64 r_##reg(void) {          \
    uint64 x;                                   \
    __asm__ volatile("mv %0, " #reg : "=r"(x)); \
    return x;                                   \
  }
USER_REGISTER(sp)
USER_REGISTER(tp)
USER_REGISTER(ra)
USER_REGISTER(fp)
#undef USER_REGISTER

static inline uint64 r_time(void) {
  uint64 x;
  __asm__ volatile("rdtime %0" : "=r"(x));
  return x;
}

#endif /* __ASSEMBLER__ */
#endif
