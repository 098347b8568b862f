/*
 * Where commands come from: a person at a terminal, who gets a prompt and the
 * line editor; a pipe or file on fd 0; or a text in memory (a script, or the
 * argument of -c).
 *
 * From fd 0 a byte at a time is read: what follows the line belongs to the
 * commands that run.
 */
#include "sh.h"

#define PROMPT "$ "
#define PROMPT_MORE "> "

void source_open_stdin(struct source *src) {
  struct stat st;

  memset(src, 0, sizeof(*src));
  src->kind = SOURCE_STREAM;
  if (ttyctl(0, TTY_GETMODE, 0) >= 0) {
    src->kind = SOURCE_TERMINAL;
    src->editing = 1;
  } else if (lasterr() == ENOSYS && fstat(0, &st) == 0 && st.type == T_DEVICE) {
    src->kind = SOURCE_TERMINAL; /* a kernel that edits lines by itself */
  }
}

static enum line read_bytes(struct text *t) {
  uint before = t->len;
  char c;

  while (read(0, &c, 1) == 1) {
    text_add(t, &c, 1);
    if (c == '\n')
      return LINE_READ;
  }
  return t->len > before ? LINE_READ : LINE_END;
}

static enum line take_text(struct source *src, struct text *t) {
  const char *end = strchr(src->text, '\n');
  uint n = end ? end + 1 - src->text : (long)strlen(src->text);

  text_add(t, src->text, n);
  src->text += n;
  return n > 0 ? LINE_READ : LINE_END;
}

enum line source_line(struct source *src, struct text *t, int more) {
  const char *prompt = more ? PROMPT_MORE : PROMPT;
  enum line got;

  src->line++;
  if (src->kind == SOURCE_TEXT) {
    got = take_text(src, t);
  } else if (src->editing) {
    got = edit_line(prompt, t);
  } else {
    if (src->kind == SOURCE_TERMINAL)
      write(2, prompt, strlen(prompt));
    got = read_bytes(t);
  }
  if (got == LINE_READ && t->s[t->len - 1] != '\n')
    text_add(t, "\n", 1);
  return got;
}

char *read_file(const char *path) {
  struct text t = {0, 0, 0};
  static char buf[1024];
  int fd = open(path, O_RDONLY), n;

  if (fd < 0)
    return 0;
  text_add(&t, "", 0);
  while ((n = read(fd, buf, sizeof(buf))) > 0)
    text_add(&t, buf, n);
  close(fd);
  if (n == 0)
    return t.s;
  free(t.s);
  return 0;
}
