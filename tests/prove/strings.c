/*
 * What the functions of lib/string.c mean, byte by byte: proofs of other files
 * use these, which the checker takes in far more easily. That the real ones
 * do the same is tested (tests/host/test_string.c).
 */
#include "lib/string.h"

void *memset(void *dst, int c, size_t n) {
  for (size_t i = 0; i < n; i++)
    ((uchar *)dst)[i] = c;
  return dst;
}

void *memcpy(void *dst, const void *src, size_t n) {
  for (size_t i = 0; i < n; i++)
    ((uchar *)dst)[i] = ((const uchar *)src)[i];
  return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
  const uchar *p = a, *q = b;

  for (size_t i = 0; i < n; i++)
    if (p[i] != q[i])
      return p[i] - q[i];
  return 0;
}

size_t strlen(const char *s) {
  size_t n = 0;

  while (s[n])
    n++;
  return n;
}

size_t strnlen(const char *s, size_t max) {
  size_t n = 0;

  while (n < max && s[n])
    n++;
  return n;
}

int strncmp(const char *a, const char *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (a[i] != b[i] || a[i] == 0)
      return (uchar)a[i] - (uchar)b[i];
  return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, ~(size_t)0); }

char *safestrcpy(char *dst, const char *src, size_t n) {
  size_t len = strnlen(src, n - 1);

  memcpy(dst, src, len);
  dst[len] = 0;
  return dst;
}
