/*
 * rm [-r] [-f] FILE...: remove files; -r directories with all they hold, too;
 * -f without a word about what is not there. Without -r an empty directory can
 * be removed, as in xv6.
 */
#include "abi/fs.h"
#include "user/user.h"

#define USAGE "[-r] [-f] FILE..."

static int recursive, force;

static int remove_tree(const char *path);

static int is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Remove what a directory holds. Entries that go while it is read are no
 * trouble: their slots stay where they are. */
static int remove_contents(int fd, const char *path) {
  int failed = 0, length = strlen(path) + 1 + DIRSIZ + 1;
  char *full = xmalloc(length);
  struct dirent d;

  while (read(fd, &d, sizeof(d)) == sizeof(d)) {
    char name[DIRSIZ + 1] = {0};

    memmove(name, d.name, DIRSIZ);
    if (d.inum == 0 || is_dots(name))
      continue;
    snprintf(full, length, "%s/%s", path, name);
    failed |= remove_tree(full);
  }
  free(full);
  return failed;
}

static int remove_tree(const char *path) {
  int fd = recursive ? open(path, O_RDONLY) : -1;
  struct stat st;
  int failed = 0;

  if (fd >= 0) {
    if (fstat(fd, &st) == 0 && st.type == T_DIR)
      failed = remove_contents(fd, path);
    close(fd);
  }
  if (failed || unlink(path) == 0)
    return failed;
  if (force && lasterr() == ENOENT)
    return 0;
  warn("%s", path);
  return 1;
}

int main(int argc, char **argv) {
  int failed = 0, option;

  while ((option = getopt(argc, argv, "rf")) != -1) {
    if (option == '?')
      bad_usage(USAGE);
    recursive |= option == 'r';
    force |= option == 'f';
  }
  if (optind == argc && !force)
    bad_usage(USAGE);
  for (int i = optind; i < argc; i++)
    failed |= remove_tree(argv[i]);
  return failed;
}
