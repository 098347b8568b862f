/*
 * The kernel's memory and string functions, compared with C's for every
 * alignment and length around the sizes where they change their ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define memset kernel_memset
#define memcpy kernel_memcpy
#define memmove kernel_memmove
#define memcmp kernel_memcmp
#define strlen kernel_strlen
#define strnlen kernel_strnlen
#define strcmp kernel_strcmp
#define strncmp kernel_strncmp
#include "../../kernel/lib/string.h"
#include "../../kernel/lib/string.c"
#undef memset
#undef memcpy
#undef memmove
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp

#define LENGTHS 300
#define ALIGNMENTS 9
#define SIZE (LENGTHS + 2 * 16)

/* On the heap, so that a byte too far is seen. */
static uchar *pattern(int seed) {
  uchar *p = malloc(SIZE);

  for (int i = 0; i < SIZE; i++)
    p[i] = i * 7 + seed;
  return p;
}

static void check_copy(size_t to, size_t from, size_t n) {
  uchar *src = pattern(1), *got = pattern(2), *want = pattern(2);

  memcpy(want + to, src + from, n);
  assert_ptr_equal(kernel_memcpy(got + to, src + from, n), got + to);
  assert_memory_equal(got, want, SIZE);
  free(src);
  free(got);
  free(want);
}

static void check_move(size_t to, size_t from, size_t n) {
  uchar *got = pattern(3), *want = pattern(3);

  memmove(want + to, want + from, n);
  assert_ptr_equal(kernel_memmove(got + to, got + from, n), got + to);
  assert_memory_equal(got, want, SIZE);
  free(got);
  free(want);
}

static void check_set(size_t at, size_t n) {
  uchar *got = pattern(4), *want = pattern(4);

  memset(want + at, 0xa5, n);
  assert_ptr_equal(kernel_memset(got + at, 0x1a5, n), got + at);
  assert_memory_equal(got, want, SIZE);
  free(got);
  free(want);
}

static void copies_move_and_fill(void **state) {
  (void)state;
  for (size_t n = 0; n < LENGTHS; n += n < 100 ? 1 : 13)
    for (size_t to = 0; to < ALIGNMENTS; to++) {
      check_set(to, n);
      for (size_t from = 0; from < ALIGNMENTS; from++) {
        check_copy(to, from, n);
        check_move(to, from, n);
      }
    }
}

static void overlaps_of_every_distance(void **state) {
  (void)state;
  for (size_t distance = 0; distance < 32; distance++)
    for (size_t n = 0; n < 200; n += 3) {
      check_move(0, distance, n);
      check_move(distance, 0, n);
      check_move(3, 3 + distance, n);
      check_move(3 + distance, 3, n);
    }
}

static int sign(int x) { return (x > 0) - (x < 0); }

static void compares_as_unsigned_bytes(void **state) {
  uchar a[64], b[64];

  (void)state;
  for (int at = 0; at < 64; at++) {
    memset(a, 'x', sizeof(a));
    memset(b, 'x', sizeof(b));
    a[at] = 0x80;
    assert_int_equal(sign(kernel_memcmp(a, b, sizeof(a))), 1);
    assert_int_equal(sign(kernel_memcmp(b, a, sizeof(a))), -1);
    assert_int_equal(kernel_memcmp(a, b, at), 0);
  }
  assert_int_equal(sign(kernel_strcmp("a\x80", "ab")), 1);
  assert_int_equal(sign(kernel_strcmp("a", "ab")), -1);
  assert_int_equal(kernel_strcmp("ab", "ab"), 0);
  assert_int_equal(kernel_strncmp("abc", "abd", 2), 0);
  assert_int_equal(sign(kernel_strncmp("abc", "abd", 3)), -1);
  assert_int_equal(kernel_strncmp("a", "a", 9), 0);
}

static void lengths_and_truncation(void **state) {
  char buf[4];

  (void)state;
  assert_int_equal(kernel_strlen("four"), 4);
  assert_int_equal(kernel_strnlen("four", 2), 2);
  assert_int_equal(kernel_strnlen("four", 9), 4);
  assert_string_equal(safestrcpy(buf, "abcdef", sizeof(buf)), "abc");
  assert_string_equal(safestrcpy(buf, "x", sizeof(buf)), "x");
  assert_string_equal(safestrcpy(buf, "x", 1), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_move_and_fill),
      cmocka_unit_test(overlaps_of_every_distance),
      cmocka_unit_test(compares_as_unsigned_bytes),
      cmocka_unit_test(lengths_and_truncation),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
