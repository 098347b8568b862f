/*
 * The user library's own work: formatting, strings, malloc, options, lines.
 * Its functions get other names here, as this computer's library has them too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int host_strcmp(const char *a, const char *b) { return strcmp(a, b); }
static void *host_memset(void *p, int c, size_t n) { return memset(p, c, n); }

#define exit user_exit
#define fork user_fork
#define pipe user_pipe
#define read user_read
#define write user_write
#define kill user_kill
#define dup user_dup
#define dup2 user_dup2
#define getpid user_getpid
#define getppid user_getppid
#define chdir user_chdir
#define close user_close
#define link user_link
#define unlink user_unlink
#define pause user_pause
#define sleep user_sleep
#define lseek user_lseek
#define ftruncate user_ftruncate
#define setpgid user_setpgid
#define sync user_sync
#define sbrk user_sbrk
#define getcwd user_getcwd
#define getopt user_getopt
#define optarg user_optarg
#define optind user_optind
#define malloc user_malloc
#define free user_free
#define calloc user_calloc
#define realloc user_realloc
#define atoi user_atoi
#define strcpy user_strcpy
#define strcmp user_strcmp
#define strncmp user_strncmp
#define strchr user_strchr
#define strrchr user_strrchr
#define strlen user_strlen
#define strdup user_strdup
#define strerror user_strerror
#define memset user_memset
#define memcpy user_memcpy
#define memmove user_memmove
#define memcmp user_memcmp
#define printf user_printf
#define fprintf user_fprintf
#define snprintf user_snprintf
#define vsnprintf user_vsnprintf

#include "../../user/lib/digits.c"
#include "../../user/lib/error.c"
#include "../../user/lib/getopt.c"
#include "../../user/lib/io.c"
#include "../../user/lib/printf.c"
#include "../../user/lib/string.c"
#define size heap_size /* a type there, a field's name elsewhere */
#include "../../user/lib/umalloc.c"
#undef size

/* ---- a kernel of sorts ---- */

const char *progname = "prog";

static char written[8192];
static int writes, written_length;

/* There are no other threads. */
void library_lock_wait(uint *state) { fail_msg("lock is %u", *state); }
void library_lock_wake(uint *state) { fail_msg("lock is %u", *state); }

int user_write(int fd, const void *buf, int n) {
  (void)fd;
  writes++;
  assert_true(written_length + n < (int)sizeof(written));
  memmove(written + written_length, buf, n);
  written_length += n;
  written[written_length] = 0;
  return n;
}

static const char *input; /* what read() gives, `portion` bytes at a time */
static int portion;

int user_read(int fd, void *buf, int n) {
  int left = strlen(input);

  (void)fd;
  if (n > portion)
    n = portion;
  if (n > left)
    n = left;
  memmove(buf, input, n);
  input += n;
  return n;
}

int user_close(int fd) {
  (void)fd;
  return 0;
}

int user_exit(int status) {
  (void)status;
  abort();
}

int lasterr(void) { return ENOENT; }

#define HEAP (8 << 20)
static char heap[HEAP] __attribute__((aligned(4096)));
static int heap_used, heap_limit = HEAP;

char *user_sbrk(int n) {
  char *p = heap + heap_used;

  if (n < 0 || heap_used + n > heap_limit)
    return SBRK_ERROR;
  heap_used += n;
  return p;
}

/* ---- formatting ---- */

static void expect_format(const char *expected, const char *fmt, ...) {
  char buf[256];
  va_list ap;
  int n;

  va_start(ap, fmt);
  n = vsnprintf(buf, sizeof(buf), fmt, ap);
  va_end(ap);
  assert_int_equal(host_strcmp(buf, expected), 0);
  assert_int_equal(n, strlen(expected));
}

static void formats_numbers(void **state) {
  (void)state;
  expect_format("-5 7 ff FF", "%d %u %x %X", -5, 7u, 255, 255);
  expect_format("-2147483648", "%d", -2147483647 - 1);
  expect_format("-9223372036854775808", "%ld", -9223372036854775807L - 1);
  expect_format("18446744073709551615 ffffffffffffffff", "%llu %lx", ~0ULL,
                ~0UL);
  expect_format("0x000000008000abcd", "%p", (void *)0x8000abcd);
}

