/*
 * The scheduler: preemptive round robin on a run queue for each CPU.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "sched/thread.h"

/* Set up the run queues; boot CPU. */
void sched_init(void);

/* This CPU begins to schedule: its boot code becomes its idle thread, on a
 * kernel stack of its own. Does not return. */
void sched_start(void) __attribute__((noreturn));

/* Make a thread runnable: a new one, or one that slept. t->lock held. */
void sched_ready_locked(struct thread *t);
/* The same for one that slept, on this CPU if nobody waits for it. */
void sched_ready_here_locked(struct thread *t);
/* The same for a new thread, on the CPU with the least to do. */
void sched_place_locked(struct thread *t);

/* Give up the CPU. The running thread's lock is held, its state says why, and
 * no other lock is held. Returns when it runs again; the lock is released. */
void sched_locked(void);

/* Let others run. */
void yield(void);

/* The tick: should the running thread make way? Called in the clock interrupt.
 */
void sched_tick(void);
/* When this CPU needs its next tick, as of clock_ns(). */
uint64 sched_next_tick(uint64 now);
/* Yield if the tick said so; at the end of an interrupt. */
void sched_preempt(void);

struct sched_stats {
  uint64 switches;
  uint64 idle_ns;
  uint runnable; /* running, or ready to */
};
void sched_stats(struct sched_stats *st);

#endif
