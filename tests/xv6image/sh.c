/*
 * sh: a line is commands with `|` between them; a command is words and `< file`
 * or `> file`; cd is built in. A byte is read at a time, as xv6's gets() does.
 */
#include "rt.h"

#define WORDS 20

static char line[200];

/* The next line into `line`; 0 at the end of input. */
static int read_line(void) {
  int n = 0;

  while (n + 1 < (int)sizeof(line)) {
    if (read(0, &line[n], 1) < 1)
      return 0;
    if (line[n] == '\n')
      break;
    n++;
  }
  line[n] = 0;
  return 1;
}

/* Cut the word at *p off, or a single < > |; 0 at the end of the line. */
static char *next_word(char **p) {
  char *s = *p, *word;

  while (*s == ' ')
    *s++ = 0;
  word = s;
  if (*s == 0)
    return 0;
  while (*s && *s != ' ')
    s++;
  *p = s;
  if (*s)
    *(*p)++ = 0;
  return word;
}

static void redirect(int fd, const char *path, int mode) {
  close(fd);
  if (path && open(path, mode) == fd)
    return;
  put(2, "sh: cannot open file\n");
  exit(1);
}

static void run(char *p);

/* The rest of the line reads what the words so far write. */
static void run_pipe(char **argv, char *rest) {
  int fd[2];

  pipe(fd);
  if (fork() == 0) {
    close(1);
    dup(fd[1]);
    close(fd[0]);
    close(fd[1]);
    exec(argv[0], argv);
    exit(1);
  }
  close(0);
  dup(fd[0]);
  close(fd[0]);
  close(fd[1]);
  run(rest);
}

static void run(char *p) {
  char *argv[WORDS + 1], *word;
  int n = 0;

  while (n < WORDS && (word = next_word(&p)) != 0) {
    if (same(word, "<"))
      redirect(0, next_word(&p), RDONLY);
    else if (same(word, ">"))
      redirect(1, next_word(&p), WRONLY | CREATE | TRUNC);
    else if (same(word, "|")) {
      argv[n] = 0;
      run_pipe(argv, p);
    } else
      argv[n++] = word;
  }
  argv[n] = 0;
  if (n == 0)
    exit(0);
  exec(argv[0], argv);
  put(2, "exec ");
  put(2, argv[0]);
  put(2, " failed\n");
  exit(1);
}

int main(void) {
  for (;;) {
    put(2, "$ ");
    if (!read_line())
      exit(0);
    if (line[0] == 'c' && line[1] == 'd' && line[2] == ' ') {
      if (chdir(line + 3) < 0)
        put(2, "cannot cd\n");
      continue;
    }
    if (fork() == 0)
      run(line);
    while (wait(0) >= 0)
      continue;
  }
}
