/*
 * Formatted messages, without allocation.
 *
 * One function walks the format and hands each byte to a sink: a buffer for
 * snprintf, the console for printf. A call of printf holds the console from its
 * first byte to its last, so the texts of two CPUs do not mix; printf_hold()
 * makes several calls one text. The lock is made
 * of cpu.h's primitives, since spin locks are a floor above. Once a CPU has
 * panicked nothing waits for it: its message must come out whoever held it.
 *
 * Text from before there is a console waits in a small buffer.
 */
#include "lib/printf.h"

#include "cpu.h"
#include "lib/panic.h"
#include "lib/string.h"

#define NUMBER_MAX 20 /* digits of a 64-bit number, at most: 2^64 in decimal */

struct sink {
  void (*put)(struct sink *s, char c);
  char *buf;    /* for snprintf: where, */
  size_t room;  /* and how much is left there, the final 0 included */
  size_t total; /* bytes put */
};

/* One conversion: %[-][0][width][l|ll|z]letter. */
struct conversion {
  bool left, zero;
  int width;
  int longs; /* 0: int, else long or longer; z counts as long */
  char letter;
};

static void put(struct sink *s, char c) {
  s->put(s, c);
  s->total++;
}

static void pad(struct sink *s, char c, int n) {
  while (n-- > 0)
    put(s, c);
}

static void put_text(struct sink *s, const struct conversion *v,
                     const char *text, size_t len) {
  int fill = v->width > (int)len ? v->width - (int)len : 0;

  if (!v->left)
    pad(s, ' ', fill);
  for (size_t i = 0; i < len; i++)
    put(s, text[i]);
  if (v->left)
    pad(s, ' ', fill);
}

/* A number with its sign or "0x" in front; zeros go between the two. */
static void put_number(struct sink *s, const struct conversion *v,
                       unsigned long long n, uint base, const char *prefix) {
  char digits[NUMBER_MAX + 1];
  char *p = digits + sizeof(digits);
  int len, fill;

  *--p = 0;
  do
    *--p = "0123456789abcdef"[n % base];
  while (n /= base);
  len = digits + sizeof(digits) - 1 - p;
  fill = v->width - len - (int)strlen(prefix);
  if (!v->left && !v->zero)
    pad(s, ' ', fill);
  while (*prefix)
    put(s, *prefix++);
  if (!v->left && v->zero)
    pad(s, '0', fill);
  while (*p)
    put(s, *p++);
  if (v->left)
    pad(s, ' ', fill);
}

static const char *parse(const char *f, struct conversion *v) {
  *v = (struct conversion){0};
  for (; *f == '-' || *f == '0'; f++)
    *(*f == '-' ? &v->left : &v->zero) = true;
  for (; *f >= '0' && *f <= '9'; f++)
    v->width = v->width * 10 + (*f - '0');
  for (; *f == 'l' || *f == 'z'; f++)
    v->longs++;
  v->letter = *f;
  return *f ? f + 1 : f;
}

/* va_list by pointer: what is taken here is taken for the caller as well. */
struct args {
  va_list ap;
};

static unsigned long long take_unsigned(struct args *a, int longs) {
  return longs == 0   ? va_arg(a->ap, uint)
         : longs == 1 ? va_arg(a->ap, unsigned long)
                      : va_arg(a->ap, unsigned long long);
}

static long long take_signed(struct args *a, int longs) {
  return longs == 0   ? va_arg(a->ap, int)
         : longs == 1 ? va_arg(a->ap, long)
                      : va_arg(a->ap, long long);
}