static void pads_and_cuts(void **state) {
  (void)state;
  expect_format("[   42|42   |00042|-0042]", "[%5d|%-5d|%05d|%05d]", 42, 42, 42,
                -42);
  expect_format("[  ab|ab  |ab|  x]", "[%4s|%-4s|%.2s|%3c]", "ab", "ab", "abc",
                'x');
  expect_format("[   7|7   ]", "[%*d|%*d]", 4, 7, -4, 7);
}

static void survives_odd_formats(void **state) {
  (void)state;
  expect_format("(null) 100%", "%s 100%%", (char *)0);
  expect_format("%q %", "%q %");
  expect_format("12345678901 [-2]", "%l [%l]", 12345678901L, -2L);
  expect_format("", "");
}

static void snprintf_keeps_to_its_buffer(void **state) {
  char buf[5] = "....";

  (void)state;
  assert_int_equal(snprintf(buf, 4, "%d", 12345), 5);
  assert_int_equal(host_strcmp(buf, "123"), 0);
  assert_int_equal(snprintf(buf, 0, "x"), 1);
  assert_int_equal(buf[0], '1');
}

static void printf_writes_once(void **state) {
  (void)state;
  writes = written_length = 0;
  printf("%s %d %s\n", "one", 2, "three");
  assert_int_equal(writes, 1);
  assert_int_equal(host_strcmp(written, "one 2 three\n"), 0);
  writes = written_length = 0;
  printf("%3000s\n", "x");
  assert_int_equal(written_length, 3001);
  assert_int_equal(writes, 3);
}

/* Arguments in 64 bits each, of which the conversion says how many count. */
static void wide_arguments_are_cut(void **state) {
  static const long long args[] = {
      0x1234567890LL, -1, 0x1234567890LL, 5, (long)"text",
      0x1234567841LL, -3, 0xabcd};

  (void)state;
  written_length = 0;
  printf_wide(1, "%lx %x %d %*s %c %l %p\n", args);
  assert_int_equal(host_strcmp(written,
                               "1234567890 ffffffff 878082192  text A -3 "
                               "0x000000000000abcd\n"),
                   0);
}

static void warn_gives_the_reason(void **state) {
  (void)state;
  written_length = 0;
  warn("%s", "foo");
  assert_int_equal(
      host_strcmp(written, "prog: foo: no such file or directory\n"), 0);
}

/* ---- strings ---- */

static void moves_blocks_of_any_size_and_place(void **state) {
  char a[128], b[128], c[128];

  (void)state;
  for (int from = 0; from < 20; from++)
    for (int to = 0; to < 20; to++)
      for (int n = 0; n < 90; n += 7) {
        for (int i = 0; i < 128; i++)
          a[i] = b[i] = c[i] = i;
        memmove(a + to, a + from, n);
        for (int i = 0; i < n; i++)
          c[to + i] = b[from + i];
        assert_memory_equal(a, c, 128);
        memset(a + to, 0xab, n);
        for (int i = 0; i < n; i++)
          c[to + i] = (char)0xab;
        assert_memory_equal(a, c, 128);
      }
}

static void compares_bytes_as_unsigned(void **state) {
  (void)state;
  assert_true(strcmp("\xff", "a") > 0);
  assert_true(memcmp("\xff", "a", 1) > 0);
  assert_int_equal(strncmp("abc", "abd", 2), 0);
  assert_true(strncmp("abc", "abd", 3) < 0);
  assert_null(strchr("abc", 'x'));
  assert_int_equal(host_strcmp(strrchr("a/b/c", '/'), "/c"), 0);
}

/* ---- malloc ---- */

#define LIVE 500

/* Random calls; every block keeps a pattern of its own. */
static void blocks_do_not_overlap(void **state) {
  static struct {
    uchar *p;
    uint n;
  } live[LIVE];
  uint seed = 1;

  (void)state;
  for (int round = 0; round < 50000; round++) {
    uint i, n;

    seed = seed * 1103515245 + 12345;
    i = (seed >> 8) % LIVE;
    n = (seed >> 20) % (round % 50 ? 300 : 20000);
    for (uint k = 0; k < live[i].n; k++)
      assert_int_equal(live[i].p[k], (uchar)i);
    if (seed & 0x80) {
      live[i].p = realloc(live[i].p, n);
      for (uint k = 0; k < n && k < live[i].n; k++)
        assert_int_equal(live[i].p[k], (uchar)i);
    } else {
      free(live[i].p);
      live[i].p = malloc(n);
    }
    assert_non_null(live[i].p);
    assert_int_equal((uintptr_t)live[i].p % 16, 0);
    live[i].n = n;
    host_memset(live[i].p, i, n);
  }
  for (int i = 0; i < LIVE; i++)
    free(live[i].p);
}

