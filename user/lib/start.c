/*
 * Where a program starts: the kernel enters _start (start.S) with the stack set
 * up and the arguments in registers (exec), and that calls start(). main() may
 * return a status or call exit() itself.
 */
#include "extra.h"
#include "user/user.h"

int main(int argc, char **argv);

EXTRA const char *progname = "?";

/* The last part of a path. Not strrchr(): that is an EXTRA. */
static const char *last_part(const char *path) {
  const char *part = path;

  for (; *path; path++)
    if (*path == '/' && path[1])
      part = path + 1;
  return part;
}

void start(int argc, char **argv) {
  if (argc > 0)
    progname = last_part(argv[0]);
  exit(main(argc, argv));
}
