/*
 * Wait queues and sleep locks, kernel/sched/sleep.c, with threads of which one
 * runs at a time: before each spin lock is taken and after it is given back
 * another one may go on, as if each had a CPU of its own. Who it is says a
 * generator of random numbers, so what happened happens again.
 *
 * A thread that nobody wakes any more is a failure, found when all sleep.
 */
/* sources: kernel/sched/sleep.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define sleep libc_sleep /* the kernel has a function of that name */
#include <unistd.h>
#undef sleep

#include <cmocka.h>

#include "cpu.h"
#include "lib/panic.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/timer.h"

#define THREADS 4
#define ROUNDS 200 /* of each test, which are all different */
#define TIMES 20   /* that a thread does what it does */

struct cpu cpus[NCPU];
int ncpu = 1; /* so that nobody looks for long before he sleeps */

static struct {
  struct thread thread;
  void (*body)(int i);
  pthread_t host;
  pthread_cond_t turn;
  bool interrupted; /* between two steps; others go on meanwhile */
} threads[THREADS];

static pthread_mutex_t baton = PTHREAD_MUTEX_INITIALIZER; /* who runs has it */
static pthread_cond_t all_done = PTHREAD_COND_INITIALIZER;
static int running, ndone;
static uint64 random_state;

static _Noreturn void wrong(const char *what, int line) {
  fprintf(stderr, "%s:%d: thread %d: %s\n", __FILE__, line, running, what);
  abort();
}
#define MUST(cond) ((cond) ? (void)0 : wrong(#cond " is false", __LINE__))

void panic(const char *fmt, ...) { wrong(fmt, 0); }

/* xorshift64, Marsaglia, "Xorshift RNGs", 2003. */
static uint random_below(uint n) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (random_state >> 8) % n;
}

/* --- the scheduler --- */

struct thread *mythread(void) {
  return &threads[running].thread;
}

/* Another thread that can go on, or -1. */
static int another(void) {
  uint first = random_below(THREADS);

  for (uint n = 0; n < THREADS; n++) {
    int i = (first + n) % THREADS;

    if (i != running &&
        (threads[i].interrupted || threads[i].thread.state == T_RUNNABLE))
      return i;
  }
  return -1;
}

static void start_turn(int i) {
  if (!threads[i].interrupted)
    threads[i].thread.state = T_RUNNING;
  threads[i].interrupted = false;
  running = i;
  pthread_cond_signal(&threads[i].turn);
}

static void wait_turn_of(int i) {
  while (running != i)
    pthread_cond_wait(&threads[i].turn, &baton);
}

/* Let another one run, if there is one. */
static bool step(void) {
  int self = running, next = another();

  if (next < 0)
    return false;
  threads[self].interrupted = true;
  start_turn(next);
  wait_turn_of(self);
  return true;
}

static void maybe_step(void) {
  if (random_below(3) == 0)
    step();
}

void initlock(struct spinlock *lk, const char *name) {
  *lk = (struct spinlock){.name = name};
}

void acquire(struct spinlock *lk) {
  maybe_step();
  while (lk->locked)
    if (!step())
      wrong("it waits for a spin lock for ever", __LINE__);
  lk->locked = true;
}

void release(struct spinlock *lk) {
  MUST(lk->locked);
  lk->locked = false;
  maybe_step();
}

/* This thread's lock is held, and its state says what becomes of it. */
void sched_locked(void) {
  int self = running, next;

  MUST(mythread()->lock.locked && mythread()->state != T_RUNNING);
  mythread()->lock.locked = false;
  next = mythread()->state == T_RUNNABLE ? self : another();
  if (next < 0)
    wrong("all sleep", __LINE__);
  start_turn(next);
  wait_turn_of(self);
}

void sched_ready_locked(struct thread *t) {
  MUST(t->lock.locked && t->state == T_SLEEPING);
  t->state = T_RUNNABLE;
}

void sched_ready_here_locked(struct thread *t) { sched_ready_locked(t); }

/* As thread_kill() does. */
static void kill_thread(int i) {
  struct thread *t = &threads[i].thread;

  t->killed = true;
  acquire(&t->lock);
  if (t->state == T_SLEEPING && t->killable)
    sched_ready_locked(t);
  release(&t->lock);
}

/* The only timer. */
static struct timer *timer;

void timer_start(struct timer *t, uint64 deadline_ns) {
  t->deadline_ns = deadline_ns;
  timer = t;
}

bool timer_cancel(struct timer *t) {
  bool early = timer == t;

  timer = NULL;
  return early;
}

