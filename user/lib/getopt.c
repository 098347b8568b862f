/*
 * Command-line options in the usual form: -a, -n 5, -n5, -ab; -- ends them.
 */
#include "extra.h"
#include "user/user.h"

EXTRA char *optarg;
EXTRA int optind = 1;

static const char *rest; /* further letters of the argument at optind */

/* Is c among the letters? Returns its place, or 0. */
static const char *letter(const char *letters, char c) {
  return c == ':' ? 0 : strchr(letters, c);
}

/* The value of option c: the rest of its argument, or the next one. */
static int option_value(int argc, char *const *argv, char c) {
  if (*rest) {
    optarg = (char *)rest;
  } else {
    if (++optind >= argc) {
      complain("option -%c needs a value", c);
      return '?';
    }
    optarg = argv[optind];
  }
  optind++;
  rest = 0;
  return c;
}

EXTRA int getopt(int argc, char *const *argv, const char *letters) {
  const char *l;
  char c;

  if (!rest || !*rest) {
    if (optind >= argc || argv[optind][0] != '-' || !argv[optind][1])
      return -1;
    if (strcmp(argv[optind], "--") == 0) {
      optind++;
      return -1;
    }
    rest = argv[optind] + 1;
  }
  c = *rest++;
  l = letter(letters, c);
  if (l && l[1] == ':')
    return option_value(argc, argv, c);
  if (!*rest)
    optind++;
  if (l)
    return c;
  complain("unknown option -%c", c);
  return '?';
}

static int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 16;
}

EXTRA int parse_number(const char *s, long long *value) {
  int negative = *s == '-';
  unsigned long long n = 0;
  int base = 10;

  if (negative)
    s++;
  if (s[0] == '0' && s[1] == 'x') {
    base = 16;
    s += 2;
  }
  if (!*s)
    return -1;
  for (; *s; s++) {
    if (digit(*s) >= base || n > (~0ULL - 15) / base)
      return -1;
    n = n * base + digit(*s);
  }
  *value = negative ? -n : n;
  return 0;
}
