/*
 * Names for addresses, and backtraces: kernel/lib/symbols.c.
 */
/* sources: kernel/lib/symbols.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch_frame.h"
#include "lib/printf.h"
#include "lib/symbols.h"

const struct symbol symbol_table[] = {
    {0x1000, "first"}, {0x1010, "second"}, {0x1020, "third"}};
const uint symbol_count = NELEM(symbol_table);
/* The end of the text, far above: an address in this program. */
char etext[1];

static char printed[4096];

/* The kernel's printf, for what backtrace() prints. */
void printf(const char *fmt, ...) {
  size_t used = strlen(printed);
  va_list ap;

  va_start(ap, fmt);
  vsnprintf(printed + used, sizeof(printed) - used, fmt, ap);
  va_end(ap);
}

static int frames; /* callers left in the chain; -1: no end */

bool frame_caller(vaddr_t *pc, vaddr_t *fp) {
  (void)fp;
  *pc = 0x1025;
  return frames < 0 || frames-- > 0;
}

static void finds_first_last_and_middle(void **state) {
  vaddr_t offset;

  (void)state;
  assert_string_equal(symbol_find(0x1000, &offset), "first");
  assert_int_equal(offset, 0);
  assert_string_equal(symbol_find(0x101f, &offset), "second");
  assert_int_equal(offset, 0xf);
  assert_string_equal(symbol_find(0x1021, &offset), "third");
  assert_int_equal(offset, 1);
}

static void outside_the_text_is_nothing(void **state) {
  vaddr_t offset;

  (void)state;
  assert_null(symbol_find(0xfff, &offset));
  assert_null(symbol_find(0, &offset));
  assert_null(symbol_find((vaddr_t)etext, &offset));
  assert_null(symbol_find(~0UL, &offset));
}

static void backtrace_names_each_frame(void **state) {
  (void)state;
  printed[0] = '\0';
  frames = 1;
  backtrace(0x1004, 0);
  assert_string_equal(printed, "  0x1004 first+0x4\n  0x1025 third+0x5\n");
}

static void backtrace_ends(void **state) {
  (void)state;
  printed[0] = '\0';
  frames = -1;
  backtrace(0, 0);
  assert_true(strlen(printed) < sizeof(printed) - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_first_last_and_middle),
      cmocka_unit_test(outside_the_text_is_nothing),
      cmocka_unit_test(backtrace_names_each_frame),
      cmocka_unit_test(backtrace_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
