/*
 * Kernel messages: kernel/lib/printf.c. Its snprintf is compared with C's.
 */
/* sources: kernel/lib/printf.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu.h"
#include "lib/panic.h"
#include "lib/printf.h"
#undef snprintf

struct cpu cpus[NCPU];
bool panicked;

static char console[4096];
static size_t console_len;

static void put(int c) { console[console_len++] = c; }

#define SAME(...)                                                   \
  do {                                                              \
    char got[200], want[200];                                       \
    int n = kernel_snprintf(got, sizeof(got), __VA_ARGS__);         \
    assert_int_equal(n, snprintf(want, sizeof(want), __VA_ARGS__)); \
    assert_string_equal(got, want);                                 \
  } while (0)

static void numbers(void **state) {
  (void)state;
  SAME("%d %d %d %u", 0, INT32_MAX, INT32_MIN, UINT32_MAX);
  SAME("%ld %lu %lx", INT64_MIN, UINT64_MAX, UINT64_MAX);
  SAME("%lld %llu", (long long)INT64_MIN, (unsigned long long)UINT64_MAX);
  SAME("%llx %016llx %-20lld|", 1ULL << 63, 0xabcULL, -5LL);
  SAME("%zu %zd", sizeof(int), (ssize_t)-1);
  SAME("%x %5x %05x %-5x|", 0xbeef, 0xbeef, 0xf, 0xf);
  SAME("%5d %05d %-5d|%2d", -42, -42, -42, 12345);
  SAME("%p", (void *)0x1234);
  SAME("%018lx", 0x80000000UL);
}

static void text(void **state) {
  (void)state;
  SAME("%s|%8s|%-8s|%1s", "abc", "abc", "abc", "abc");
  SAME("%c%c %% %3c", 'o', 'k', 'x');
  SAME("no conversion");
}

static void truncation_reports_the_whole_length(void **state) {
  char buf[8];

  (void)state;
  assert_int_equal(kernel_snprintf(buf, sizeof(buf), "%s", "0123456789"), 10);
  assert_string_equal(buf, "0123456");
  assert_int_equal(kernel_snprintf(buf, 1, "x"), 1);
  assert_string_equal(buf, "");
}

/* The compiler would refuse these. */
static void bad_formats_do_no_harm(void **state) {
  const char *bad[] = {"%", "%q|", "%5", "%-", "%ll"};
  const char *volatile nothing = NULL;
  char buf[32];

  (void)state;
  for (size_t i = 0; i < NELEM(bad); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
    kernel_snprintf(buf, sizeof(buf), bad[i]);
#pragma GCC diagnostic pop
    assert_int_equal(buf[0], '%');
  }
  kernel_snprintf(buf, sizeof(buf), "%s", nothing);
  assert_string_equal(buf, "(null)");
}

static void early_text_waits_for_the_console(void **state) {
  (void)state;
  kernel_printf("early %d\n", 1);
  assert_int_equal(console_len, 0);
  printf_set_console(put);
  kernel_printf("late\n");
  assert_string_equal(console, "early 1\r\nlate\r\n");
}

/* Who holds the console can print, and others once it is released. */
static void held_console(void **state) {
  (void)state;
  memset(console, 0, sizeof(console));
  console_len = 0;
  for (int i = 0; i < 2; i++) {
    printf_hold();
    kernel_printf("one ");
    kernel_printf("piece ");
    printf_release();
    kernel_printf("other\n");
  }
  assert_string_equal(console, "one piece other\r\none piece other\r\n");
}

static void comes_out_after_a_panic(void **state) {
  (void)state;
  panicked = true;
  memset(console, 0, sizeof(console));
  console_len = 0;
  kernel_printf("last");
  assert_string_equal(console, "last");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers),
      cmocka_unit_test(text),
      cmocka_unit_test(truncation_reports_the_whole_length),
      cmocka_unit_test(bad_formats_do_no_harm),
      cmocka_unit_test(early_text_waits_for_the_console),
      cmocka_unit_test(held_console),
      cmocka_unit_test(comes_out_after_a_panic),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
