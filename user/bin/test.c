/*
 * test EXPRESSION, [ EXPRESSION ]: answer by the exit status.
 *
 *   STRING, -n STRING      not empty          -z STRING   empty
 *   A = B, A != B          strings            A -eq B     numbers; also -ne
 *   -e FILE  it exists     -f a file, -d a directory      -lt -le -gt -ge
 *   -s FILE  it is larger than 0 bytes        ! EXPRESSION
 *
 * Exit status: 0 true, 1 false, 2 not an expression. The shell runs this
 * program for the command named [ as well.
 */
#include "user/user.h"

#define USAGE "EXPRESSION"

static int file_test(char what, const char *path) {
  struct stat st;

  if (stat(path, &st) < 0)
    return 0;
  switch (what) {
    case 'e':
      return 1;
    case 'f':
      return st.type == T_FILE;
    case 'd':
      return st.type == T_DIR;
    case 's':
      return st.size > 0;
  }
  bad_usage(USAGE);
}

static int one(const char *op, const char *arg) {
  if (strcmp(op, "!") == 0)
    return !*arg;
  if (op[0] != '-' || !op[1] || op[2])
    bad_usage(USAGE);
  if (op[1] == 'n')
    return *arg != 0;
  if (op[1] == 'z')
    return *arg == 0;
  return file_test(op[1], arg);
}

static int number_test(const char *op, long long a, long long b) {
  if (strcmp(op, "-eq") == 0)
    return a == b;
  if (strcmp(op, "-ne") == 0)
    return a != b;
  if (strcmp(op, "-lt") == 0)
    return a < b;
  if (strcmp(op, "-le") == 0)
    return a <= b;
  if (strcmp(op, "-gt") == 0)
    return a > b;
  if (strcmp(op, "-ge") == 0)
    return a >= b;
  bad_usage(USAGE);
}

static int two(const char *left, const char *op, const char *right) {
  long long a, b;

  if (strcmp(op, "=") == 0)
    return strcmp(left, right) == 0;
  if (strcmp(op, "!=") == 0)
    return strcmp(left, right) != 0;
  if (parse_number(left, &a) < 0 || parse_number(right, &b) < 0)
    bad_usage(USAGE);
  return number_test(op, a, b);
}

static int evaluate(int n, char **e) {
  if (n > 1 && strcmp(e[0], "!") == 0 && n != 3)
    return !evaluate(n - 1, e + 1);
  switch (n) {
    case 0:
      return 0;
    case 1:
      return *e[0] != 0;
    case 2:
      return one(e[0], e[1]);
    case 3:
      if (strcmp(e[0], "!") == 0 && e[1][0] == '-' && e[1][1] && !e[1][2])
        return !one(e[1], e[2]);
      return two(e[0], e[1], e[2]);
  }
  bad_usage(USAGE);
}

int main(int argc, char **argv) {
  if (strcmp(progname, "[") == 0) {
    if (strcmp(argv[argc - 1], "]") != 0)
      bad_usage("EXPRESSION ]");
    argc--;
  }
  return !evaluate(argc - 1, argv + 1);
}
