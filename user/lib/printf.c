/*
 * Formatted output. One engine turns a format and its arguments into bytes for
 * a sink; the sinks are a descriptor, with a buffer that goes out in one
 * write() at the end of the call, and a buffer of the caller's.
 *
 * The descriptor's buffer is static because a user stack may be one page, most
 * of it taken by arguments. One thread uses it at a time, until the text is
 * written.
 */
#include <stdarg.h>

#include "extra.h"
#include "lock.h"
#include "user/user.h"

#define OUT_SIZE 1024
#define DIGITS_MAX 24 /* 2^64 in decimal has 20 digits */

struct sink {
  int fd; /* where a full buffer goes; -1: nowhere, the rest is dropped */
  char *buf;
  uint size;
  uint used;
  uint total; /* bytes formatted so far */
};

/* One conversion: %-08ld is left, zero, width 8, long 1. */
struct spec {
  int left;
  int zero;
  int width;
  int precision; /* -1: none */
  int longs;     /* number of l's */
};

static void flush(struct sink *s) {
  uint done = 0;

  while (done < s->used) {
    int n = write(s->fd, s->buf + done, s->used - done);

    if (n <= 0)
      break;
    done += n;
  }
  s->used = 0;
}

static void put(struct sink *s, char c) {
  s->total++;
  if (s->used == s->size) {
    if (s->fd < 0)
      return;
    flush(s);
  }
  s->buf[s->used++] = c;
}

static void fill(struct sink *s, char c, int n) {
  while (n-- > 0)
    put(s, c);
}

/* A text of n bytes in a field; `prefix` is a sign or 0x that zeros follow. */
static void field(struct sink *s, const struct spec *spec, const char *prefix,
                  const char *text, int n) {
  int plen = strlen(prefix);
  int padding = spec->width - plen - n;
  int zeros = spec->zero && !spec->left;

  if (!spec->left && !zeros)
    fill(s, ' ', padding);
  while (*prefix)
    put(s, *prefix++);
  if (zeros)
    fill(s, '0', padding);
  for (int i = 0; i < n; i++)
    put(s, text[i]);
  if (spec->left)
    fill(s, ' ', padding);
}

static void number(struct sink *s, const struct spec *spec, const char *prefix,
                   unsigned long long value, uint base, int upper) {
  char digits[DIGITS_MAX];
  const char *set = upper ? "0123456789ABCDEF" : printf_digits;
  int i = DIGITS_MAX;

  do {
    digits[--i] = set[value % base];
    value /= base;
  } while (value > 0);
  field(s, spec, prefix, digits + i, DIGITS_MAX - i);
}

static void string(struct sink *s, const struct spec *spec, const char *text) {
  int n = 0;

  if (text == 0)
    text = "(null)";
  while (text[n] && n != spec->precision)
    n++;
  field(s, spec, "", text, n);
}

/* Where the arguments come from. A struct, because the callee's va_arg must
 * move the caller's place. */
struct args {
  va_list ap;
  const long long *wide; /* if not 0: each in 64 bits, here (user/guest.h) */
};

static unsigned long long arg_unsigned(struct args *a, int longs) {
  if (a->wide && longs == 0)
    return (unsigned int)*a->wide++;
  if (a->wide)
    return *a->wide++;
  if (longs == 0)
    return va_arg(a->ap, unsigned int);
  if (longs == 1)
    return va_arg(a->ap, unsigned long);
  return va_arg(a->ap, unsigned long long);
}

static long long arg_signed(struct args *a, int longs) {
  if (a->wide)
    return longs == 0 ? (int)*a->wide++ : *a->wide++;
  if (longs == 0)
    return va_arg(a->ap, int);
  if (longs == 1)
    return va_arg(a->ap, long);
  return va_arg(a->ap, long long);
}

static int arg_int(struct args *a) { return arg_signed(a, 0); }

static void *arg_pointer(struct args *a) {
  if (a->wide)
    return (void *)(unsigned long)*a->wide++;
  return va_arg(a->ap, void *);
}

static void decimal(struct sink *s, const struct spec *spec, long long v) {
  number(s, spec, v < 0 ? "-" : "",
         v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v, 10, 0);
}

