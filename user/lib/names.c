/*
 * The names of a directory: to do something to each, and to take away all that
 * came since they were noted. Whatever makes files without end, as tests do that
 * are killed at any moment, can so be cleared up after.
 */
#include "extra.h"
#include "kernel/fs.h"
#include "user/user.h"

#define NAMES_MAX 120 /* in the directory at first */

static char names[NAMES_MAX][DIRSIZ + 1];
static uint nnames;

EXTRA void each_name(void (*what)(const char *name)) {
  struct dirent e;
  char name[DIRSIZ + 1] = {0};
  int fd = open(".", O_RDONLY);

  while (read(fd, &e, sizeof(e)) == sizeof(e)) {
    memmove(name, e.name, DIRSIZ);
    if (e.inum != 0 && strcmp(name, ".") && strcmp(name, ".."))
      what(name);
  }
  close(fd);
}

EXTRA void remove_tree(const char *name) {
  if (unlink(name) == 0)
    return;
  if (chdir(name) == 0) {
    each_name(remove_tree);
    chdir("..");
  }
  unlink(name);
}

static void note_name(const char *name) {
  if (nnames == NAMES_MAX)
    fatal("too many files to note");
  memmove(names[nnames++], name, DIRSIZ);
}

EXTRA void note_names(void) {
  nnames = 0;
  each_name(note_name);
}

static void remove_if_new(const char *name) {
  for (uint i = 0; i < nnames; i++)
    if (strcmp(names[i], name) == 0)
      return;
  remove_tree(name);
}

EXTRA void remove_new_names(void) { each_name(remove_if_new); }