static void *run_thread(void *arg) {
  int self = (int)(uintptr_t)arg, next;

  pthread_mutex_lock(&baton);
  wait_turn_of(self);
  threads[self].body(self);
  threads[self].thread.state = T_DEAD;
  next = another();
  if (++ndone == THREADS)
    pthread_cond_signal(&all_done);
  else if (next < 0)
    wrong("the others sleep", __LINE__);
  else
    start_turn(next);
  pthread_mutex_unlock(&baton);
  return NULL;
}

static void nothing(int i) { (void)i; }

/* What each thread does; those for which nothing is said end at once. */
#define BODIES(...) ((void (*const[THREADS])(int)){__VA_ARGS__})

/* Run the threads to their ends. */
static void run(void (*const bodies[THREADS])(int)) {
  pthread_mutex_lock(&baton);
  running = -1;
  ndone = 0;
  for (int i = 0; i < THREADS; i++) {
    threads[i].thread = (struct thread){.state = T_RUNNABLE, .tid = i};
    list_init(&threads[i].thread.waitlink);
    threads[i].body = bodies[i] != NULL ? bodies[i] : nothing;
    threads[i].interrupted = false;
    pthread_cond_init(&threads[i].turn, NULL);
    pthread_create(&threads[i].host, NULL, run_thread, (void *)(uintptr_t)i);
  }
  start_turn(another());
  while (ndone < THREADS)
    pthread_cond_wait(&all_done, &baton);
  pthread_mutex_unlock(&baton);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i].host, NULL);
}

static struct spinlock lk;
static struct waitq q, other;

/* Many rounds, each with everything anew. */
static void rounds(void (*const bodies[THREADS])(int), void (*reset)(void)) {
  random_state = 88172645463325252UL;
  for (int i = 0; i < ROUNDS; i++) {
    initlock(&lk, "test");
    waitq_init(&q, "test");
    waitq_init(&other, "test");
    if (reset != NULL)
      reset();
    run(bodies);
    assert_true(list_empty(&q.waiters) && list_empty(&other.waiters));
    assert_false(lk.locked);
  }
}

static uint waiting(const struct waitq *w) {
  uint n = 0;

  list_for_each (l, &w->waiters)
    n++;
  return n;
}

/* --- wait queues --- */

static int turn;

static void reset_turn(void) { turn = 0; }

static void in_turns(int i) {
  for (int n = 0; n < TIMES; n++) {
    acquire(&lk);
    while (turn != i)
      sleep(&q, &lk);
    turn = (i + 1) % THREADS;
    if (n % 2)
      wakeup(&q);
    else
      wakeup_here(&q);
    release(&lk);
  }
}

static void no_wakeup_is_lost(void **state) {
  (void)state;
  rounds(BODIES(in_turns, in_turns, in_turns, in_turns), reset_turn);
}

static bool event;

static void reset_event(void) { event = false; }

static void sleeps_until_killed(int i) {
  (void)i;
  acquire(&lk);
  MUST(sleep_killable(&q, &lk) == -EINTR);
  MUST(lk.locked);
  MUST(sleep_killable(&q, &lk) == -EINTR); /* and does not begin again */
  release(&lk);
}

static void sleeps_although_killed(int i) {
  (void)i;
  acquire(&lk);
  while (!event)
    sleep(&other, &lk);
  release(&lk);
}

static void kills(int i) {
  (void)i;
  kill_thread(0);
  kill_thread(1);
  acquire(&lk);
  event = true;
  wakeup(&other);
  release(&lk);
}

static void kill_ends_a_sleep_that_may_end(void **state) {
  (void)state;
  rounds(BODIES(sleeps_until_killed, sleeps_although_killed, kills),
         reset_event);
}

static void sleeps_until_woken(int i) {
  (void)i;
  acquire(&lk);
  MUST(sleep_killable(&q, &lk) == 0);
  release(&lk);
}

/* One of two is on its way, though still in the queue. */
static void kills_one_wakes_the_other(int i) {
  (void)i;
  while (waiting(&q) < 2)
    step();
  kill_thread(0);
  acquire(&lk);
  wakeup_one(&q);
  release(&lk);
}

static void wakeup_one_finds_one_that_sleeps(void **state) {
  (void)state;
  rounds(BODIES(sleeps_until_killed, sleeps_until_woken,
                kills_one_wakes_the_other),
         NULL);
}

static void sleeps_until_its_time(int i) {
  (void)i;
  acquire(&lk);
  MUST(sleep_until(&q, &lk, 4711) == 0);
  MUST(!mythread()->alarm && timer == NULL);
  release(&lk);
}

