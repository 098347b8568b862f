/*
 * Wait queues and sleep locks.
 *
 * No wakeup is lost: the sleeper enters the queue and marks itself asleep
 * before it releases the caller's lock, and holds its own lock until it is off
 * the CPU; whoever wakes it needs that lock. A sleeper that kill or a timeout
 * woke is still in the queue and takes itself out.
 *
 * Lock order: the caller's lock, wait queue, thread, run queue.
 */
#include "sched/sleep.h"

#include "debug.h"
#include "lib/panic.h"
#include "sched/sched.h"
#include "sched/timer.h"

void waitq_init(struct waitq *q, const char *name) {
  initlock(&q->lock, "waitq");
  list_init(&q->waiters);
  q->name = name;
}

/* Leave the queue if a wakeup has not removed us. */
static void leave(struct waitq *q, struct thread *t) {
  acquire(&q->lock);
  list_remove(&t->waitlink);
  release(&q->lock);
}

static int sleep_on(struct waitq *q, struct spinlock *lk, bool killable) {
  struct thread *t = mythread();

  debug_may_sleep(lk, q->name, DEBUG_CALLER);
  acquire(&q->lock);
  acquire(&t->lock);
  if (t->alarm || (killable && killed())) {
    release(&t->lock);
    release(&q->lock);
    return t->alarm ? 0 : -EINTR;
  }
  list_add_back(&q->waiters, &t->waitlink);
  t->state = T_SLEEPING;
  t->killable = killable;
  t->waitq = q;
  release(&q->lock);
  release(lk);
  sched_locked();
  t->waitq = NULL;
  if (!list_empty(&t->waitlink))
    leave(q, t);
  acquire(lk);
  return killable && killed() ? -EINTR : 0;
}

void sleep(struct waitq *q, struct spinlock *lk) { sleep_on(q, lk, false); }

int sleep_killable(struct waitq *q, struct spinlock *lk) {
  return sleep_on(q, lk, true);
}

/* A timer that wakes a thread. */
struct alarm {
  struct timer timer;
  struct thread *thread;
};

static void alarm_fire(struct timer *timer) {
  struct thread *t = container_of(timer, struct alarm, timer)->thread;

  acquire(&t->lock);
  t->alarm = true; /* seen by a thread that is only about to sleep */
  if (t->state == T_SLEEPING)
    sched_ready_locked(t);
  release(&t->lock);
}

int sleep_until(struct waitq *q, struct spinlock *lk, uint64 deadline_ns) {
  struct alarm a = {.timer = {.fire = alarm_fire}, .thread = mythread()};
  int r;

  timer_start(&a.timer, deadline_ns);
  r = sleep_on(q, lk, true);
  timer_cancel(&a.timer);
  a.thread->alarm = false;
  return r;
}

/* Make a waiter ready, with `here` preferably on this CPU. False if it was
 * awake already: kill or the time was first. */
static bool wake(struct list *waitlink, bool here) {
  struct thread *t = list_entry(waitlink, struct thread, waitlink);
  bool asleep;

  acquire(&t->lock);
  asleep = t->state == T_SLEEPING;
  if (asleep && here)
    sched_ready_here_locked(t);
  else if (asleep)
    sched_ready_locked(t);
  release(&t->lock);
  return asleep;
}

static void wake_all(struct waitq *q, bool here) {
  struct list *l;

  acquire(&q->lock);
  while ((l = list_pop(&q->waiters)) != NULL)
    wake(l, here);
  release(&q->lock);
}

void wakeup(struct waitq *q) { wake_all(q, false); }

void wakeup_here(struct waitq *q) { wake_all(q, true); }

void wakeup_one(struct waitq *q) {
  struct list *l;

  acquire(&q->lock);
  do {
    l = list_pop(&q->waiters);
  } while (l != NULL && !wake(l, false));
  release(&q->lock);
}

void initsleeplock(struct sleeplock *lk, const char *name) {
  *lk = (struct sleeplock){.name = name};
  initlock(&lk->lock, "sleeplock");
  waitq_init(&lk->waiters, name);
}

void acquiresleep(struct sleeplock *lk) {
  debug_sleep_wait(lk, lk->name, DEBUG_CALLER);
  acquire(&lk->lock);
  if (lk->locked && lk->holder == mythread())
    panic("acquiresleep: this thread already holds lock %s", lk->name);
  while (lk->locked)
    sleep(&lk->waiters, &lk->lock);
  lk->locked = true;
  lk->holder = mythread();
  debug_sleep_taken(lk, lk->name);
  release(&lk->lock);
}

