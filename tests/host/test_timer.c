/*
 * Timers, kernel/sched/timer.c, on a clock that the test moves.
 */
/* sources: kernel/mm/kalloc.c tests/host/mm_fakes.c */
#include "mm_fakes.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "cpu.h"

static void others_go_on(void); /* while who waits looks away */
#define cpu_relax others_go_on
#include "sched/timer.c"
#include "sync/spinlock.c"

#define TIMERS 50
#define TICK 1000UL /* ns */

static uint64 now, armed_for, ticks;

uint64 clock_ns(void) { return now; }
void clock_arm(uint64 deadline_ns) { armed_for = deadline_ns; }
void sched_tick(void) { ticks++; }
uint64 sched_next_tick(uint64 t) { return t + TICK; }

static struct {
  struct timer timer;
  bool armed;
  uint64 deadline;
  int again; /* times to start it anew when it fires */
  int fired;
} tested[TIMERS];
static uint64 last_deadline;
static int fired;

static void fire(struct timer *t) {
  int i = (int)((char *)t - (char *)tested) / (int)sizeof(tested[0]);

  assert_int_equal(cpus[0].noff, 0); /* no lock is held */
  assert_true(tested[i].armed);
  assert_true(tested[i].deadline <= now);
  assert_true(tested[i].deadline >= last_deadline); /* in order */
  last_deadline = tested[i].deadline;
  tested[i].armed = false;
  tested[i].fired++;
  fired++;
  if (tested[i].again-- > 0) {
    tested[i].armed = true;
    tested[i].deadline = now + 1 + random_below(50);
    timer_start(t, tested[i].deadline);
  }
}

static void interrupt(void) {
  last_deadline = 0;
  timer_interrupt();
  for (int i = 0; i < TIMERS; i++)
    assert_true(!tested[i].armed || tested[i].deadline > now);
}

static uint64 first_deadline(uint64 tick) {
  for (int i = 0; i < TIMERS; i++)
    if (tested[i].armed && tested[i].deadline < tick)
      tick = tested[i].deadline;
  return tick;
}

/* The clock goes to what it was armed for, or beyond, as a real one would. */
static void random_timers(void **state) {
  uint64 next_tick;

  (void)state;
  timer_rearm();
  next_tick = now + TICK;
  for (int step = 0; step < 20000; step++) {
    int i = random_below(TIMERS);

    if (tested[i].armed) {
      if (random_below(3) == 0) {
        assert_true(timer_cancel(&tested[i].timer));
        tested[i].armed = false;
      }
    } else {
      assert_false(timer_cancel(&tested[i].timer));
      tested[i].timer.fire = fire;
      tested[i].deadline = random_below(20) ? now + random_below(3000) : now;
      tested[i].again = random_below(3);
      tested[i].armed = true;
      timer_start(&tested[i].timer, tested[i].deadline);
    }
    assert_true(armed_for <= first_deadline(next_tick)); /* none is late */
    if (random_below(4) == 0) {
      uint64 before = ticks;

      now = MAX(now, armed_for) + random_below(3) * random_below(200);
      interrupt();
      assert_int_equal(ticks - before, next_tick <= now);
      if (next_tick <= now)
        next_tick = now + TICK;
      assert_int_equal(armed_for, first_deadline(next_tick));
    }
  }
  assert_true(fired > 1000);
  for (int i = 0; i < TIMERS; i++)
    if (tested[i].armed)
      assert_true(timer_cancel(&tested[i].timer));
}

static void equal_deadlines_fire_in_order_of_starting(void **state) {
  (void)state;
  fired = 0;
  for (int i = 0; i < 3; i++) {
    tested[i].armed = true;
    tested[i].again = tested[i].fired = 0;
    tested[i].deadline = now + 10;
    tested[i].timer.fire = fire;
    timer_start(&tested[i].timer, now + 10);
  }
  assert_true(tested[0].timer.link.next == &tested[1].timer.link);
  assert_true(tested[1].timer.link.next == &tested[2].timer.link);
  now += 9;
  interrupt();
  assert_int_equal(fired, 0);
  now += 1;
  interrupt();
  assert_int_equal(fired, 3);
}

/* However many threads sleep for the same time, each is put behind them at once:
 * the timers before the last are not looked at, and cannot be here. */
static void a_last_deadline_is_placed_without_a_search(void **state) {
  struct timer *first = mmap(NULL, PGSIZE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct timer second = {.fire = fire}, last = {.fire = fire};

  (void)state;
  assert_true(first != MAP_FAILED);
  timer_start(first, now + 10);
  timer_start(&second, now + 20);
  assert_int_equal(mprotect(first, PGSIZE, PROT_NONE), 0);
  timer_start(&last, now + 30);
  assert_int_equal(mprotect(first, PGSIZE, PROT_READ | PROT_WRITE), 0);
  assert_true(first->link.next == &second.link);
  assert_true(second.link.next == &last.link);
  assert_true(timer_cancel(first));
  assert_true(timer_cancel(&second));
  assert_true(timer_cancel(&last));
  munmap(first, PGSIZE);
}

/* --- a timer that fires on another CPU meanwhile --- */

static pthread_t other;
static sem_t begun, go_on;
static bool fires, ended;

static void fire_slowly(struct timer *t) {
  (void)t;
  sem_post(&begun);
  sem_wait(&go_on);
  ended = true;
}

static void *interrupted(void *unused) {
  timer_interrupt();
  return unused;
}

/* The other CPU comes to the end of its interrupt. */
static void others_go_on(void) {
  if (!fires)
    return;
  sem_post(&go_on);
  pthread_join(other, NULL);
  fires = false;
}

/* Who cancels a timer may free it: it must not be in use any more. */
static void cancelling_waits_for_what_fires(void **state) {
  struct timer t = {.fire = fire_slowly};

  (void)state;
  sem_init(&begun, 0, 0);
  sem_init(&go_on, 0, 0);
  timer_start(&t, now);
  fires = true;
  assert_int_equal(pthread_create(&other, NULL, interrupted, NULL), 0);
  sem_wait(&begun);
  assert_false(timer_cancel(&t)); /* too late to stop it */
  assert_true(ended);
}

static int start(void **state) {
  (void)state;
  ram_start(64);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_timers),
      cmocka_unit_test(equal_deadlines_fire_in_order_of_starting),
      cmocka_unit_test(a_last_deadline_is_placed_without_a_search),
      cmocka_unit_test(cancelling_waits_for_what_fires),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
