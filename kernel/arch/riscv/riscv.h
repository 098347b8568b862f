/*
 * Registers of a RISC-V hart. Section numbers are those of "The RISC-V
 * Instruction Set Manual, Volume II: Privileged Architecture", version 1.12.
 */
#ifndef RISCV_H
#define RISCV_H

#define PGSIZE 4096 /* bytes of a page (4.3.1) */
#define PGSHIFT 12

/* Levels of a page table: 3 with Sv39, unless satp= asks for more at boot
 * (paging.c). */
#define PT_LEVELS pt_levels
/* One bit less than the tables translate, so that no address needs that bit
 * copied to those above (4.4.1): 2^38, or 2^47, 2^56. */
#define MAXVA (1UL << (9 * PT_LEVELS + 12 - 1))

/* mstatus (3.1.6) */
#define MSTATUS_MPP_MASK (3L << 11)
#define MSTATUS_MPP_S (1L << 11)
#define MSTATUS_FS (3L << 13)

/* sstatus (4.1.1) */
#define SSTATUS_SIE (1L << 1)  /* interrupts enabled in supervisor mode */
#define SSTATUS_SPIE (1L << 5) /* SIE before the trap */
#define SSTATUS_SPP (1L << 8)  /* trapped from: 1 supervisor, 0 user */
#define SSTATUS_FS (3L << 13)  /* floating point: off, initial, clean, dirty */
#define SSTATUS_FS_INITIAL (1L << 13)
#define SSTATUS_FS_CLEAN (2L << 13)
#define SSTATUS_FS_DIRTY (3L << 13)

/* sie, sip (4.1.3); mie, mip (3.1.9) have the machine-mode bits too */
#define SIE_SSIE (1L << 1) /* software: IPIs */
#define SIE_STIE (1L << 5) /* timer */
#define SIE_SEIE (1L << 9) /* external: the PLIC */
#define MIE_MSIE (1L << 3)
#define MIE_MTIE (1L << 7)

/* By number: assemblers of 2022 do not know the names. menvcfg: 3.1.18;
 * stimecmp: Sstc extension 1.0. */
#define CSR_MENVCFG 0x30a
#define CSR_STIMECMP 0x14d
#define MENVCFG_STCE (1UL << 63) /* supervisor mode may use stimecmp (Sstc) */

/* pmpcfg (3.7.1): up to pmpaddr; read, write, execute */
#define PMP_TOR_RWX 0xf

/* scause (4.1.8, table 4.2) */
#define SCAUSE_INTERRUPT (1UL << 63)
#define SCAUSE_SOFTWARE (SCAUSE_INTERRUPT | 1)
#define SCAUSE_TIMER (SCAUSE_INTERRUPT | 5)
#define SCAUSE_EXTERNAL (SCAUSE_INTERRUPT | 9)
#define SCAUSE_ILLEGAL 2
#define SCAUSE_ECALL_U 8
#define SCAUSE_FETCH_PAGE_FAULT 12
#define SCAUSE_LOAD_PAGE_FAULT 13
#define SCAUSE_STORE_PAGE_FAULT 15

/* satp (4.1.11) */
#define SATP_MODE_SHIFT 60
#define SATP_SV39 8UL /* Sv48 is 9, Sv57 10: a level more each */
#define SATP_MODE (SATP_SV39 + PT_LEVELS - 3)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xffffUL
#define MAKE_SATP(pagetable) \
  ((SATP_MODE << SATP_MODE_SHIFT) | ((unsigned long)(pagetable) >> 12))

#ifndef __ASSEMBLER__

#include "types.h"

extern int pt_levels; /* constant after machine_init() */

/* r_csr() and w_csr() for the registers that C code uses. */
#define CSR_READ(name)                         \
  static inline uint64 r_##name(void) {        \
    uint64 x;                                  \
    asm volatile("csrr %0, " #name : "=r"(x)); \
    return x;                                  \
  }
#define CSR_WRITE(name)                                       \
  static inline void w_##name(uint64 x) {                     \
    asm volatile("csrw " #name ", %0" : : "r"(x) : "memory"); \
  }
#define CSR_BITS(name)                                        \
  static inline void set_##name(uint64 x) {                   \
    asm volatile("csrs " #name ", %0" : : "r"(x) : "memory"); \
  }                                                           \
  static inline void clear_##name(uint64 x) {                 \
    asm volatile("csrc " #name ", %0" : : "r"(x) : "memory"); \
  }

CSR_READ(mstatus)
CSR_WRITE(mstatus)
CSR_WRITE(mepc)
CSR_WRITE(medeleg)
CSR_WRITE(mideleg)
CSR_WRITE(mie)
CSR_WRITE(mtvec)
CSR_WRITE(mscratch)
CSR_WRITE(mcounteren)

CSR_READ(sstatus)
CSR_WRITE(sstatus)
CSR_BITS(sstatus)
CSR_READ(sie)
CSR_WRITE(sie)
CSR_READ(sip)
CSR_BITS(sip)
CSR_WRITE(stvec)
CSR_READ(sepc)
CSR_WRITE(sepc)
CSR_READ(scause)
CSR_READ(stval)
CSR_READ(satp)
CSR_WRITE(satp)
CSR_WRITE(sscratch)
CSR_READ(time)

static inline void w_stimecmp(uint64 x) {
  asm volatile("csrw %0, %1" : : "i"(CSR_STIMECMP), "r"(x));
}

static inline uint64 r_sp(void) {
  uint64 x;

  asm volatile("mv %0, sp" : "=r"(x));
  return x;
}

/* Order page-table writes before later translations, and forget all cached
 * ones of this hart (4.2.1). */
static inline void sfence_vma(void) {
  asm volatile("sfence.vma zero, zero" ::: "memory");
}

/* The same for one address in all address spaces. */
static inline void sfence_vma_page(uint64 va) {
  asm volatile("sfence.vma %0, zero" : : "r"(va) : "memory");
}

/* The same for the translations of one ASID that are not global, and for one
 * address of those. The ASID must be in a register even if it is 0: x0 itself
 * means all. */
static inline void sfence_vma_asid(uint64 asid) {
  asm volatile("sfence.vma zero, %0" : : "r"(asid) : "memory");
}
static inline void sfence_vma_page_asid(uint64 va, uint64 asid) {
  asm volatile("sfence.vma %0, %1" : : "r"(va), "r"(asid) : "memory");
}

/* Make instructions written before visible to this hart's fetches
 * (unprivileged spec, Zifencei). */
static inline void fence_i(void) { asm volatile("fence.i" ::: "memory"); }

#endif /* __ASSEMBLER__ */
#endif
