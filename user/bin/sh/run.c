/*
 * Running a tree.
 *
 * A pipeline of any length, a single command too, is a job: a process for each
 * stage, all in one process group when a person is at the terminal, so that
 * Ctrl-C ends the job and not the shell. The terminal's foreground group is
 * the job while the shell waits for it, and none while the shell reads. A
 * Ctrl-C at any other moment ends nobody, but the terminal counts it: the count
 * is compared before and after each part of a command, and by each new process
 * once it is in the foreground.
 *
 * Built-in commands and { } run in the shell itself; their redirections are
 * undone afterwards from copies of the descriptors.
 */
#include "abi/elf.h"
#include "sh.h"

#define DEFAULT_PATH "/"
#define TEXT_PROBE 128 /* bytes looked at to tell a script from a program */

struct shell shell;

static int join_status(int status) { return status & 0xff; }

/* ---- redirections ---- */

/* Open what r names. -1 after a message. */
static int open_target(const struct redirect *r) {
  static const int flags[] = {
      [R_READ] = O_RDONLY,
      [R_WRITE] = O_WRONLY | O_CREATE | O_TRUNC,
      [R_APPEND] = O_WRONLY | O_CREATE | O_APPEND,
  };
  char *target = expand_text(r->target);
  long long from;
  int fd;

  if (r->kind == R_DUP) {
    fd = parse_number(target, &from) < 0 ? -1 : dup(from);
    if (fd < 0)
      complain("%s: not an open descriptor", target);
  } else {
    fd = open(target, flags[r->kind]);
    if (fd < 0)
      warn("%s", target);
  }
  return fd;
}

static int redirect(const struct redirect *r) {
  for (; r; r = r->next) {
    int fd = open_target(r);

    if (fd < 0)
      return -1;
    if (fd == r->fd)
      continue;
    dup2(fd, r->fd);
    close(fd);
  }
  return 0;
}

/* Copies of what redirections will replace, -1 for what is not open. They lie
 * above the digits that a redirection can name. */
struct saved {
  struct saved *next;
  int fd;
  int copy;
};

#define FIRST_COPY 10

static int copy_high(int fd) {
  int low[FIRST_COPY], n = 0;
  int copy = dup(fd);

  while (copy >= 0 && copy < FIRST_COPY) {
    low[n++] = copy;
    copy = dup(fd);
  }
  while (n > 0)
    close(low[--n]);
  return copy;
}

static struct saved *save(const struct redirect *r) {
  struct saved *list = 0;

  for (; r; r = r->next) {
    struct saved *s = arena_alloc(sizeof(*s));

    s->fd = r->fd;
    s->copy = copy_high(r->fd);
    s->next = list;
    list = s;
  }
  return list;
}

/* The newest first, so that the oldest copy of a descriptor wins. */
static void restore(struct saved *s) {
  for (; s; s = s->next) {
    close(s->fd);
    if (s->copy < 0)
      continue;
    dup2(s->copy, s->fd);
    close(s->copy);
  }
}

/* ---- programs ---- */

static int foreign; /* what could not be run is for another machine */

/* exec refused it: is it a script? Then run it here. */
static void try_script(const char *path, char **argv) {
  struct source src = {.kind = SOURCE_TEXT};
  char *text = read_file(path);
  int argc = 0;

  if (!text)
    return;
  for (int i = 0; i < TEXT_PROBE && text[i]; i++)
    if (text[i] < ' ' && !strchr("\t\r\n", text[i]))
      return;
  while (argv[argc])
    argc++;
  src.text = text;
  shell.argc = argc - 1;
  shell.args = argv;
  exit(run_source(&src));
}

/* Is the file a program, but one for another machine? */
static int is_foreign(const char *path) {
  struct elfhdr elf = {0}; /* of either class: the same up to `machine` */
  int fd = open(path, O_RDONLY);
  struct sysinfo sys;

  if (fd < 0)
    return 0;
  read(fd, &elf, sizeof(elf));
  close(fd);
  return sysinfo(&sys) == 0 && elf.magic == ELF_MAGIC &&
         (elf.elf[0] != sys.elf_class || elf.machine != sys.elf_machine);
}

/* Returns only if it could not be done: why, which lasterr() says, too. */
static int exec_path(const char *path, char **argv) {
  exec(path, argv);
  if (lasterr() == ENOEXEC) {
    try_script(path, argv);
    foreign = is_foreign(path);
    exec(path, argv); /* for the reason */
  }
  return lasterr();
}