static void pointer(struct sink *s, struct spec *spec, void *p) {
  struct spec hex = {0, 1, 2 + 2 * (int)sizeof(void *), -1, 0};

  if (spec->width > hex.width)
    fill(s, ' ', spec->width - hex.width);
  number(s, &hex, "0x", (unsigned long)p, 16, 0);
}

static int parse_width(const char **fmt, struct args *a) {
  int n = 0;

  if (**fmt == '*') {
    (*fmt)++;
    return arg_int(a);
  }
  while (**fmt >= '0' && **fmt <= '9')
    n = n * 10 + (*(*fmt)++ - '0');
  return n;
}

/* What stands between % and the letter. */
static struct spec parse_spec(const char **fmt, struct args *a) {
  struct spec spec = {0, 0, 0, -1, 0};

  for (;; (*fmt)++) {
    if (**fmt == '-')
      spec.left = 1;
    else if (**fmt == '0')
      spec.zero = 1;
    else
      break;
  }
  spec.width = parse_width(fmt, a);
  if (spec.width < 0) {
    spec.left = 1;
    spec.width = -spec.width;
  }
  if (**fmt == '.') {
    (*fmt)++;
    spec.precision = parse_width(fmt, a);
  }
  for (; **fmt == 'l'; (*fmt)++)
    spec.longs++;
  return spec;
}

/* The conversion that *fmt, just after its %, asks for. An unknown one is
 * printed as it stands, to draw attention. */
static void convert(struct sink *s, const char **fmt, struct args *a) {
  const char *start = *fmt;
  struct spec spec = parse_spec(fmt, a);
  char c = **fmt;

  /* Older xv6's long in decimal: %l alone. */
  if (spec.longs == 1 && !strchr("diuxX", c)) {
    decimal(s, &spec, arg_signed(a, spec.longs));
    return;
  }
  if (c)
    (*fmt)++;
  switch (c) {
    case 'd':
    case 'i':
      decimal(s, &spec, arg_signed(a, spec.longs));
      break;
    case 'u':
      number(s, &spec, "", arg_unsigned(a, spec.longs), 10, 0);
      break;
    case 'x':
    case 'X':
      number(s, &spec, "", arg_unsigned(a, spec.longs), 16, c == 'X');
      break;
    case 'p':
      pointer(s, &spec, arg_pointer(a));
      break;
    case 'c': {
      char text = arg_int(a);
      field(s, &spec, "", &text, 1);
      break;
    }
    case 's':
      string(s, &spec, arg_pointer(a));
      break;
    case '%':
      put(s, '%');
      break;
    default:
      put(s, '%');
      while (start < *fmt)
        put(s, *start++);
  }
}

static void format_args(struct sink *s, const char *fmt, struct args *a) {
  while (*fmt) {
    if (*fmt != '%') {
      put(s, *fmt++);
      continue;
    }
    fmt++;
    convert(s, &fmt, a);
  }
}

static void format(struct sink *s, const char *fmt, va_list ap) {
  struct args a = {.wide = 0};

  va_copy(a.ap, ap);
  format_args(s, fmt, &a);
  va_end(a.ap);
}

static char out[OUT_SIZE];
static uint out_lock;

static void print(int fd, const char *fmt, va_list ap) {
  struct sink s = {fd, out, OUT_SIZE, 0, 0};

  library_lock(&out_lock);
  format(&s, fmt, ap);
  flush(&s);
  library_unlock(&out_lock);
}

void printf_wide(int fd, const char *fmt, const long long *wide) {
  struct sink s = {fd, out, OUT_SIZE, 0, 0};
  struct args a = {.wide = wide};

  library_lock(&out_lock);
  format_args(&s, fmt, &a);
  flush(&s);
  library_unlock(&out_lock);
}

void printf(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  print(1, fmt, ap);
  va_end(ap);
}

void fprintf(int fd, const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  print(fd, fmt, ap);
  va_end(ap);
}

EXTRA int vsnprintf(char *buf, int n, const char *fmt, va_list ap) {
  struct sink s = {-1, buf, n > 0 ? n - 1 : 0, 0, 0};

  format(&s, fmt, ap);
  if (n > 0)
    buf[s.used] = 0;
  return s.total;
}

EXTRA int snprintf(char *buf, int n, const char *fmt, ...) {
  va_list ap;
  int total;

  va_start(ap, fmt);
  total = vsnprintf(buf, n, fmt, ap);
  va_end(ap);
  return total;
}
