/* cp FILE COPY, cp FILE... DIRECTORY: copy files. */
#include "user/user.h"

#define USAGE "FILE COPY | FILE... DIRECTORY"

static char buf[16384];

static int copy_data(int from, int to) {
  int n;

  while ((n = read(from, buf, sizeof(buf))) > 0)
    if (write(to, buf, n) != n)
      return -1;
  return n;
}

/* Is it one file by two names? Opening it to write would empty it. */
static int same_file(int fd, const char *path) {
  struct stat a, b;

  return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.dev == b.dev &&
         a.ino == b.ino && a.type == T_FILE;
}

static int copy_to(const char *name, const char *copy) {
  int from = open(name, O_RDONLY), to;
  int failed = 1;

  if (from < 0) {
    warn("%s", name);
    return 1;
  }
  if (same_file(from, copy)) {
    complain("%s and %s are the same file", name, copy);
  } else if ((to = open(copy, O_WRONLY | O_CREATE | O_TRUNC)) < 0) {
    warn("%s", copy);
  } else {
    failed = copy_data(from, to) < 0;
    if (failed)
      warn("%s to %s", name, copy);
    close(to);
  }
  close(from);
  return failed;
}

static int copy_into(const char *name, const char *dir) {
  char *copy = path_in(dir, name);
  int failed = copy_to(name, copy);

  free(copy);
  return failed;
}

static int is_directory(const char *path) {
  struct stat st;

  return stat(path, &st) == 0 && st.type == T_DIR;
}

int main(int argc, char **argv) {
  const char *target;
  int into, failed = 0;

  if (argc < 3)
    bad_usage(USAGE);
  target = argv[argc - 1];
  into = is_directory(target);
  if (argc > 3 && !into)
    bad_usage(USAGE);
  for (int i = 1; i < argc - 1; i++) {
    if (is_directory(argv[i])) {
      complain("%s: %s", argv[i], strerror(EISDIR));
      failed = 1;
    } else {
      failed |= into ? copy_into(argv[i], target) : copy_to(argv[i], target);
    }
  }
  return failed;
}