static void is_the_clock(int i) {
  (void)i;
  while (timer == NULL)
    step();
  MUST(timer->deadline_ns == 4711);
  timer->fire(timer);
}

static void the_time_ends_a_sleep(void **state) {
  (void)state;
  rounds(BODIES(sleeps_until_its_time, is_the_clock), NULL);
}

/* --- locks --- */

static struct sleeplock lock;
static struct rwsleeplock rwlock;
static int sharing, alone;

static void reset_locks(void) {
  initsleeplock(&lock, "test");
  initrwsleeplock(&rwlock, "test");
  sharing = alone = 0;
}

static void locks(int i) {
  (void)i;
  for (int n = 0; n < TIMES; n++) {
    acquiresleep(&lock);
    MUST(alone++ == 0);
    maybe_step();
    alone--;
    releasesleep(&lock);
  }
}

static void a_sleep_lock_has_one_holder(void **state) {
  (void)state;
  rounds(BODIES(locks, locks, locks, locks), reset_locks);
}

static void share(void) {
  acquire_shared(&rwlock);
  sharing++;
  MUST(alone == 0);
  maybe_step();
  sharing--;
  release_shared(&rwlock);
}

static void have_alone(bool share_then) {
  acquire_exclusive(&rwlock);
  MUST(alone++ == 0 && sharing == 0);
  maybe_step();
  MUST(sharing == 0);
  alone--;
  if (share_then) {
    sharing++;
    share_exclusive(&rwlock);
    maybe_step();
    MUST(alone == 0);
    sharing--;
    release_shared(&rwlock);
  } else {
    release_exclusive(&rwlock);
  }
}

static void shares_or_has_alone(int i) {
  (void)i;
  for (int n = 0; n < TIMES; n++) {
    if (random_below(2))
      share();
    else
      have_alone(random_below(2));
  }
}

static void alone_is_alone(void **state) {
  (void)state;
  rounds(BODIES(shares_or_has_alone, shares_or_has_alone, shares_or_has_alone,
                shares_or_has_alone),
         reset_locks);
}

static int first; /* to have the lock after thread 0; -1: nobody had it yet */
static bool late; /* thread 2 wants to share it */

static void reset_order(void) {
  reset_locks();
  first = -1;
  late = false;
}

static void holds_until_both_wait(int i) {
  (void)i;
  acquire_shared(&rwlock);
  while (!late)
    step();
  for (int n = 0; n < TIMES; n++)
    step();
  MUST(first < 0);
  release_shared(&rwlock);
}

static void wants_it_alone(int i) {
  while (rwlock.sharers == 0)
    step();
  acquire_exclusive(&rwlock);
  first = first < 0 ? i : first;
  release_exclusive(&rwlock);
}

static void wants_to_share_late(int i) {
  while (rwlock.waiting == 0)
    step();
  late = true;
  acquire_shared(&rwlock);
  first = first < 0 ? i : first;
  release_shared(&rwlock);
}

static void who_wants_it_alone_goes_before_later_ones(void **state) {
  (void)state;
  rounds(BODIES(holds_until_both_wait, wants_it_alone, wants_to_share_late),
         reset_order);
  assert_int_equal(first, 1);
}

static int went_before; /* had it alone while thread 2 waited to share it */
static bool enough;

static void reset_starving(void) {
  reset_locks();
  went_before = 0;
  enough = false;
}

static void has_it_alone_again_and_again(int i) {
  (void)i;
  while (!enough) {
    acquire_exclusive(&rwlock);
    went_before += rwlock.wanting > 0;
    MUST(went_before <= 1);
    maybe_step();
    release_exclusive(&rwlock);
  }
}

static void shares_beside(int i) {
  (void)i;
  for (int n = 0; n < TIMES; n++) {
    acquire_shared(&rwlock);
    went_before = 0;
    release_shared(&rwlock);
  }
  enough = true;
}

static void who_wants_to_share_it_does_not_starve(void **state) {
  (void)state;
  rounds(BODIES(has_it_alone_again_and_again, has_it_alone_again_and_again,
                shares_beside, has_it_alone_again_and_again),
         reset_starving);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_wakeup_is_lost),
      cmocka_unit_test(kill_ends_a_sleep_that_may_end),
      cmocka_unit_test(wakeup_one_finds_one_that_sleeps),
      cmocka_unit_test(the_time_ends_a_sleep),
      cmocka_unit_test(a_sleep_lock_has_one_holder),
      cmocka_unit_test(alone_is_alone),
      cmocka_unit_test(who_wants_it_alone_goes_before_later_ones),
      cmocka_unit_test(who_wants_to_share_it_does_not_starve),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
