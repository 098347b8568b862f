/* mv FILE NAME, mv FILE... DIRECTORY: rename files, or move them. */
#include "user/user.h"

#define USAGE "FILE NAME | FILE... DIRECTORY"

static int move_to(const char *from, const char *to) {
  if (rename(from, to) == 0)
    return 0;
  warn("%s to %s", from, to);
  return 1;
}

static int move_into(const char *from, const char *dir) {
  char *to = path_in(dir, from);
  int failed = move_to(from, to);

  free(to);
  return failed;
}

int main(int argc, char **argv) {
  const char *target;
  struct stat st;
  int failed = 0;

  if (argc < 3)
    bad_usage(USAGE);
  target = argv[argc - 1];
  if (stat(target, &st) == 0 && st.type == T_DIR) {
    for (int i = 1; i < argc - 1; i++)
      failed |= move_into(argv[i], target);
    return failed;
  }
  if (argc != 3)
    bad_usage(USAGE);
  return move_to(argv[1], target);
}
