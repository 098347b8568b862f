/*
 * For programs written for xv6-riscv, where uint64 is a long and so printed by
 * %ld, %lx, %l or %p. Here uint64 has two words and long one, and printf()
 * would take the wrong arguments. So a call is turned into one that passes each
 * argument in 64 bits; what the conversion says is then cut from that.
 *
 *   printf("%s %lx", s, x)  =>  printf_wide(1, "%s %lx", (const long long[]){
 *                                   (long long)s, (long long)x, 0})
 *
 * Sixteen arguments at most.
 */
#ifndef USER_GUEST_H
#define USER_GUEST_H

#define WIDE_0()
#define WIDE_1(x) (long long)(x),
#define WIDE_2(x, ...) WIDE_1(x) WIDE_1(__VA_ARGS__)
#define WIDE_3(x, ...) WIDE_1(x) WIDE_2(__VA_ARGS__)
#define WIDE_4(x, ...) WIDE_1(x) WIDE_3(__VA_ARGS__)
#define WIDE_5(x, ...) WIDE_1(x) WIDE_4(__VA_ARGS__)
#define WIDE_6(x, ...) WIDE_1(x) WIDE_5(__VA_ARGS__)
#define WIDE_7(x, ...) WIDE_1(x) WIDE_6(__VA_ARGS__)
#define WIDE_8(x, ...) WIDE_1(x) WIDE_7(__VA_ARGS__)
#define WIDE_9(x, ...) WIDE_1(x) WIDE_8(__VA_ARGS__)
#define WIDE_10(x, ...) WIDE_1(x) WIDE_9(__VA_ARGS__)
#define WIDE_11(x, ...) WIDE_1(x) WIDE_10(__VA_ARGS__)
#define WIDE_12(x, ...) WIDE_1(x) WIDE_11(__VA_ARGS__)
#define WIDE_13(x, ...) WIDE_1(x) WIDE_12(__VA_ARGS__)
#define WIDE_14(x, ...) WIDE_1(x) WIDE_13(__VA_ARGS__)
#define WIDE_15(x, ...) WIDE_1(x) WIDE_14(__VA_ARGS__)
#define WIDE_16(x, ...) WIDE_1(x) WIDE_15(__VA_ARGS__)

/* WIDE_n for n arguments. */
#define WIDE_PICK(none, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, w, \
                  ...)                                                     \
  w
#define WIDE_FOR(...)                                                          \
  WIDE_PICK(__VA_ARGS__, WIDE_16, WIDE_15, WIDE_14, WIDE_13, WIDE_12, WIDE_11, \
            WIDE_10, WIDE_9, WIDE_8, WIDE_7, WIDE_6, WIDE_5, WIDE_4, WIDE_3,   \
            WIDE_2, WIDE_1, WIDE_0, )

#define fprintf(fd, fmt, ...) \
  printf_wide(fd, fmt,        \
              (const long long[]){WIDE_FOR(0, ##__VA_ARGS__)(__VA_ARGS__) 0})
#define printf(...) fprintf(1, __VA_ARGS__)

#endif
