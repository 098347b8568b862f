/*
 * sort [-r] [-n] [-u] [FILE...]: the lines of all files, in order; -r backward,
 * -n by the number at their start, -u each once.
 *
 * A merge sort over pointers: stable, and never slower than n log n.
 */
#include "user/user.h"

#define USAGE "[-r] [-n] [-u] [FILE...]"

static int reverse, numeric, unique;

static char **lines;
static int count, size;

static long long value(const char *s) {
  int negative;
  long long n = 0;

  while (*s == ' ' || *s == '\t')
    s++;
  negative = *s == '-';
  if (negative)
    s++;
  while (*s >= '0' && *s <= '9')
    n = n * 10 + (*s++ - '0');
  return negative ? -n : n;
}

static int compare(const char *a, const char *b) {
  if (numeric) {
    long long x = value(a), y = value(b);

    if (x != y)
      return x < y ? -1 : 1;
    if (unique)
      return 0;
  }
  return strcmp(a, b);
}

static int in_order(const char *a, const char *b) {
  int c = compare(a, b);

  return reverse ? c >= 0 : c <= 0;
}

static void merge(char **from, char **to, int left, int middle, int right) {
  int i = left, j = middle;

  for (int k = left; k < right; k++)
    if (j == right || (i < middle && in_order(from[i], from[j])))
      to[k] = from[i++];
    else
      to[k] = from[j++];
}

static int min(int a, int b) { return a < b ? a : b; }

static void sort(void) {
  char **other = xmalloc(count * sizeof(char *) + 1);

  for (int run = 1; run < count; run *= 2) {
    char **swap = lines;

    for (int i = 0; i < count; i += 2 * run)
      merge(lines, other, i, min(i + run, count), min(i + 2 * run, count));
    lines = other;
    other = swap;
  }
  free(other);
}

static void collect(int fd, const char *name) {
  struct linereader r;
  char *line;
  uint len;

  (void)name;
  line_open(&r, fd);
  while ((line = line_next(&r, &len))) {
    if (count == size) {
      size = size ? 2 * size : 1024;
      lines = xrealloc(lines, size * sizeof(char *));
    }
    lines[count] = xmalloc(len + 1);
    memmove(lines[count++], line, len + 1);
  }
  line_close(&r);
}

/* Add a line to what is written in large pieces; 0: write what is left. */
static void put_line(const char *line) {
  static char buf[4096];
  static uint used;
  uint len = line ? strlen(line) + 1 : 0;

  if (!line || len > sizeof(buf) - used) {
    write_all(1, buf, used);
    used = 0;
  }
  if (!line)
    return;
  if (len > sizeof(buf)) {
    write_all(1, line, len - 1);
    write_all(1, "\n", 1);
    return;
  }
  memmove(buf + used, line, len - 1);
  buf[used + len - 1] = '\n';
  used += len;
}

int main(int argc, char **argv) {
  int failed, option;

  while ((option = getopt(argc, argv, "rnu")) != -1) {
    if (option == '?')
      bad_usage(USAGE);
    reverse |= option == 'r';
    numeric |= option == 'n';
    unique |= option == 'u';
  }
  failed = each_input(argc, argv, collect);
  sort();
  for (int i = 0; i < count; i++)
    if (!unique || i == 0 || compare(lines[i - 1], lines[i]) != 0)
      put_line(lines[i]);
  put_line(0);
  return failed;
}