/* Look for a command in the folders of PATH, separated by colons. An empty
 * name is in none of them: the path made of it is the folder's own. */
static int exec_search(const char *name, char **argv) {
  const char *path = var_get("PATH", 4);
  uint length = strlen(name);
  int err = ENOENT;

  if (!path)
    path = DEFAULT_PATH;
  while (length > 0 && *path && err == ENOENT) {
    const char *end = strchr(path, ':');
    uint n = end ? end - path : (long)strlen(path);
    char *full = arena_alloc(n + 1 + length + 1);

    memmove(full, path, n);
    full[n] = '/';
    strcpy(full + n + 1, name);
    err = exec_path(full, argv);
    path += end ? n + 1 : n;
  }
  return err;
}

/* Become the program of a command. `[` is the program test by another name. */
static void exec_command(char **argv) {
  const char *name = strcmp(argv[0], "[") == 0 ? "test" : argv[0];
  int err = strchr(name, '/') ? exec_path(name, argv) : exec_search(name, argv);

  if (err == ENOENT) {
    complain("%s: not found", argv[0]);
    exit(STATUS_NOT_FOUND);
  }
  warn(foreign ? "%s: a program for another machine" : "%s", argv[0]);
  exit(STATUS_CANNOT_RUN);
}

static void assign_all(const struct word *w) {
  for (; w; w = w->next)
    var_assign(w->text);
}

/* Carry out a node in a process of its own, and end with it. */
static void run_and_exit(struct node *n) {
  builtin_fn *builtin;
  char **argv;
  int argc;

  if (n->type == N_SUBSHELL) {
    if (redirect(n->redirects) < 0)
      exit(EXIT_FAILED);
    exit(run(n->left));
  }
  if (n->type != N_SIMPLE)
    exit(run(n));
  argv = expand_words(n->words, &argc);
  assign_all(n->assignments);
  if (redirect(n->redirects) < 0)
    exit(EXIT_FAILED);
  if (argc == 0)
    exit(0);
  builtin = builtin_find(argv[0]);
  if (builtin)
    exit(builtin(argc, argv));
  exec_command(argv);
}

/* ---- jobs ---- */

struct job {
  int group; /* its process group: the first process; 0: none yet */
  int foreground;
  int failed; /* a stage could not be started */
};

/* In the child and in the shell, so that it is done whoever runs first. */
static void enter_group(struct job *j, int pid) {
  if (j->group == 0)
    j->group = pid;
  if (!shell.interactive)
    return;
  setpgid(pid, j->group);
  if (j->foreground)
    ttyctl(0, TTY_SETPGRP, j->group);
}

/* A job in the background must not take what is typed: it reads nothing. */
static void read_nothing(void) {
  int fds[2];

  if (pipe(fds) < 0)
    return;
  dup2(fds[0], 0);
  close(fds[0]);
  close(fds[1]);
}

int interrupted(void) {
  int now = shell.interactive ? ttyctl(0, TTY_INTERRUPTS, 0) : -1;

  return now >= 0 && now != shell.interrupts;
}

/* In a new process: become a stage that reads `in` and writes `out`. A Ctrl-C
 * from before the stage was in the foreground did not end it: it asks. */
static void become_stage(struct job *j, struct node *n, int in, int out) {
  enter_group(j, getpid());
  if (j->foreground && interrupted())
    exit(STATUS_KILLED);
  shell.interactive = 0;
  if (in > 0) {
    dup2(in, 0);
    close(in);
  } else if (!j->foreground) {
    read_nothing();
  }
  if (out != 1) {
    dup2(out, 1);
    close(out);
  }
  run_and_exit(n);
}

/* Start a stage; `unused` is the end of a pipe that it must not hold. Returns
 * its pid, or -1. */
static int start_stage(struct job *j, struct node *n, int in, int out,
                       int unused) {
  int pid = fork();

  if (pid == 0) {
    if (unused >= 0)
      close(unused);
    become_stage(j, n, in, out);
  }
  if (pid > 0)
    enter_group(j, pid);
  else
    warn("fork");
  return pid;
}

static int count_stages(const struct node *n) {
  return n->type == N_PIPE ? 1 + count_stages(n->right) : 1;
}

