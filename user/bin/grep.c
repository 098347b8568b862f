/*
 * grep [-v] [-i] [-n] [-c] [-q] PATTERN [FILE...]: print the lines that match.
 *
 * Patterns are regular expressions with ^ $ . * and, between brackets, sets of
 * characters ([a-z], [^0-9]); \ takes away a character's meaning. An item is
 * one character, a dot, or a set; `*` after it repeats it.
 *
 * Exit status: 0 a line matched, 1 none did, 2 an error.
 */
#include "user/user.h"

#define USAGE "[-vincq] PATTERN [FILE...]"
#define NO_MATCH 1
#define TROUBLE 2

static int invert, ignore_case, numbers, count_only, quiet;
static const char *pattern;
static int prefixes; /* begin each line with the file's name */
static long found;   /* lines selected, of all files */

static int lower(int c) {
  return ignore_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int same(char a, char b) { return lower(a) == lower(b); }

/* The set that starts at re: where it ends (after its bracket), or 0. */
static const char *set_end(const char *re) {
  const char *p = re + 1;

  if (*p == '^')
    p++;
  if (*p == ']')
    p++;
  while (*p && *p != ']')
    p++;
  return *p ? p + 1 : 0;
}

static int in_set(const char *re, const char *end, char c) {
  const char *p = re + 1;
  int negated = *p == '^', found = 0;

  if (negated)
    p++;
  do {
    if (p[1] == '-' && p + 2 < end - 1) {
      if (lower(c) >= lower(p[0]) && lower(c) <= lower(p[2]))
        found = 1;
      p += 3;
    } else if (same(*p++, c)) {
      found = 1;
    }
  } while (p < end - 1);
  return found != negated;
}

/* Where the item at re ends. */
static const char *item_end(const char *re) {
  const char *end;

  if (re[0] == '\\' && re[1])
    return re + 2;
  if (re[0] == '[' && (end = set_end(re)))
    return end;
  return re + 1;
}

static int item_matches(const char *re, const char *end, char c) {
  if (re[0] == '\\' && end == re + 2)
    return same(re[1], c);
  if (re[0] == '[' && end > re + 1)
    return in_set(re, end, c);
  return re[0] == '.' || same(re[0], c);
}

/* Does re match at the start of text? */
static int match_here(const char *re, const char *text) {
  while (*re) {
    const char *end = item_end(re);

    if (*end == '*') {
      const char *t = text;

      while (*t && item_matches(re, end, *t))
        t++;
      for (; t >= text; t--)
        if (match_here(end + 1, t))
          return 1;
      return 0;
    }
    if (re[0] == '$' && !re[1])
      return !*text;
    if (!*text || !item_matches(re, end, *text))
      return 0;
    re = end;
    text++;
  }
  return 1;
}

static int match(const char *re, const char *text) {
  if (*re == '^')
    return match_here(re + 1, text);
  do {
    if (match_here(re, text))
      return 1;
  } while (*text++);
  return 0;
}

static void search(int fd, const char *name) {
  struct linereader r;
  long selected = 0;
  char *line;
  uint len;

  line_open(&r, fd);
  for (long number = 1; (line = line_next(&r, &len)); number++) {
    if (match(pattern, line) == invert)
      continue;
    selected++;
    if (quiet)
      break;
    if (count_only)
      continue;
    if (prefixes)
      printf("%s:", name);
    if (numbers)
      printf("%ld:", number);
    line[len] = '\n'; /* where the reader put its 0 */
    write_all(1, line, len + 1);
  }
  line_close(&r);
  if (count_only && !quiet)
    printf("%s%s%ld\n", prefixes ? name : "", prefixes ? ":" : "", selected);
  found += selected;
}

static void options(int argc, char **argv) {
  int option;

  while ((option = getopt(argc, argv, "vincq")) != -1)
    switch (option) {
      case 'v':
        invert = 1;
        break;
      case 'i':
        ignore_case = 1;
        break;
      case 'n':
        numbers = 1;
        break;
      case 'c':
        count_only = 1;
        break;
      case 'q':
        quiet = 1;
        break;
      default:
        bad_usage(USAGE);
    }
  if (optind == argc)
    bad_usage(USAGE);
}

int main(int argc, char **argv) {
  int failed;

  options(argc, argv);
  pattern = argv[optind++];
  prefixes = argc - optind > 1;
  failed = each_input(argc, argv, search);
  if (failed)
    return TROUBLE;
  return found > 0 ? 0 : NO_MATCH;
}
