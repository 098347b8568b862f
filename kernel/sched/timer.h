/*
 * Calls at a time. Precision is that of the next tick or better.
 */
#ifndef SCHED_TIMER_H
#define SCHED_TIMER_H

#include "lib/list.h"
#include "types.h"

struct timer {
  uint64 deadline_ns; /* of clock_ns() */
  void (*fire)(struct timer *t);
  struct list link;
  bool armed;
};

/* Call t->fire(t) in interrupt context, no lock held, once clock_ns() has
 * reached the deadline. */
void timer_start(struct timer *t, uint64 deadline_ns);
/* Take it back; it does not run any more when this returns. True if it had not
 * fired. Not from its own fire(), nor with a lock that this takes. Interrupts
 * off. */
bool timer_cancel(struct timer *t);

/* The clock interrupted this CPU: fire what is due, count the tick for
 * preemption, and arm the clock again. Interrupts off. */
void timer_interrupt(void);

/* Arm the clock for whatever comes next on this CPU. Interrupts off. */
void timer_rearm(void);

#endif