/* What xv6's memory test relies on. */
static void freed_blocks_join(void **state) {
  void *list = 0, *p;

  (void)state;
  while ((p = malloc(10001))) {
    *(void **)p = list;
    list = p;
  }
  while (list) {
    p = *(void **)list;
    free(list);
    list = p;
  }
  p = malloc(HEAP - HEAP / 4);
  assert_non_null(p);
  free(p);
}

static void absurd_sizes_fail(void **state) {
  (void)state;
  assert_null(malloc(~0u));
  assert_null(malloc(0x7fffffff));
  assert_null(malloc(0x80000000u));
  assert_null(calloc(0x10000, 0x10000));
  assert_non_null(malloc(0));
  free(0);
}

/* ---- options and lines ---- */

static void options_in_all_forms(void **state) {
  char *argv[] = {"x", "-ab", "-n5", "-n", "6", "--", "-z", 0};

  (void)state;
  optind = 1;
  assert_int_equal(getopt(7, argv, "abn:"), 'a');
  assert_int_equal(getopt(7, argv, "abn:"), 'b');
  assert_int_equal(getopt(7, argv, "abn:"), 'n');
  assert_int_equal(host_strcmp(optarg, "5"), 0);
  assert_int_equal(getopt(7, argv, "abn:"), 'n');
  assert_int_equal(host_strcmp(optarg, "6"), 0);
  assert_int_equal(getopt(7, argv, "abn:"), -1);
  assert_int_equal(optind, 6);
}

static void wrong_options_are_said(void **state) {
  char *argv[] = {"x", "-q", "-n", 0};

  (void)state;
  optind = 1;
  written_length = 0;
  assert_int_equal(getopt(3, argv, "an:"), '?');
  assert_int_equal(getopt(3, argv, "an:"), '?');
  assert_int_equal(host_strcmp(written,
                               "prog: unknown option -q\n"
                               "prog: option -n needs a value\n"),
                   0);
}

static void numbers_must_be_numbers(void **state) {
  long long n;

  (void)state;
  assert_int_equal(parse_number("-12", &n), 0);
  assert_int_equal(n, -12);
  assert_int_equal(parse_number("0x3fffffe000", &n), 0);
  assert_int_equal(n, 0x3fffffe000);
  assert_int_equal(parse_number("", &n), -1);
  assert_int_equal(parse_number("12x", &n), -1);
  assert_int_equal(parse_number("a", &n), -1);
  assert_int_equal(parse_number("99999999999999999999", &n), -1);
}

static void lines_of_any_length(void **state) {
  static char text[20000];
  struct linereader r;
  uint len;

  (void)state;
  host_memset(text, 'x', 10000);
  strcpy(text + 10000, "\n\nend");
  for (portion = 1; portion < 5000; portion = portion * 7 + 1) {
    input = text;
    line_open(&r, 0);
    assert_non_null(line_next(&r, &len));
    assert_int_equal(len, 10000);
    assert_int_equal(host_strcmp(line_next(&r, &len), ""), 0);
    assert_int_equal(host_strcmp(line_next(&r, &len), "end"), 0);
    assert_null(line_next(&r, &len));
    line_close(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(formats_numbers),
      cmocka_unit_test(pads_and_cuts),
      cmocka_unit_test(survives_odd_formats),
      cmocka_unit_test(snprintf_keeps_to_its_buffer),
      cmocka_unit_test(printf_writes_once),
      cmocka_unit_test(wide_arguments_are_cut),
      cmocka_unit_test(warn_gives_the_reason),
      cmocka_unit_test(moves_blocks_of_any_size_and_place),
      cmocka_unit_test(compares_bytes_as_unsigned),
      cmocka_unit_test(options_in_all_forms),
      cmocka_unit_test(wrong_options_are_said),
      cmocka_unit_test(numbers_must_be_numbers),
      cmocka_unit_test(lines_of_any_length),
      cmocka_unit_test(blocks_do_not_overlap),
      cmocka_unit_test(freed_blocks_join),
      cmocka_unit_test(absurd_sizes_fail),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
