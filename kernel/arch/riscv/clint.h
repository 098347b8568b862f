/*
 * The CLINT: for each hart a register that interrupts it and a time at which
 * it is interrupted, both in machine mode (SiFive FU540-C000 manual, chapter
 * 9). And the little that stays in machine mode because of that: a trap
 * handler (machinevec.S) that turns the first into a supervisor software
 * interrupt and, on harts without Sstc, the second into a supervisor timer
 * interrupt.
 */
#ifndef CLINT_H
#define CLINT_H

#include "riscv.h"

#define CLINT_MSIP(i) (CLINT + 4 * (i))              /* 32 bits: 1 interrupts */
#define CLINT_MTIMECMP(i) (CLINT + 0x4000 + 8 * (i)) /* 64 bits */

#define MCAUSE_ECALL_S 9 /* environment call from supervisor mode (3.1.15) */

/* Offsets into struct mscratch. */
#define MSCRATCH_T0 0
#define MSCRATCH_T1 8
#define MSCRATCH_MSIP 16
#define MSCRATCH_MTIMECMP 24

#ifndef __ASSEMBLER__

/* What a hart's machine mode has of memory; its mscratch points there. */
struct mscratch {
  uint64 t0, t1;   /* machinevec.S saves registers here */
  uint64 msip;     /* [c] addresses of the hart's CLINT registers, set before */
  uint64 mtimecmp; /* [c]   anything interrupts the hart */
  bool sstc;       /* [c] the hart has stimecmp */
  bool fpu;        /* [c] the hart has floating point of 64 bits */
};
extern struct mscratch mscratch[]; /* NCPU, by struct cpu.id */

/* Ask machine mode for a timer interrupt; on harts without Sstc. */
static inline void machine_timer(uint64 time) {
  register uint64 a0 asm("a0") = time;

  asm volatile("ecall" : "+r"(a0) : : "memory");
}

#endif /* __ASSEMBLER__ */
#endif