void releasesleep(struct sleeplock *lk) {
  acquire(&lk->lock);
  if (!lk->locked || lk->holder != mythread())
    panic("releasesleep: this thread does not hold lock %s", lk->name);
  debug_sleep_released(lk);
  lk->locked = false;
  lk->holder = NULL;
  if (!list_empty(&lk->waiters.waiters))
    wakeup_one(&lk->waiters);
  release(&lk->lock);
}

void initrwsleeplock(struct rwsleeplock *lk, const char *name) {
  *lk = (struct rwsleeplock){.sharers = 0};
  initlock(&lk->lock, "rwsleeplock");
  waitq_init(&lk->shared, name);
  waitq_init(&lk->alone, name);
}

/* Most holders are through soon, and if both sleep and wakeup come to nothing a
 * CPU is spared two interrupts: look so many times first. It is about what a page
 * fault takes that clears many pages. */
#define LOOKS 2000

/* Must who wants to share it since a phase, or (NULL) to hold it alone, wait? */
static bool taken(const struct rwsleeplock *lk, const uint *since) {
  if (__atomic_load_n(&lk->holder, __ATOMIC_RELAXED) != NULL)
    return true;
  if (since == NULL)
    return __atomic_load_n(&lk->sharers, __ATOMIC_RELAXED) > 0 ||
           __atomic_load_n(&lk->turns, __ATOMIC_RELAXED) > 0;
  return __atomic_load_n(&lk->waiting, __ATOMIC_RELAXED) > 0 &&
         __atomic_load_n(&lk->phase, __ATOMIC_RELAXED) == *since;
}

/* False: it was taken all the time. */
static bool look(const struct rwsleeplock *lk, const uint *since) {
  /* nobody lets go of it while the only CPU looks */
  for (int i = ncpu > 1 ? LOOKS : 0; i > 0; i--) {
    if (!taken(lk, since))
      return true;
    cpu_relax();
  }
  return false;
}

/* Wait until it is not taken. lk->lock held, but for the wait. */
static void wait_turn(struct rwsleeplock *lk, const uint *since) {
  while (taken(lk, since)) {
    bool seen;

    release(&lk->lock);
    seen = look(lk, since);
    acquire(&lk->lock);
    if (!seen && taken(lk, since))
      sleep(since != NULL ? &lk->shared : &lk->alone, &lk->lock);
  }
}

void acquire_shared(struct rwsleeplock *lk) {
  uint since;

  debug_sleep_wait(lk, lk->shared.name, DEBUG_CALLER);
  acquire(&lk->lock);
  if (lk->holder == mythread())
    panic("acquire_shared: this thread holds %s alone", lk->shared.name);
  since = lk->phase;
  lk->wanting++;
  wait_turn(lk, &since);
  lk->wanting--;
  if (lk->phase != since)
    lk->turns--;
  lk->sharers++;
  debug_sleep_taken(lk, lk->shared.name);
  release(&lk->lock);
}

/* Nobody holds it alone any more: now it is the turn of all who wait to share it.
 * lk->lock held. */
static void end_phase_locked(struct rwsleeplock *lk) {
  lk->holder = NULL;
  lk->phase++;
  lk->turns = lk->wanting;
  if (lk->turns > 0)
    wakeup(&lk->shared);
  else if (lk->waiting > 0 && lk->sharers == 0)
    wakeup_one(&lk->alone);
}

void release_shared(struct rwsleeplock *lk) {
  acquire(&lk->lock);
  if (lk->sharers <= 0)
    panic("release_shared: nobody shares %s", lk->shared.name);
  debug_sleep_released(lk);
  if (--lk->sharers == 0 && lk->turns == 0 && lk->waiting > 0)
    wakeup_one(&lk->alone);
  release(&lk->lock);
}

void acquire_exclusive(struct rwsleeplock *lk) {
  debug_sleep_wait(lk, lk->alone.name, DEBUG_CALLER);
  if (lk->holder == mythread())
    panic("acquire_exclusive: this thread already holds %s", lk->alone.name);
  acquire(&lk->lock);
  lk->waiting++;
  wait_turn(lk, NULL);
  lk->waiting--;
  lk->holder = mythread();
  debug_sleep_taken(lk, lk->alone.name);
  release(&lk->lock);
}

void release_exclusive(struct rwsleeplock *lk) {
  acquire(&lk->lock);
  if (lk->holder != mythread())
    panic("release_exclusive: this thread does not hold %s", lk->alone.name);
  debug_sleep_released(lk);
  end_phase_locked(lk);
  release(&lk->lock);
}

void share_exclusive(struct rwsleeplock *lk) {
  acquire(&lk->lock);
  if (lk->holder != mythread())
    panic("share_exclusive: this thread does not hold %s", lk->alone.name);
  lk->sharers++;
  end_phase_locked(lk);
  release(&lk->lock);
}
