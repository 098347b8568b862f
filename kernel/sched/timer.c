/*
 * Timers, and the tick.
 *
 * One list of timers in order of deadline serves all CPUs. The place of a new one
 * is looked for from the end: who sleeps for as long as others comes after them,
 * and thousands of threads may. A CPU arms its clock for its next tick or the
 * first deadline, whichever is sooner; an idle CPU has no tick.
 */
#include "sched/timer.h"

#include "cpu.h"
#include "sched/sched.h"
#include "sync/spinlock.h"

static struct spinlock timer_lock = SPINLOCK("timers");
static struct list timers = LIST_INIT(timers); /* [timer_lock] */
static void *firing[NCPU];     /* [a] by CPU: its timer, or NULL */
static uint64 next_tick[NCPU]; /* this CPU only */

/* Arm this CPU's clock. timer_lock held. */
static void arm_locked(void) {
  uint64 deadline = next_tick[mycpu()->id];

  if (!list_empty(&timers)) {
    struct timer *first = list_entry(timers.next, struct timer, link);

    deadline = MIN(deadline, first->deadline_ns);
  }
  clock_arm(deadline);
}

void timer_rearm(void) {
  acquire(&timer_lock);
  next_tick[mycpu()->id] = sched_next_tick(clock_ns());
  arm_locked();
  release(&timer_lock);
}

void timer_start(struct timer *t, uint64 deadline_ns) {
  struct list *after;

  acquire(&timer_lock);
  t->deadline_ns = deadline_ns;
  t->armed = true;
  after = timers.prev;
  while (after != &timers &&
         list_entry(after, struct timer, link)->deadline_ns > deadline_ns)
    after = after->prev;
  list_insert(&t->link, after, after->next);
  if (timers.next == &t->link)
    arm_locked();
  release(&timer_lock);
}

bool timer_cancel(struct timer *t) {
  bool was_armed;

  acquire(&timer_lock);
  was_armed = t->armed;
  if (was_armed) {
    list_remove(&t->link);
    t->armed = false;
  }
  release(&timer_lock);
  for (int i = 0; i < ncpu; i++)
    spin_while(&firing[i], t); /* from now on it is nobody's */
  return was_armed;
}

/* Fire what is due. timer_lock held; released around each call. */
static void fire_due(uint64 now) {
  int self = mycpu()->id;

  while (!list_empty(&timers)) {
    struct timer *t = list_entry(timers.next, struct timer, link);

    if (t->deadline_ns > now)
      break;
    list_remove(&t->link);
    t->armed = false;
    __atomic_store_n(&firing[self], t, __ATOMIC_RELAXED);
    release(&timer_lock);
    t->fire(t);
    acquire(&timer_lock);
    __atomic_store_n(&firing[self], NULL, __ATOMIC_RELEASE);
  }
}

void timer_interrupt(void) {
  uint64 now = clock_ns();
  uint64 *tick = &next_tick[mycpu()->id];

  acquire(&timer_lock);
  fire_due(now);
  if (*tick <= now) {
    sched_tick();
    *tick = sched_next_tick(now);
  }
  arm_locked();
  release(&timer_lock);
}
