/*
 * Timers, kernel/sched/timer.c, on a clock that the test moves.
 */
/* sources: kernel/sched/timer.c kernel/sync/spinlock.c kernel/mm/kalloc.c tests/host/mm_fakes.c */
#include "mm_fakes.h"

#include "cpu.h"
#include "sched/sched.h"
#include "sched/timer.h"

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
} timers[TIMERS];
static uint64 last_deadline;
static int fired;

static void fire(struct timer *t) {
  int i = (int)((char *)t - (char *)timers) / (int)sizeof(timers[0]);

  assert_int_equal(cpus[0].noff, 0); /* no lock is held */
  assert_true(timers[i].armed);
  assert_true(timers[i].deadline <= now);
  assert_true(timers[i].deadline >= last_deadline); /* in order */
  last_deadline = timers[i].deadline;
  timers[i].armed = false;
  timers[i].fired++;
  fired++;
  if (timers[i].again-- > 0) {
    timers[i].armed = true;
    timers[i].deadline = now + 1 + random_below(50);
    timer_start(t, timers[i].deadline);
  }
}

static void interrupt(void) {
  last_deadline = 0;
  timer_interrupt();
  for (int i = 0; i < TIMERS; i++)
    assert_true(!timers[i].armed || timers[i].deadline > now);
}

static uint64 first_deadline(uint64 tick) {
  for (int i = 0; i < TIMERS; i++)
    if (timers[i].armed && timers[i].deadline < tick)
      tick = timers[i].deadline;
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

    if (timers[i].armed) {
      if (random_below(3) == 0) {
        assert_true(timer_cancel(&timers[i].timer));
        timers[i].armed = false;
      }
    } else {
      assert_false(timer_cancel(&timers[i].timer));
      timers[i].timer.fire = fire;
      timers[i].deadline = random_below(20) ? now + random_below(3000) : now;
      timers[i].again = random_below(3);
      timers[i].armed = true;
      timer_start(&timers[i].timer, timers[i].deadline);
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
    if (timers[i].armed)
      assert_true(timer_cancel(&timers[i].timer));
}

static void equal_deadlines_fire_in_order_of_starting(void **state) {
  (void)state;
  fired = 0;
  for (int i = 0; i < 3; i++) {
    timers[i].armed = true;
    timers[i].again = timers[i].fired = 0;
    timers[i].deadline = now + 10;
    timers[i].timer.fire = fire;
    timer_start(&timers[i].timer, now + 10);
  }
  assert_true(timers[0].timer.link.next == &timers[1].timer.link);
  assert_true(timers[1].timer.link.next == &timers[2].timer.link);
  now += 9;
  interrupt();
  assert_int_equal(fired, 0);
  now += 1;
  interrupt();
  assert_int_equal(fired, 3);
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
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
