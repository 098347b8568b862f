/*
 * What the word before the cursor could become: a command where a command
 * stands, the name of a file elsewhere.
 */
#include "abi/fs.h"
#include "sh.h"

#define NAMES_FIRST 16

static int size; /* entries that names has room for */

static int begins_with(const char *s, const char *prefix, uint n) {
  return strncmp(s, prefix, n) == 0;
}

static void make_room(struct completion *c) {
  char **bigger;

  if (c->count < size)
    return;
  size = size ? 2 * size : NAMES_FIRST;
  bigger = arena_alloc(size * sizeof(bigger[0]));
  memmove(bigger, c->names, c->count * sizeof(bigger[0]));
  c->names = bigger;
}

/* Add a name, with `end` after it, where it belongs in the order, unless it is
 * there already. */
static void add(struct completion *c, const char *name, const char *end) {
  uint n = strlen(name);
  char *copy = arena_alloc(n + strlen(end) + 1);
  int i = c->count;

  strcpy(copy, name);
  strcpy(copy + n, end);
  while (i > 0 && strcmp(c->names[i - 1], copy) >= 0)
    i--;
  if (i < c->count && strcmp(c->names[i], copy) == 0)
    return;
  make_room(c);
  memmove(c->names + i + 1, c->names + i, (c->count - i) * sizeof(c->names[0]));
  c->names[i] = copy;
  c->count++;
}

static int type_of(const char *dir, const char *name) {
  char *path = path_in(dir, name);
  struct stat st;
  int type = stat(path, &st) < 0 ? 0 : st.type;

  free(path);
  return type;
}

/* The entries of a folder that begin so; programs: no folders, no devices. */
static void add_entries(struct completion *c, const char *dir,
                        const char *prefix, uint n, int programs) {
  int fd = open(dir, O_RDONLY);
  struct dirent d;

  if (fd < 0)
    return;
  while (read(fd, &d, sizeof(d)) == sizeof(d)) {
    char name[DIRSIZ + 1] = {0};
    int type;

    memmove(name, d.name, DIRSIZ);
    if (d.inum == 0 || !begins_with(name, prefix, n))
      continue;
    if (name[0] == '.' && n == 0)
      continue;
    type = type_of(dir, name);
    if (!programs || type == T_FILE)
      add(c, name, type == T_DIR ? "/" : "");
  }
  close(fd);
}

static void add_commands(struct completion *c, const char *prefix, uint n) {
  const char *path = var_get("PATH", 4);

  for (int i = 0; builtin_name(i); i++)
    if (begins_with(builtin_name(i), prefix, n))
      add(c, builtin_name(i), "");
  if (!path)
    path = "/";
  while (*path) {
    const char *end = strchr(path, ':');
    uint length = end ? end - path : (long)strlen(path);

    add_entries(c, arena_copy(path, length), prefix, n, 1);
    path += end ? length + 1 : length;
  }
}

/* Does the word that starts at s[start] stand where a command does? */
static int is_command(const char *s, uint start) {
  while (start > 0 && s[start - 1] == ' ')
    start--;
  return start == 0 || strchr(";|&(", s[start - 1]);
}

static void find_common(struct completion *c) {
  if (c->count == 0)
    return;
  c->common = strlen(c->names[0]);
  for (int i = 1; i < c->count; i++) {
    uint n = 0;

    while (n < c->common && c->names[i][n] == c->names[0][n])
      n++;
    c->common = n;
  }
}

void complete(const char *s, uint pos, struct completion *c) {
  uint word = pos, name;

  memset(c, 0, sizeof(*c));
  size = 0;
  while (word > 0 && !strchr(" ;|&()<>=", s[word - 1]))
    word--;
  for (name = pos; name > word && s[name - 1] != '/';)
    name--;
  c->start = name;
  if (name > word) /* after a slash */
    add_entries(c, arena_copy(s + word, name - word), s + name, pos - name, 0);
  else if (is_command(s, word))
    add_commands(c, s + name, pos - name);
  else
    add_entries(c, ".", s + name, pos - name, 0);
  find_common(c);
}
