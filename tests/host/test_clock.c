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

#include "arch/x86/timer.c"

#undef printf
static int messages;
void kernel_printf(const char *fmt, ...) {
  (void)fmt;
  messages++;
}

#define ACCESS_NS 700 /* a read or write of a port */

static uint64 real_ns;       /* what time it is in truth */
static uint64 real_hz;       /* of the counter */
static uint64 ends_ns;       /* when the PIT will have counted down */
static uint count;           /* written to it */
static int interrupted;      /* so many more measurements take too long */
static bool broken;          /* the PIT does not count */
static uint64 timer_request; /* last argument of lapic_timer() */

static uint64 rdtsc(void) {
  real_ns += 10;
  return (unsigned __int128)real_ns * real_hz / NSEC_PER_SEC;
}

static uint8 inb(uint16 port) {
  real_ns += broken ? MiB(10) : ACCESS_NS;
  assert_int_equal(port, PORT_B);
  return !broken && real_ns >= ends_ns ? PORT_B_OUT2 : 0;
}

static void outb(uint16 port, uint8 x) {
  real_ns += ACCESS_NS;
  if (port == PIT_CHANNEL2)
    count = count >> 8 | x << 8;
  if (port != PORT_B || !(x & PORT_B_GATE2))
    return;
  ends_ns = real_ns + count * NSEC_PER_SEC / PIT_HZ;
  if (interrupted-- > 0)
    real_ns += rand() % 15000000; /* of which 10 are the measurement */
}

void lapic_timer(uint64 ns) { timer_request = ns; }

static void start(uint64 hz) {
  real_hz = hz;
  messages = 0;
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
    interrupted = 0;
    start(rates[i]);
    check_rate();
    assert_int_equal(messages, 0);
  }
}

static void interruptions_do_not_count(void **state) {
  (void)state;
  srand(1);
  for (int i = 0; i < 100; i++) {
    interrupted = rand() % TRIES; /* at least one is not */
    start(2400000000U);
    check_rate();
  }
}

static void says_if_there_is_no_pit(void **state) {
  (void)state;
  broken = true;
  start(1000000000);
  broken = false;
  assert_int_equal(messages, 1);
  assert_int_equal(clock_hz, HZ_UNKNOWN);
}

static void time_passes(void **state) {
  uint64 began;

  (void)state;
  interrupted = 0;
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
      cmocka_unit_test(interruptions_do_not_count),
      cmocka_unit_test(says_if_there_is_no_pit),
      cmocka_unit_test(time_passes),
      cmocka_unit_test(deadlines_are_from_now),
      cmocka_unit_test(scale_is_exact),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
