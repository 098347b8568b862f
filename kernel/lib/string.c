/*
 * Memory and strings.
 *
 * The kernel moves whole pages, so the block functions are written for length:
 * they bring the destination to a word boundary byte by byte, move words (eight
 * at a time while there are that many), and finish byte by byte. When source
 * and destination are aligned differently, memcpy reads aligned words and
 * joins the parts of two neighbours by shifting, since a misaligned access may
 * trap. All machines that run this are little-endian. The build tells the
 * compiler not to make of a loop in memcpy a call of memcpy.
 */
#include "lib/string.h"

#include "debug.h"

/* A word that may overlay any object (C11 6.5p7 does not apply to it). */
typedef unsigned long __attribute__((may_alias)) word;

#define WORD sizeof(word)
#define UNROLL 8
#define OFFSET(p) ((unsigned long)(p) % WORD) /* into its word */

/* Below this, lining up costs more than it saves. */
#define SHORT (2 * WORD)

static void set_bytes(uchar *d, uchar c, size_t n) {
  for (; n > 0; n--)
    *d++ = c;
}

void *memset(void *dst, int c, size_t n) {
  uchar *d = dst;
  word fill = (uchar)c * (~0UL / 0xff);
  size_t head;

  debug_access(dst, n, true, DEBUG_CALLER);
  if (n >= SHORT) {
    head = (WORD - OFFSET(d)) % WORD;
    set_bytes(d, c, head);
    d += head;
    n -= head;
    for (; n >= UNROLL * WORD; n -= UNROLL * WORD, d += UNROLL * WORD) {
      word *w = (word *)d;

      w[0] = w[1] = w[2] = w[3] = fill;
      w[4] = w[5] = w[6] = w[7] = fill;
    }
    for (; n >= WORD; n -= WORD, d += WORD)
      *(word *)d = fill;
  }
  set_bytes(d, c, n);
  return dst;
}

static void copy_bytes(uchar *d, const uchar *s, size_t n) {
  for (; n > 0; n--)
    *d++ = *s++;
}

/* Copy n bytes, a multiple of WORD, between word boundaries. */
static void copy_words(word *d, const word *s, size_t n) {
  for (; n >= UNROLL * WORD; n -= UNROLL * WORD, d += UNROLL, s += UNROLL) {
    word w0 = s[0], w1 = s[1], w2 = s[2], w3 = s[3];
    word w4 = s[4], w5 = s[5], w6 = s[6], w7 = s[7];

    d[0] = w0, d[1] = w1, d[2] = w2, d[3] = w3;
    d[4] = w4, d[5] = w5, d[6] = w6, d[7] = w7;
  }
  for (; n > 0; n -= WORD)
    *d++ = *s++;
}

/* The same, from a source that is not on a word boundary. Reads no word of
 * which it needs no byte. */
static void copy_shifted(word *d, const uchar *src, size_t n) {
  const word *s = (const word *)(src - OFFSET(src));
  int down = OFFSET(src) * 8, up = (WORD - OFFSET(src)) * 8;
  word low = *s++;

  for (; n > 0; n -= WORD) {
    word high = *s++;

    *d++ = low >> down | high << up;
    low = high;
  }
}

/* From low to high addresses; memmove relies on that. */
void *memcpy(void *dst, const void *src, size_t n) {
  uchar *d = dst;
  const uchar *s = src;
  size_t head, body;

  debug_access(src, n, false, DEBUG_CALLER);
  debug_access(dst, n, true, DEBUG_CALLER);
  if (n >= SHORT) {
    head = (WORD - OFFSET(d)) % WORD;
    copy_bytes(d, s, head);
    d += head, s += head, n -= head;
    body = n - n % WORD;
    if (OFFSET(s) == 0)
      copy_words((word *)d, (const word *)s, body);
    else
      copy_shifted((word *)d, s, body);
    d += body, s += body, n -= body;
  }
  copy_bytes(d, s, n);
  return dst;
}

void *memmove(void *dst, const void *src, size_t n) {
  uchar *d = dst;
  const uchar *s = src;

  if (d <= s || d >= s + n)
    return memcpy(dst, src, n);
  debug_access(src, n, false, DEBUG_CALLER);
  debug_access(dst, n, true, DEBUG_CALLER);
  d += n, s += n;
  if (OFFSET(d) == OFFSET(s)) {
    for (; n > 0 && OFFSET(d) != 0; n--)
      *--d = *--s;
    for (; n >= WORD; n -= WORD) {
      d -= WORD, s -= WORD;
      *(word *)d = *(const word *)s;
    }
  }
  for (; n > 0; n--)
    *--d = *--s;
  return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
  const uchar *p = a, *q = b;

  debug_access(a, n, false, DEBUG_CALLER);
  debug_access(b, n, false, DEBUG_CALLER);
  if (OFFSET(p) == 0 && OFFSET(q) == 0)
    for (; n >= WORD && *(const word *)p == *(const word *)q; n -= WORD)
      p += WORD, q += WORD;
  for (; n > 0; n--, p++, q++)
    if (*p != *q)
      return *p - *q;
  return 0;
}

/* How long a string is, is known when it has been read. */

size_t strlen(const char *s) {
  size_t n = 0;

  while (s[n])
    n++;
  debug_access(s, n + 1, false, DEBUG_CALLER);
  return n;
}

size_t strnlen(const char *s, size_t max) {
  size_t n = 0;

  while (n < max && s[n])
    n++;
  debug_access(s, MIN(n + 1, max), false, DEBUG_CALLER);
  return n;
}

int strcmp(const char *a, const char *b) {
  size_t n = 0;

  while (a[n] && a[n] == b[n])
    n++;
  debug_access(a, n + 1, false, DEBUG_CALLER);
  debug_access(b, n + 1, false, DEBUG_CALLER);
  return (uchar)a[n] - (uchar)b[n];
}

int strncmp(const char *a, const char *b, size_t max) {
  size_t n = 0;

  while (n < max && a[n] && a[n] == b[n])
    n++;
  debug_access(a, MIN(n + 1, max), false, DEBUG_CALLER);
  debug_access(b, MIN(n + 1, max), false, DEBUG_CALLER);
  return n == max ? 0 : (uchar)a[n] - (uchar)b[n];
}

char *safestrcpy(char *dst, const char *src, size_t n) {
  size_t len = strnlen(src, n - 1);

  memcpy(dst, src, len);
  dst[len] = 0;
  return dst;
}
