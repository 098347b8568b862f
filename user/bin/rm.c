/*
 * rm [-r] [-f] FILE...: remove files; -r directories with all they hold, too;
 * -f without a word about what is not there. Without -r an empty directory can
 * be removed, as in xv6.
 *
 * A tree may be deeper than a path is long and than this program's stack, so
 * there is no recursion: the walk goes down by chdir(), with the names of the
 * way back up in a list. It has a process of its own, whose end leaves the
 * current directory where it was.
 */
#include "abi/fs.h"
#include "user/user.h"

#define USAGE "[-r] [-f] FILE..."
#define ENTRIES 64 /* read at a time */

static int recursive, force;

struct level {
  struct level *above;
  char name[DIRSIZ + 1]; /* of the directory, in the one above */
};

static int is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Remove the entries of the current directory until one is not empty: its name
 * into name[], and 1. Slots stay where they are when entries go. */
static int remove_entries(char *name) {
  static struct dirent d[ENTRIES];
  int fd = open(".", O_RDONLY), n;

  if (fd < 0)
    fatal("%s", name);
  while ((n = read(fd, d, sizeof(d))) > 0)
    for (int i = 0; i < n / (int)sizeof(d[0]); i++) {
      memmove(name, d[i].name, DIRSIZ);
      name[DIRSIZ] = 0;
      if (d[i].inum == 0 || is_dots(name) || unlink(name) == 0)
        continue;
      if (lasterr() != ENOTEMPTY)
        fatal("%s", name);
      close(fd);
      return 1;
    }
  close(fd);
  return 0;
}

static struct level *go_down(struct level *above, const char *name) {
  struct level *l = xmalloc(sizeof(*l));

  if (chdir(name) < 0)
    fatal("%s", name);
  l->above = above;
  strcpy(l->name, name);
  return l;
}

static struct level *go_up(struct level *l) {
  struct level *above = l->above;

  if (chdir("..") < 0 || unlink(l->name) < 0)
    fatal("%s", l->name);
  free(l);
  return above;
}

static void empty_current(void) {
  struct level *here = 0;
  char name[DIRSIZ + 1] = ".";

  for (;;) {
    if (remove_entries(name))
      here = go_down(here, name);
    else if (here)
      here = go_up(here);
    else
      return;
  }
}

/* 0 or -1 after a message. */
static int empty_directory(const char *path) {
  int pid = fork(), status = -1;

  if (pid < 0) {
    warn("fork");
    return -1;
  }
  if (pid == 0) {
    if (chdir(path) < 0)
      fatal("%s", path);
    empty_current();
    exit(0);
  }
  waitpid(pid, &status, 0);
  return status == 0 ? 0 : -1;
}

static int remove(const char *path) {
  if (unlink(path) == 0)
    return 0;
  if (recursive && lasterr() == ENOTEMPTY) {
    if (empty_directory(path) < 0)
      return 1;
    if (unlink(path) == 0)
      return 0;
  }
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
    failed |= remove(argv[i]);
  return failed;
}