static void convert(struct sink *s, const struct conversion *v,
                    struct args *a) {
  long long n;
  const char *text;
  char c;

  switch (v->letter) {
    case 'd':
      n = take_signed(a, v->longs);
      put_number(s, v, n < 0 ? -(unsigned long long)n : (unsigned long long)n,
                 10, n < 0 ? "-" : "");
      break;
    case 'u':
      put_number(s, v, take_unsigned(a, v->longs), 10, "");
      break;
    case 'x':
      put_number(s, v, take_unsigned(a, v->longs), 16, "");
      break;
    case 'p':
      put_number(s, v, (unsigned long)va_arg(a->ap, void *), 16, "0x");
      break;
    case 's':
      text = va_arg(a->ap, const char *);
      text = text ? text : "(null)";
      put_text(s, v, text, strlen(text));
      break;
    case 'c':
      c = va_arg(a->ap, int);
      put_text(s, v, &c, 1);
      break;
    case '%':
      put(s, '%');
      break;
    default: /* the compiler checks formats; show what it could not */
      put(s, '%');
      if (v->letter)
        put(s, v->letter);
  }
}

static void format(struct sink *s, const char *f, va_list ap) {
  struct conversion v;
  struct args a;

  va_copy(a.ap, ap);
  while (*f) {
    if (*f != '%') {
      put(s, *f++);
      continue;
    }
    f = parse(f + 1, &v);
    convert(s, &v, &a);
  }
  va_end(a.ap);
}

static void put_buffer(struct sink *s, char c) {
  if (s->room > 1) {
    *s->buf++ = c;
    s->room--;
  }
}

int snprintf(char *buf, size_t n, const char *fmt, ...) {
  struct sink s = {.put = put_buffer, .buf = buf, .room = n};
  va_list ap;

  va_start(ap, fmt);
  format(&s, fmt, ap);
  va_end(ap);
  *s.buf = 0;
  return s.total;
}

static struct {
  uint next, serving;  /* [a] a ticket lock: who comes next, whose turn it is */
  void (*putc)(int c); /* the rest is guarded by it */
  struct cpu *keeper;  /* [a] who called printf_hold(), or NULL, */
  bool keeper_on;      /* and whether interrupts were on then */
  char early[1024];    /* text from before putc was set */
  size_t early_len;
} console;

/* Does this CPU hold the console for longer? Interrupts are off. */
static bool is_keeper(void) {
  struct cpu *keeper = __atomic_load_n(&console.keeper, __ATOMIC_RELAXED);

  return keeper != NULL && keeper == mycpu();
}

/* Take the console; returns whether interrupts were on. */
static bool console_lock(void) {
  bool on = intr_get();
  uint ticket;

  intr_off();
  if (!panicked && !is_keeper()) {
    ticket = __atomic_fetch_add(&console.next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&console.serving, __ATOMIC_ACQUIRE) != ticket &&
           !panicked)
      cpu_relax();
  }
  return on;
}

static void console_unlock(bool on) {
  if (!panicked && !is_keeper())
    __atomic_store_n(&console.serving, console.serving + 1, __ATOMIC_RELEASE);
  if (on)
    intr_on();
}

void printf_hold(void) {
  console.keeper_on = console_lock();
  __atomic_store_n(&console.keeper, mycpu(), __ATOMIC_RELAXED);
}

void printf_release(void) {
  __atomic_store_n(&console.keeper, NULL, __ATOMIC_RELAXED);
  console_unlock(console.keeper_on);
}

/* A serial line does not go back to its start by itself. */
static void put_byte(char c) {
  if (c == '\n')
    console.putc('\r');
  console.putc((uchar)c);
}

static void put_console(struct sink *s, char c) {
  (void)s;
  if (console.putc)
    put_byte(c);
  else if (console.early_len < sizeof(console.early))
    console.early[console.early_len++] = c;
}

void vprintf(const char *fmt, va_list ap) {
  struct sink s = {.put = put_console};
  bool on = console_lock();

  format(&s, fmt, ap);
  console_unlock(on);
}

void printf(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
}

void printf_set_console(void (*putc)(int c)) {
  bool on = console_lock();

  console.putc = putc;
  for (size_t i = 0; i < console.early_len; i++)
    put_byte(console.early[i]);
  console.early_len = 0;
  console_unlock(on);
}
