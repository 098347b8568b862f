/*
 * The kernel command line: kernel/lib/cmdline.c.
 */
/* sources: kernel/lib/cmdline.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cmdline.h"
#include "lib/printf.h"
#undef vsnprintf

static char printed[8192];
static const char *const none[] = {NULL};

void kernel_printf(const char *fmt, ...) {
  size_t used = strlen(printed);
  va_list ap;

  va_start(ap, fmt);
  vsnprintf(printed + used, sizeof(printed) - used, fmt, ap);
  va_end(ap);
}

char *safestrcpy(char *dst, const char *src, size_t n) {
  size_t len = strnlen(src, n - 1);

  memcpy(dst, src, len);
  dst[len] = 0;
  return dst;
}

static int start(void **state) {
  (void)state;
  printed[0] = 0;
  return 0;
}

static void values_are_found(void **state) {
  (void)state;
  cmdline_init("  panic=exit\tmaxproc=64 ", none);
  assert_string_equal(cmdline_get("panic"), "exit");
  assert_int_equal(cmdline_number("maxproc", 7), 64);
  assert_null(cmdline_get("max"));
  assert_string_equal(printed, "");
}

static void a_machine_has_its_own(void **state) {
  static const char *const own[] = {"pages", "tags", NULL};

  (void)state;
  cmdline_init("tags=off panic=exit pages=large", own);
  assert_string_equal(printed, "");
  assert_string_equal(cmdline_get("tags"), "off");
  cmdline_init("tag=off", own);
  assert_string_equal(printed, "boot: unknown option \"tag=off\"\n");
}

static void a_bare_name_has_an_empty_value(void **state) {
  (void)state;
  cmdline_init("panic", none);
  assert_string_equal(cmdline_get("panic"), "");
}

static void the_last_one_counts(void **state) {
  (void)state;
  cmdline_init("maxproc=1 maxproc=2", none);
  assert_int_equal(cmdline_number("maxproc", 0), 2);
}

static void absent_options_leave_the_default(void **state) {
  (void)state;
  cmdline_init("", none);
  assert_null(cmdline_get("panic"));
  assert_int_equal(cmdline_number("maxproc", 7), 7);
  assert_string_equal(printed, "");
}

static void bad_numbers_are_said(void **state) {
  const char *bad[] = {"maxproc=", "maxproc", "maxproc=6x", "maxproc=-1",
                       "maxproc=99999999999999999999999"};

  (void)state;
  for (size_t i = 0; i < NELEM(bad); i++) {
    printed[0] = 0;
    cmdline_init(bad[i], none);
    assert_int_equal(cmdline_number("maxproc", 7), 7);
    assert_non_null(strstr(printed, "maxproc"));
  }
}

static void unknown_options_are_said(void **state) {
  (void)state;
  cmdline_init("panics=exit panic=exit quiet", none);
  assert_non_null(strstr(printed, "\"panics=exit\""));
  assert_non_null(strstr(printed, "\"quiet\""));
  assert_null(strstr(printed, "\"panic=exit\""));
}

static void too_much_is_cut_off_and_said(void **state) {
  char *text = malloc(5001);

  (void)state;
  for (int i = 0; i < 5000; i++)
    text[i] = i % 2 ? ' ' : 'x';
  text[5000] = 0;
  cmdline_init(text, none);
  assert_non_null(strstr(printed, "cut off"));
  assert_non_null(strstr(printed, "only the first"));
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(values_are_found, start),
      cmocka_unit_test_setup(a_machine_has_its_own, start),
      cmocka_unit_test_setup(a_bare_name_has_an_empty_value, start),
      cmocka_unit_test_setup(the_last_one_counts, start),
      cmocka_unit_test_setup(absent_options_leave_the_default, start),
      cmocka_unit_test_setup(bad_numbers_are_said, start),
      cmocka_unit_test_setup(unknown_options_are_said, start),
      cmocka_unit_test_setup(too_much_is_cut_off_and_said, start),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
