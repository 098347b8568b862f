/*
 * Waiting for an event: wait queues, and locks that sleep.
 *
 * A condition is guarded by a spin lock; who waits for it sleeps on a wait
 * queue; who makes it true calls wakeup() while holding that lock. A wakeup
 * touches the threads that wait, not all there are. As with xv6's channels, a
 * sleeper must test its condition again.
 */
#ifndef SCHED_SLEEP_H
#define SCHED_SLEEP_H

#include "lib/list.h"
#include "sync/spinlock.h"

struct waitq {
  struct spinlock lock;
  struct list waiters; /* struct thread.waitlink */
  const char *name;    /* what ps shows in its last column */
};

#define WAITQ(q, qname)                                           \
  {                                                               \
    .lock = SPINLOCK("waitq"), .waiters = LIST_INIT((q).waiters), \
    .name = (qname)                                               \
  }

void waitq_init(struct waitq *q, const char *name);

/* Release lk, sleep until a wakeup, take lk again. Not ended by kill: only for
 * events that are sure to come, such as the end of disk I/O. */
void sleep(struct waitq *q, struct spinlock *lk);

/* The same, for events that may never come. 0, or -EINTR if the process is
 * being killed: the caller must clean up and return. */
int sleep_killable(struct waitq *q, struct spinlock *lk);

/* As sleep_killable, but at the latest until clock_ns() reaches deadline_ns;
 * it then returns 0, too. */
int sleep_until(struct waitq *q, struct spinlock *lk, uint64 deadline_ns);

/* Wake all, or the one that has waited longest. Any context. */
void wakeup(struct waitq *q);
void wakeup_one(struct waitq *q);
/* Wake all; the caller is likely to sleep soon, so that they can run on its
 * CPU. This spares the interrupt to another one. */
void wakeup_here(struct waitq *q);

/* A lock that may be held across sleeping. Not in interrupts. */
struct sleeplock {
  struct spinlock lock; /* guards what follows */
  bool locked;
  struct thread *holder; /* valid while locked */
  struct waitq waiters;
  const char *name;
};

/* One that is free; initsleeplock() is for those that come and go. */
#define SLEEPLOCK(lk, lkname)                                              \
  {                                                                        \
    .lock = SPINLOCK("sleeplock"), .waiters = WAITQ((lk).waiters, lkname), \
    .name = (lkname)                                                       \
  }

void initsleeplock(struct sleeplock *lk, const char *name);
void acquiresleep(struct sleeplock *lk);
void releasesleep(struct sleeplock *lk);

/* A lock that many may share, or one hold alone. Who waits to hold it alone
 * goes before those that come later to share it, so a thread must not take it
 * twice; when he has had it, it is the turn of those who wait to share it by then.
 * So nobody waits for more than one of the other kind that came later. */
struct rwsleeplock {
  struct spinlock lock;  /* guards what follows */
  int sharers;           /* that hold it */
  struct thread *holder; /* that holds it alone, or NULL */
  int waiting;           /* to hold it alone */
  int wanting;           /* to share it */
  int turns;           /* of those: they go before who waits to hold it alone */
  uint phase;          /* how often it was held alone */
  struct waitq shared; /* those that wait to share it */
  struct waitq alone;  /* those that wait to hold it alone */
};

void initrwsleeplock(struct rwsleeplock *lk, const char *name);
void acquire_shared(struct rwsleeplock *lk);
void release_shared(struct rwsleeplock *lk);
void acquire_exclusive(struct rwsleeplock *lk);
void release_exclusive(struct rwsleeplock *lk);
/* Who holds it alone shares it from now on; nobody else had it in between. */
void share_exclusive(struct rwsleeplock *lk);

#endif
