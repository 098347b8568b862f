/* rmdir DIRECTORY...: remove empty directories. */
#include "user/user.h"

static int is_directory(const char *path) {
  struct stat st;

  if (stat(path, &st) < 0) {
    warn("%s", path);
    return 0;
  }
  if (st.type == T_DIR)
    return 1;
  complain("%s: %s", path, strerror(ENOTDIR));
  return 0;
}

int main(int argc, char **argv) {
  int failed = 0;

  if (argc < 2)
    bad_usage("DIRECTORY...");
  for (int i = 1; i < argc; i++) {
    if (!is_directory(argv[i])) {
      failed = 1;
    } else if (unlink(argv[i]) < 0) {
      warn("%s", argv[i]);
      failed = 1;
    }
  }
  return failed;
}
