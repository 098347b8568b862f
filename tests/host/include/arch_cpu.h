/*
 * A machine of one CPU without interrupts, for the kernel's code in unit tests:
 * it stands where arch/<isa>/arch_cpu.h does. The test defines cpus[], and
 * mythread() if it needs it.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

static inline struct cpu *mycpu(void) { return &cpus[0]; }
struct thread *mythread(void);

static inline void intr_on(void) {}
static inline void intr_off(void) {}
static inline bool intr_get(void) { return false; }

static inline void cpu_relax(void) {}
static inline void cpu_wait(void) {}

static inline void tlb_refused(vaddr_t va) { (void)va; }

static inline uint64 cpu_clock(void) { return 0; }

#endif
