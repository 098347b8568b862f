/*
 * The inline part of cpu.h on RISC-V. In the kernel tp holds a pointer to this
 * hart's struct cpu.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "memlayout.h"
#include "param.h"
#include "riscv.h"

static inline struct cpu *mycpu(void) {
  struct cpu *c;

  asm volatile("mv %0, tp" : "=r"(c));
  return c;
}

/* The running thread: it lies at the top of the slot (memlayout.h) that the
 * stack pointer is in. */
static inline struct thread *mythread(void) {
  vaddr_t slot_end = (r_sp() | (KSTACK_SLOT - 1)) + 1;

  return (struct thread *)(slot_end - THREAD_ROOM);
}

static inline void intr_on(void) { set_sstatus(SSTATUS_SIE); }
static inline void intr_off(void) { clear_sstatus(SSTATUS_SIE); }
/* intr_off(), and what sstatus was before. */
static inline uint64 intr_off_status(void) {
  uint64 old;

  asm volatile("csrrci %0, sstatus, %1"
               : "=r"(old)
               : "i"(SSTATUS_SIE)
               : "memory");
  return old;
}
static inline bool intr_get(void) { return r_sstatus() & SSTATUS_SIE; }

void cpu_relax(void); /* ipi.c */

/* wfi resumes on a pending interrupt even when interrupts are off (privileged
 * spec 1.12, 3.3.3). */
static inline void cpu_wait(void) { asm volatile("wfi" ::: "memory"); }

/* The TLB may hold that an entry is invalid (privileged spec 1.12, 4.2.1). */
static inline void tlb_refused(vaddr_t va) { sfence_vma_page(va); }

static inline uint64 cpu_clock(void) { return r_time(); }

#endif
