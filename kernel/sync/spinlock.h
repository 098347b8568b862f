/*
 * Spin locks. Held with interrupts off on this CPU, for short stretches, and
 * never while sleeping. Lock order: docs/locks.md.
 */
#ifndef SYNC_SPINLOCK_H
#define SYNC_SPINLOCK_H

#include "cpu.h"
#include "types.h"

struct spinlock {
  uint locked;      /* [a] 1: held */
  struct cpu *cpu;  /* who holds it */
  const char *name; /* for messages */
};

#define SPINLOCK(lockname) \
  { .name = (lockname) }

void initlock(struct spinlock *lk, const char *name);

/* Take the lock, waiting for it. Panics if this CPU holds it already. */
void acquire(struct spinlock *lk);
/* Take the lock if it is free. */
bool acquire_try(struct spinlock *lk);
/* Give it back. Panics if this CPU does not hold it. */
void release(struct spinlock *lk);
/* Does this CPU hold it? Interrupts off. */
bool holding(struct spinlock *lk);

/* Wait until *word is no longer that, which another CPU sees to. What it did before
 * is done. It must not wait for a lock that the caller holds. Interrupts off. */
void spin_while(void *const *word, const void *that);

/* Interrupts off and back to what they were; they nest. */
void push_off(void);
void pop_off(void);

#endif
