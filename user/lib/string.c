/*
 * Memory and strings. Blocks are moved eight bytes at a time when both ends
 * allow it; the word type may alias anything.
 */
#include "extra.h"
#include "user/user.h"

typedef unsigned long __attribute__((may_alias)) word;
typedef unsigned long addr;

#define WORD sizeof(word)

static int together(const void *a, const void *b) {
  return (((addr)a ^ (addr)b) & (WORD - 1)) == 0;
}

static int aligned(const void *p) { return ((addr)p & (WORD - 1)) == 0; }

static void copy_up(char *to, const char *from, uint n) {
  if (together(to, from)) {
    for (; n > 0 && !aligned(to); n--)
      *to++ = *from++;
    for (; n >= 4 * WORD; n -= 4 * WORD) {
      const word *f = (const word *)from;
      word *t = (word *)to;
      word a = f[0], b = f[1], c = f[2], d = f[3];

      t[0] = a;
      t[1] = b;
      t[2] = c;
      t[3] = d;
      to += 4 * WORD;
      from += 4 * WORD;
    }
    for (; n >= WORD; n -= WORD, to += WORD, from += WORD)
      *(word *)to = *(const word *)from;
  }
  while (n-- > 0)
    *to++ = *from++;
}

static void copy_down(char *to, const char *from, uint n) {
  to += n;
  from += n;
  if (together(to, from)) {
    for (; n > 0 && !aligned(to); n--)
      *--to = *--from;
    for (; n >= WORD; n -= WORD) {
      to -= WORD;
      from -= WORD;
      *(word *)to = *(const word *)from;
    }
  }
  while (n-- > 0)
    *--to = *--from;
}

void *memmove(void *to, const void *from, int n) {
  if (n <= 0)
    return to;
  if ((addr)to - (addr)from < (addr)n)
    copy_down(to, from, n);
  else
    copy_up(to, from, n);
  return to;
}

void *memcpy(void *to, const void *from, uint n) {
  copy_up(to, from, n);
  return to;
}

void *memset(void *to, int c, uint n) {
  char *p = to;
  word w = (uchar)c * (~0UL / 0xff);

  for (; n > 0 && !aligned(p); n--)
    *p++ = c;
  for (; n >= 4 * WORD; n -= 4 * WORD, p += 4 * WORD) {
    word *t = (word *)p;

    t[0] = t[1] = t[2] = t[3] = w;
  }
  while (n-- > 0)
    *p++ = c;
  return to;
}

int memcmp(const void *a, const void *b, uint n) {
  const uchar *p = a, *q = b;

  for (; n > 0; n--, p++, q++)
    if (*p != *q)
      return *p - *q;
  return 0;
}

uint strlen(const char *s) {
  const char *end = s;

  while (*end)
    end++;
  return end - s;
}

char *strcpy(char *to, const char *from) {
  char *p = to;

  while ((*p++ = *from++))
    continue;
  return to;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b)
    a++, b++;
  return (uchar)*a - (uchar)*b;
}

/* As in xv6, the final 0 is not found. */
char *strchr(const char *s, char c) {
  for (; *s; s++)
    if (*s == c)
      return (char *)s;
  return 0;
}

EXTRA int strncmp(const char *a, const char *b, uint n) {
  while (n > 0 && *a && *a == *b)
    a++, b++, n--;
  return n == 0 ? 0 : (uchar)*a - (uchar)*b;
}

EXTRA char *strrchr(const char *s, char c) {
  const char *found = 0;

  for (; *s; s++)
    if (*s == c)
      found = s;
  return (char *)found;
}

EXTRA char *strdup(const char *s) {
  char *copy = malloc(strlen(s) + 1);

  return copy ? strcpy(copy, s) : 0;
}
