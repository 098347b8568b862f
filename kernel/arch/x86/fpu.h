/*
 * The floating-point registers: x87, MMX and SSE (SDM vol. 3A, chapter 13).
 *
 * While CR0.TS is set the first instruction that uses them traps (T_NOFPU).
 */
#ifndef FPU_H
#define FPU_H

#include "arch_thread.h"
#include "x86.h"

/* Control words of a new program: all exceptions masked (vol. 1, 8.1.5 and
 * 10.2.3), and where FXSAVE has them (10.5.1, table 10-2). */
#define FP_CONTROL 0x37f
#define FP_CONTROL_AT 0
#define FP_MXCSR 0x1f80
#define FP_MXCSR_AT 24

static inline void fp_save(struct fpstate *fp) {
  asm volatile("fxsave %0" : "=m"(*fp));
}
static inline void fp_restore(const struct fpstate *fp) {
  asm volatile("fxrstor %0" : : "m"(*fp));
}

static inline void fp_on(void) { asm volatile("clts"); }
static inline void fp_off(void) { w_cr0(r_cr0() | CR0_TS); }

#endif
