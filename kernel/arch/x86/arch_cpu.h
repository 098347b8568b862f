/*
 * The inline part of cpu.h on x86. In the kernel %fs selects a segment that
 * begins with a pointer to this CPU's struct cpu (segments.c).
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "memlayout.h"
#include "param.h"
#include "x86.h"

static inline struct cpu *mycpu(void) {
  struct cpu *c;

  asm volatile("movl %%fs:0, %0" : "=r"(c));
  return c;
}

/* The running thread: it lies at the top of the slot (memlayout.h) that the
 * stack pointer is in. */
static inline struct thread *mythread(void) {
  vaddr_t slot_end = (r_esp() | (KSTACK_SLOT - 1)) + 1;

  return (struct thread *)(slot_end - THREAD_ROOM);
}

static inline void intr_on(void) { asm volatile("sti" ::: "memory"); }
static inline void intr_off(void) { asm volatile("cli" ::: "memory"); }
static inline bool intr_get(void) { return r_eflags() & FL_IF; }

static inline void cpu_relax(void) { asm volatile("pause"); }

/* STI takes effect after the next instruction (SDM vol. 2B, STI), so no
 * interrupt comes between it and HLT; it is served here. */
static inline void cpu_wait(void) {
  asm volatile("sti; hlt; cli" ::: "memory");
}

/* A page fault takes the entry that it was about out of the TLB (4.10.4.1). */
static inline void tlb_refused(vaddr_t va) { (void)va; }

static inline uint64 cpu_clock(void) { return rdtsc(); }

#endif
