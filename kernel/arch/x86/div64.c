/*
 * 64-bit division, which compilers for 32-bit machines leave to functions of
 * these names (GCC internals, "Integer library routines").
 *
 * As on paper, with digits of 32 bits: DIV divides 64 bits by 32 if the quotient
 * has no more than 32. A divisor of two digits is first shifted left until its
 * first digit is large; the quotient of first digits is then right or one too
 * much (Knuth, "The Art of Computer Programming", vol. 2, 4.3.1).
 */

typedef unsigned long long u64;
typedef unsigned int u32;

u64 __udivmoddi4(u64 a, u64 b, u64 *rest);
u64 __udivdi3(u64 a, u64 b);
u64 __umoddi3(u64 a, u64 b);
long long __divdi3(long long a, long long b);
long long __moddi3(long long a, long long b);

/* high:low / b, where high < b. */
static u32 divide(u32 high, u32 low, u32 b, u32 *rest) {
  u32 q;

  asm("divl %4" : "=a"(q), "=d"(*rest) : "0"(low), "1"(high), "rm"(b) : "cc");
  return q;
}

static u64 by_one_digit(u64 a, u32 b, u64 *rest) {
  u32 r;
  u32 high = divide(0, a >> 32, b, &r);
  u32 low = divide(r, a, b, &r);

  *rest = r;
  return (u64)high << 32 | low;
}

/* b >= 2^32, so the quotient has one digit. */
static u64 by_two_digits(u64 a, u64 b, u64 *rest) {
  int shift = __builtin_clz((u32)(b >> 32));
  u64 half = a >> 1; /* its first digit is less than any divisor's */
  u32 r, q = divide(half >> 32, half, b << shift >> 32, &r);

  q = (u64)q << shift >> 31;
  if (q != 0)
    q--;
  *rest = a - q * b;
  if (*rest >= b) {
    *rest -= b;
    q++;
  }
  return q;
}

u64 __udivmoddi4(u64 a, u64 b, u64 *rest) {
  u64 r, q;

  if (b >> 32 == 0)
    q = by_one_digit(a, b, &r);
  else
    q = by_two_digits(a, b, &r);
  if (rest)
    *rest = r;
  return q;
}

u64 __udivdi3(u64 a, u64 b) { return __udivmoddi4(a, b, 0); }

u64 __umoddi3(u64 a, u64 b) {
  u64 r;

  __udivmoddi4(a, b, &r);
  return r;
}

static u64 magnitude(long long x) { return x < 0 ? -(u64)x : (u64)x; }

long long __divdi3(long long a, long long b) {
  u64 q = __udivmoddi4(magnitude(a), magnitude(b), 0);

  return (a < 0) != (b < 0) ? -q : q;
}

long long __moddi3(long long a, long long b) {
  u64 r;

  __udivmoddi4(magnitude(a), magnitude(b), &r);
  return a < 0 ? -r : r;
}
