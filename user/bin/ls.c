/*
 * ls [-l] [FILE...]: list files, and what directories hold, by name.
 *
 * One name a line; a directory's ends in /. With -l: type, links, inode number
 * and size come first.
 */
#include "abi/fs.h"
#include "user/user.h"

static int long_format;

struct entry {
  char name[DIRSIZ + 1];
};

static char type_letter(const struct stat *st) {
  if (st->type == T_DIR)
    return 'd';
  return st->type == T_DEVICE ? 'c' : '-';
}

static void show(const char *name, const struct stat *st) {
  if (long_format)
    printf("%c %3d %5u %8ld  ", type_letter(st), st->nlink, st->ino,
           (long)st->size);
  printf("%s%s\n", name, st->type == T_DIR ? "/" : "");
}

static void sort(struct entry *e, int n) {
  for (int gap = n / 2; gap > 0; gap /= 2)
    for (int i = gap; i < n; i++) {
      struct entry moved = e[i];
      int j = i;

      for (; j >= gap && strcmp(e[j - gap].name, moved.name) > 0; j -= gap)
        e[j] = e[j - gap];
      e[j] = moved;
    }
}

/* The names in a directory, sorted; their number into *count. */
static struct entry *read_entries(int fd, int *count) {
  static struct dirent d[64];
  struct entry *all = 0;
  int size = 0, used = 0, n;

  while ((n = read(fd, d, sizeof(d))) > 0) {
    int in_block = n / (int)sizeof(d[0]);

    if (used + in_block > size) {
      size = 2 * size + in_block;
      all = xrealloc(all, size * sizeof(all[0]));
    }
    for (int i = 0; i < in_block; i++) {
      if (d[i].inum == 0)
        continue;
      memmove(all[used].name, d[i].name, DIRSIZ);
      all[used++].name[DIRSIZ] = 0;
    }
  }
  sort(all, used);
  *count = used;
  return all;
}

static int list_directory(int fd, const char *path) {
  int n, failed = 0, length = strlen(path) + 1 + DIRSIZ + 1;
  struct entry *e = read_entries(fd, &n);
  char *full = xmalloc(length);
  struct stat st;

  for (int i = 0; i < n; i++) {
    const char *name = e[i].name;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
      continue;
    snprintf(full, length, "%s/%s", path, name);
    if (stat(full, &st) < 0) {
      warn("%s", full);
      failed = 1;
    } else {
      show(name, &st);
    }
  }
  free(full);
  free(e);
  return failed;
}

static int list(const char *path, int headed) {
  int fd = open(path, O_RDONLY);
  struct stat st;
  int failed = 0;

  if (fd < 0 || fstat(fd, &st) < 0) {
    warn("%s", path);
    return 1;
  }
  if (st.type != T_DIR) {
    show(path, &st);
  } else {
    if (headed)
      printf("%s:\n", path);
    failed = list_directory(fd, path);
  }
  close(fd);
  return failed;
}

int main(int argc, char **argv) {
  int failed = 0, option;

  while ((option = getopt(argc, argv, "l")) != -1) {
    if (option != 'l')
      bad_usage("[-l] [FILE...]");
    long_format = 1;
  }
  if (optind == argc)
    return list(".", 0);
  for (int i = optind; i < argc; i++)
    failed |= list(argv[i], argc - optind > 1);
  return failed;
}
