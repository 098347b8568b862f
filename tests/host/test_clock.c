/*
 * A PC's clock: finding out the rate of the CPU's counter by a PIT that the test
 * plays, and the arithmetic that does with 32-bit multiplication what needs 128
 * bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The instructions that the clock uses, played. */
#define X86_H
#include "types.h"

static uint64 rdtsc(void);
static uint8 inb(uint16 port);
static void outb(uint16 port, uint8 x);

#include "arch/x86/calibrate.c"
#include "arch/x86/timer.c"

#undef printf
static int messages;
void kernel_printf(const char *fmt, ...) {
  (void)fmt;
  messages++;
}

static uint64 access_ns = 700; /* a read or write of a port */

static uint64 real_ns;       /* what time it is in truth */
static uint64 real_hz;       /* of the counter */
static uint64 began_ns;      /* when the PIT began to count */
static uint count;           /* written to it */
static uint8 latched[3];     /* of its status and count */
static uint next_latched;    /* of those, to be read */
static bool missing;         /* there is no PIT */
static bool broken;          /* the PIT does not count */
static uint64 timer_request; /* last argument of lapic_timer() */

/* Whatever else the host does comes between two instructions. */
static int steps;       /* that there were */
static int pause_step;  /* at this one, and ... */
static int pause_every; /* ... at each so many after it, 0: never */
static uint64 pause_ns; /* ... so much time passes */

static void step(uint64 ns) {
  real_ns += ns;
  steps++;
  if (steps == pause_step) {
    real_ns += pause_ns;
    pause_step += pause_every;
  }
}

static uint64 rdtsc(void) {
  uint64 now;

  step(10);
  now = (unsigned __int128)real_ns * real_hz / NSEC_PER_SEC;
  step(10);
  return now;
}

static void latch(void) {
  uint64 ticks = broken ? 0 : (real_ns - began_ns) * PIT_HZ / NSEC_PER_SEC;
  uint left = count - ticks;

  latched[0] = ticks >= count ? PIT_STATUS_OUT : 0;
  latched[1] = left & 0xff;
  latched[2] = left >> 8;
  next_latched = 0;
}

static uint8 inb(uint16 port) {
  step(access_ns);
  if (missing)
    return 0xff;
  if (port == PORT_B)
    return 0;
  assert_int_equal(port, PIT_CHANNEL2);
  assert_true(next_latched < NELEM(latched));
  return latched[next_latched++];
}

static void outb(uint16 port, uint8 x) {
  step(access_ns / 2);
  if (port == PIT_CHANNEL2) {
    count = count >> 8 | x << 8;
    began_ns = real_ns;
  } else if (port == PIT_CONTROL && x == PIT_CH2_LATCH) {
    latch();
  }
  step(access_ns / 2);
}

void lapic_timer(uint64 ns) { timer_request = ns; }

static void start(uint64 hz) {
  real_hz = hz;
  messages = 0;
  steps = 0;
  clock_init();
}

/* Right to one in a thousand. */
static void check_rate(void) {
  assert_true(clock_hz > real_hz - real_hz / 1000);
  assert_true(clock_hz < real_hz + real_hz / 1000);
}

static void finds_the_rate(void **state) {
  static const uint64 rates[] = {100000000, 1000000000, 2999999999U,
                                 5800000000U};

  (void)state;
  for (size_t i = 0; i < NELEM(rates); i++) {
    start(rates[i]);
    check_rate();
    assert_int_equal(messages, 0);
  }
}

/* One interruption at any point of the whole, shorter and longer than it. */
static void an_interruption_does_not_count(void **state) {
  static const uint64 long_ns[] = {100000, 4000000, 30000000, 56000000,
                                   110000000};
  int all;

  (void)state;
  start(2400000000U);
  all = steps;
  for (size_t i = 0; i < NELEM(long_ns); i++) {
    for (int at = 1; at <= all; at += at < 300 || at > all - 300 ? 1 : 37) {
      pause_step = at;
      pause_ns = long_ns[i];
      start(2400000000U);
      check_rate();
      assert_int_equal(messages, 0);
    }
  }
  pause_step = 0;
}

/* Interruptions all the time, within every other reading at worst (one takes 9
 * steps). */
static void many_interruptions_do_not_count(void **state) {
  (void)state;
  for (pause_every = 10; pause_every < 300; pause_every++) {
    pause_step = pause_every;
    pause_ns = 6000000;
    start(2400000000U);
    check_rate();
    assert_int_equal(messages, 0);
  }
  pause_every = pause_step = 0;
}

/* A port takes as long as a host may take at worst to look after it. */
static void slow_ports_make_it_less_exact(void **state) {
  (void)state;
  access_ns = 200000;
  start(2400000000U);
  assert_true(clock_hz > real_hz - real_hz / 50);
  assert_true(clock_hz < real_hz + real_hz / 50);
  assert_int_equal(messages, 0);
  access_ns = 3000000;
  start(2400000000U);
  assert_true(clock_hz > real_hz - real_hz / 4);
  assert_true(clock_hz < real_hz + real_hz / 4);
  assert_int_equal(messages, 1); /* and that is said */
  access_ns = 700;
}

static void says_if_there_is_no_pit(void **state) {
  (void)state;
  missing = true;
  start(1000000000);
  missing = false;
  assert_int_equal(messages, 1);
  assert_int_equal(clock_hz, HZ_UNKNOWN);
  broken = true;
  access_ns = 1000000;
  start(1000000000);
  broken = false;
  access_ns = 700;
  assert_int_equal(messages, 1);
  assert_int_equal(clock_hz, HZ_UNKNOWN);
}

static void time_passes(void **state) {
  uint64 began;

  (void)state;
  start(3000000000U);
  assert_true(clock_ns() < 1000);
  began = real_ns;
  clock_delay(1000000);
  assert_true(real_ns - began >= 999000 && real_ns - began < 1001000);
  real_ns += 1000000ULL * NSEC_PER_SEC; /* eleven days */
  assert_true(clock_ns() / NSEC_PER_SEC >= 999000);
  assert_true(clock_ns() / NSEC_PER_SEC <= 1001000);
}

static void deadlines_are_from_now(void **state) {
  (void)state;
  clock_arm(0); /* long past */
  assert_int_equal(timer_request, 0);
  clock_arm(clock_ns() + 5000);
  assert_true(timer_request > 4900 && timer_request <= 5000);
  clock_arm(~0ULL);
  assert_true(timer_request > ~0ULL / 2);
}

static uint64 random64(void) {
  uint64 x = (uint64)rand() << 62 ^ (uint64)rand() << 31 ^ rand();

  return x >> rand() % 64;
}

static void scale_is_exact(void **state) {
  (void)state;
  for (int i = 0; i < 1000000; i++) {
    uint64 x = random64(), factor = random64();
    uint64 want = (unsigned __int128)x * factor >> FRACTION_BITS;

    assert_true(clock_scale(x, factor) == want);
  }
  assert_true(clock_scale(~0ULL, ~0ULL) ==
              (uint64)((unsigned __int128)~0ULL * ~0ULL >> FRACTION_BITS));
  assert_true(clock_factor(1, 2) == 1ULL << 31);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_the_rate),
      cmocka_unit_test(an_interruption_does_not_count),
      cmocka_unit_test(many_interruptions_do_not_count),
      cmocka_unit_test(slow_ports_make_it_less_exact),
      cmocka_unit_test(says_if_there_is_no_pit),
      cmocka_unit_test(time_passes),
      cmocka_unit_test(deadlines_are_from_now),
      cmocka_unit_test(scale_is_exact),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
