/*
 * What shared code asks of the CPU that it runs on. The machine provides it:
 * the inline parts in arch/<isa>/arch_cpu.h, the rest in arch/<isa>/.
 */
#ifndef CPU_H
#define CPU_H

#include "param.h"
#include "types.h"

struct thread;

/*
 * One per CPU. Only the CPU itself touches its fields, with interrupts off,
 * unless a letter says otherwise: [c] constant after boot, [a] atomic.
 */
struct cpu {
  int id;                /* [c] index into cpus[], 0 is the one that boots */
  uint hwid;             /* [c] what the hardware calls it */
  struct thread *thread; /* running here */
  struct thread *idle;   /* [c] runs when nothing else can */
  int noff;              /* depth of push_off() */
  bool intena;           /* were interrupts on before push_off()? */
  uint ipi;              /* [a] IPI_* bits that wait to be served */
  int pid;               /* of the process that runs here; 0: none */
  bool online;           /* [a] takes part in scheduling */
  uint64 interrupts;     /* served here since boot */
  uint64 syscalls;       /* of threads that were switched away from here */
  uint64 shootdowns;     /* other CPUs that this one asked to flush */
  uint64 tlb_flushes;    /* of all translations of a space, here */
  uint64 tlb_pages;      /* whose translations were flushed alone, here */
};

extern struct cpu cpus[NCPU];
extern int ncpu; /* CPUs in use, fixed once the machine is discovered */

/* What one CPU asks of another. A bit may be served more often than sent. */
#define IPI_RESCHED 1 /* look at your run queue */
#define IPI_FLUSH 2   /* forget translations: tlb.h */
#define IPI_HALT 4    /* stop for good: another CPU panicked */
#define IPI_STOP 8    /* stop for a moment: stop.h */

#include "arch_cpu.h"
/*
 * arch_cpu.h defines, inline:
 *   struct cpu *mycpu(void)   this CPU; interrupts must be off, else the
 *                             thread may move while the result is used
 *   void intr_on(void), intr_off(void); bool intr_get(void)
 *   void cpu_relax(void)      a hint inside a spin loop; any context
 *   void cpu_wait(void)       sleep until an interrupt is pending; called
 *                             with interrupts off, returns with them off
 *   uint64 cpu_clock(void)    the machine's time counter, clock_hz a second
 */

/* --- provided by kernel/sync --- */

/* Set the bits of `why` for a CPU and interrupt it. Any context. */
void ipi_send(struct cpu *c, uint why);
/* Take the bits that were sent to this CPU and do what they ask; after the
 * interrupt was acknowledged. Interrupts off. */
void ipi_serve(void);
/* Ask all other CPUs to stop for good; for panic. */
void ipi_halt_others(void);

/* --- provided by the machine --- */

/* Interrupt a CPU, which shall call ipi_serve(). Interrupts off. */
void ipi_raise(struct cpu *c);

/* Stop this CPU for good, interrupts off. */
void cpu_halt(void) __attribute__((noreturn));

/* Time counter frequency, from the device tree or by calibration. */
extern uint64 clock_hz;

/* Nanoseconds since boot. Any context. */
uint64 clock_ns(void);

/* Ask for a timer interrupt on this CPU at `deadline_ns` of clock_ns(), in
 * place of an earlier request. Interrupts off. */
void clock_arm(uint64 deadline_ns);

#endif
