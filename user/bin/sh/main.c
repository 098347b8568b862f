/*
 * sh [FILE [ARG...]], sh -c COMMANDS [NAME [ARG...]]: the shell.
 *
 * Without arguments it reads commands from fd 0; a person gets the prompt `$ `
 * and a line editor. $? is the status of the last command, 0 to 255; a program
 * that the kernel ended (a fault, Ctrl-C, kill) has status -1, seen as 255.
 */
#include "sh.h"

#define USAGE "[-c COMMANDS | FILE] [ARG...]"

static void reap_background(void) {
  while (waitpid(-1, 0, WNOHANG) > 0)
    continue;
}

int run_source(struct source *src) {
  struct lexer lx = {.src = src};
  struct arena_mark mark = arena_mark();
  int status;

  for (;;) {
    struct node *n;

    reap_background();
    n = parse(&lx, &status);
    if (n)
      run(n);
    else if (status < 0)
      break;
    else if (status > 0)
      shell.status = status;
    arena_release(mark);
    if (status == STATUS_SYNTAX && src->kind == SOURCE_TEXT)
      break;
  }
  free(lx.text.s);
  return shell.status;
}

static void open_script(struct source *src, const char *path) {
  src->kind = SOURCE_TEXT;
  src->text = read_file(path);
  if (src->text)
    return;
  warn("%s", path);
  exit(STATUS_NOT_FOUND);
}

/* Set src up as the arguments say. Returns which of them is $0. */
static int open_source(struct source *src, int argc, char **argv) {
  memset(src, 0, sizeof(*src));
  if (argc == 1) {
    source_open_stdin(src);
    return 0;
  }
  if (strcmp(argv[1], "-c") == 0) {
    if (argc < 3)
      bad_usage(USAGE);
    src->kind = SOURCE_TEXT;
    src->text = argv[2];
    return argc > 3 ? 3 : 0;
  }
  if (argv[1][0] == '-')
    bad_usage(USAGE);
  open_script(src, argv[1]);
  return 1;
}

int main(int argc, char **argv) {
  struct source src;
  int zero;

  if (argc < 1)
    bad_usage(USAGE);
  zero = open_source(&src, argc, argv);
  shell.pid = getpid();
  shell.args = argv + zero;
  shell.argc = zero > 0 ? argc - zero - 1 : 0;
  shell.interactive = src.kind == SOURCE_TERMINAL;
  if (shell.interactive)
    ttyctl(0, TTY_SETPGRP, 0);
  run_source(&src);
  return shell.status;
}