/* Start all stages of a pipeline. Pids into pids[]; returns how many. */
static int start_stages(struct job *j, struct node *n, int *pids) {
  int in = 0, started = 0;

  for (;;) {
    int last = n->type != N_PIPE;
    int fds[2] = {-1, 1};

    if (!last && pipe(fds) < 0) {
      warn("pipe");
      j->failed = 1;
    } else {
      pids[started] = start_stage(j, last ? n : n->left, in, fds[1], fds[0]);
      if (pids[started] < 0)
        j->failed = 1;
    }
    if (in > 0)
      close(in);
    if (fds[1] > 1)
      close(fds[1]);
    in = fds[0];
    if (!j->failed)
      started++;
    if (last || j->failed)
      break;
    n = n->right;
  }
  if (in > 0)
    close(in);
  return started;
}

/* Wait for the processes of a job; the last one's status is the job's. */
static int wait_job(struct job *j, const int *pids, int n) {
  int status = 0;

  for (int i = 0; i < n; i++)
    if (waitpid(pids[i], &status, 0) < 0)
      status = EXIT_FAILED;
  if (shell.interactive)
    ttyctl(0, TTY_SETPGRP, 0);
  return j->failed ? EXIT_FAILED : join_status(status);
}

static int run_foreground(struct node *n) {
  struct job j = {.foreground = 1};
  int *pids = arena_alloc(count_stages(n) * sizeof(pids[0]));

  return wait_job(&j, pids, start_stages(&j, n, pids));
}

static int run_background(struct node *n) {
  struct job j = {.foreground = 0};
  int pid = start_stage(&j, n, 0, 1, -1);

  if (pid < 0)
    return EXIT_FAILED;
  shell.last_job = pid;
  if (shell.interactive)
    fprintf(2, "[%d]\n", pid);
  return 0;
}

/* ---- nodes ---- */

static int run_builtin(builtin_fn *builtin, int argc, char **argv,
                       struct node *n) {
  struct saved *saved = save(n->redirects);
  int status = EXIT_FAILED;

  if (redirect(n->redirects) == 0)
    status = builtin(argc, argv);
  restore(saved);
  return status;
}

/* Nothing but assignments and redirections, which make files. */
static int run_empty(struct node *n) {
  struct saved *saved = save(n->redirects);
  int status = redirect(n->redirects) < 0 ? EXIT_FAILED : 0;

  restore(saved);
  assign_all(n->assignments);
  return status;
}

static int run_simple(struct node *n) {
  struct arena_mark mark = arena_mark();
  builtin_fn *builtin;
  int argc, status;
  char **argv;

  argv = expand_words(n->words, &argc);
  builtin = argc > 0 ? builtin_find(argv[0]) : 0;
  if (argc == 0)
    status = run_empty(n);
  else if (builtin)
    status = run_builtin(builtin, argc, argv, n);
  else
    status = run_foreground(n);
  arena_release(mark);
  return status;
}

static int run_loop(struct node *n) {
  int wanted = n->type == N_WHILE, status = 0;

  while ((run(n->left) == 0) == wanted && !interrupted())
    status = run(n->right);
  return status;
}

static int run_for(struct node *n) {
  int count, status = 0;
  char **values = expand_words(n->words, &count);

  for (int i = 0; i < count && !interrupted(); i++) {
    var_set(n->name, strlen(n->name), values[i]);
    status = run(n->right);
  }
  return status;
}

static int run_if(struct node *n) {
  if (run(n->left) == 0)
    return run(n->right);
  return n->other ? run(n->other) : 0;
}

/* A compound command, its redirections aside. */
static int run_compound(struct node *n) {
  switch (n->type) {
    case N_IF:
      return run_if(n);
    case N_FOR:
      return run_for(n);
    case N_GROUP:
      return run(n->left);
    default:
      return run_loop(n);
  }
}

static int run_redirected(struct node *n) {
  struct saved *saved = save(n->redirects);
  int status = EXIT_FAILED;

  if (redirect(n->redirects) == 0)
    status = run_compound(n);
  restore(saved);
  return status;
}

static int run_node(struct node *n) {
  switch (n->type) {
    case N_SIMPLE:
      return run_simple(n);
    case N_PIPE:
    case N_SUBSHELL:
      return run_foreground(n);
    case N_NOT:
      return !run(n->left);
    case N_AND:
      return run(n->left) == 0 ? run(n->right) : shell.status;
    case N_OR:
      return run(n->left) != 0 ? run(n->right) : shell.status;
    case N_SEQUENCE:
      run(n->left);
      return run(n->right);
    case N_BACKGROUND:
      return run_background(n->left);
    default:
      return run_redirected(n);
  }
}

int run(struct node *n) {
  int status = interrupted() ? 0 : run_node(n);

  shell.status = interrupted() ? join_status(STATUS_KILLED) : status;
  return shell.status;
}
