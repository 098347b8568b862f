/*
 * restrict COMMAND [ARG...]: run a command that may not look at the memory of
 * others, kill processes that are not its own, or turn the machine off.
 */
#include "user/user.h"

int main(int argc, char **argv) {
  char *path;

  if (argc < 2)
    bad_usage("COMMAND [ARG...]");
  if (restrict_rights(0) < 0)
    fatal("cannot give up rights");
  exec(argv[1], argv + 1);
  if (!strchr(argv[1], '/')) { /* the shell's PATH is / unless changed */
    path = path_in("/", argv[1]);
    exec(path, argv + 1);
  }
  fatal("%s", argv[1]);
}
