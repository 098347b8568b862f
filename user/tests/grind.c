/*
 * grind: system calls picked at random, from several processes at once, in the
 * hope that some order of them that nobody thought of breaks something.
 *
 * Each process draws from its own sequence of pseudo-random numbers, made from
 * the seed and the process's place, so that `grind -s SEED` makes the same
 * calls again (though not in the same order across processes). A call may fail;
 * what counts is that the system goes on, that files hold what was written to
 * them, and that pipelines deliver. Processes work in directories of their own
 * and in one that they share, and each is over after a given number of calls.
 *
 * To add something to do: write a function and give it a row in the table.
 */
#include "kernel/types.h"

#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"

#define BUFSIZE 999

static uint64 state; /* of the random numbers, never 0 */
static int held_fd = -1;
static char *first_break;
static char buf[BUFSIZE];
static char home[2]; /* the name of my directory in /grind.d */
static char cwd[40];

/* xorshift64* (Vigna, 2016) */
static uint random_below(uint n) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint)((state * 2685821657736338717UL) >> 33) % n;
}

static void fail(const char *what) {
  fprintf(2, "grind: %s (error %d)\n", what, lasterr());
  exit(1);
}

/* A path out of a few: own, shared, in directories that may not exist. */
static const char *some_path(void) {
  static const char *path[] = {"a",      "b",    "x/a",    "x/b",
                               "x/y/a",  "../a", "../s/a", "../s/b",
                               "x/../a", "./b",  "../s/c", "a/b"};

  return path[random_below(sizeof(path) / sizeof(path[0]))];
}

static const char *some_dir(void) {
  static const char *path[] = {"x", "x/y", "../s/d", "../s/d/e", "x/../y"};

  return path[random_below(sizeof(path) / sizeof(path[0]))];
}

static void do_open_close(void) {
  int fd = open(some_path(), O_CREATE | O_RDWR);

  if (fd >= 0)
    close(fd);
}

static void do_truncate(void) {
  int fd = open(some_path(), O_RDWR | O_TRUNC);

  if (fd >= 0)
    close(fd);
}

static void do_hold(void) {
  close(held_fd);
  held_fd = open(some_path(), O_CREATE | O_RDWR);
}

static void do_write(void) { write(held_fd, buf, (int)random_below(BUFSIZE)); }

static void do_read(void) { read(held_fd, buf, (int)random_below(BUFSIZE)); }

static void do_seek(void) { lseek(held_fd, random_below(20000), SEEK_SET); }

static void do_ftruncate(void) { ftruncate(held_fd, random_below(20000)); }

static void do_append(void) {
  int fd = open(some_path(), O_WRONLY | O_APPEND | O_CREATE);

  if (fd < 0)
    return;
  write(fd, buf, (int)random_below(BUFSIZE));
  close(fd);
}

static void do_stat(void) {
  struct stat st;

  stat(some_path(), &st);
  if (held_fd >= 0 && fstat(held_fd, &st) < 0)
    fail("fstat of an open file");
}

static void do_unlink(void) { unlink(some_path()); }

static void do_link(void) { link(some_path(), some_path()); }

static void do_rename(void) {
  if (random_below(3))
    rename(some_path(), some_path());
  else
    rename(some_dir(), some_dir());
}

static void do_mkdir(void) { mkdir(some_dir()); }

static void do_rmdir(void) { unlink(some_dir()); }

static void do_chdir(void) {
  if (chdir(some_dir()) < 0)
    return;
  do_open_close();
  getcwd(cwd, sizeof(cwd));
  /* Back home, however deep and wherever it has been moved meanwhile. */
  chdir("/grind.d");
  if (chdir(home) < 0)
    fail("cannot come home");
}

static void do_fork(void) {
  int pid = fork();

  if (pid == 0)
    exit(0);
  if (pid > 0 && wait(0) != pid)
    fail("wait gave another child");
}

static void do_fork_twice(void) {
  int pid = fork();

  if (pid == 0) {
    fork();
    fork();
    exit(0);
  }
  if (pid > 0)
    wait(0);
}

static void do_kill_child(void) {
  int status, pid = fork();

  if (pid < 0)
    return;
  if (pid == 0)
    for (;;)
      do_open_close();
  if (random_below(2))
    yield();
  if (kill(pid) < 0)
    fail("kill of a child");
  if (wait(&status) != pid || status != STATUS_KILLED)
    fail("the killed child's status");
}

static void do_self_kill(void) {
  int pid = fork();

  if (pid == 0) {
    kill(getpid());
    exit(1);
  }
  if (pid > 0)
    wait(0);
}

static void do_sbrk(void) {
  char *p = sbrk(6011);

  if (p != (char *)-1)
    p[6010] = 1;
  if (sbrk(0) > first_break + (1 << 20))
    sbrk(-(int)(sbrk(0) - first_break));
}

static void do_pipe(void) {
  int fd[2], n = 0;

  if (pipe(fd) < 0)
    return;
  int pid = fork();
  if (pid == 0) {
    write(fd[1], buf, BUFSIZE);
    exit(0);
  }
  close(fd[1]);
  if (pid > 0)
    for (int got; n < BUFSIZE && (got = read(fd[0], buf, BUFSIZE - n)) > 0;)
      n += got;
  close(fd[0]);
  if (pid > 0 && wait(0) != pid)
    fail("wait after a pipe");
  if (pid > 0 && n != BUFSIZE)
    fail("a pipe lost bytes");
}

static void do_exec(void) {
  static char *argv[] = {"echo", "x", 0};
  int pid = fork();

  if (pid == 0) {
    close(0);
    close(1);
    open("a", O_CREATE | O_RDWR);
    open("b", O_CREATE | O_RDWR);
    exec(random_below(4) ? "/echo" : "a", argv);
    exit(0);
  }
  if (pid > 0)
    wait(0);
}

/* echo hi | cat, and see whether hi comes out. */
static void do_pipeline(void) {
  static char *echo[] = {"echo", "hi", 0}, *cat[] = {"cat", 0};
  int in[2], out[2], n = 0, ends[4];
  char got[4] = {0};

  if (pipe(in) < 0)
    return;
  if (pipe(out) < 0) {
    close(in[0]);
    close(in[1]);
    return;
  }
  memmove(ends, in, sizeof(in));
  memmove(ends + 2, out, sizeof(out));
  for (int i = 0; i < 2; i++) {
    int pid = fork();
    if (pid != 0)
      continue;
    dup2(i ? in[0] : 0, 0);
    dup2(i ? out[1] : in[1], 1);
    for (int k = 0; k < 4; k++)
      close(ends[k]);
    exec(i ? "/cat" : "/echo", i ? cat : echo);
    exit(0);
  }
  close(in[0]);
  close(in[1]);
  close(out[1]);
  while (n < 3 && read(out[0], got + n, 1) == 1)
    n++;
  close(out[0]);
  while (wait(0) >= 0)
    continue;
  if (n != 0 && strcmp(got, "hi\n") != 0)
    fail("a pipeline delivered junk");
}

static void do_misc(void) {
  struct meminfo m;

  dup(-1);
  getpid();
  uptime();
  sync();
  meminfo(&m);
  if (random_below(20) == 0)
    pause(1);
}

static void (*const things[])(void) = {
    do_open_close, do_open_close, do_truncate, do_hold,      do_write,
    do_write,      do_read,       do_seek,     do_ftruncate, do_append,
    do_stat,       do_unlink,     do_unlink,   do_link,      do_rename,
    do_mkdir,      do_rmdir,      do_chdir,    do_fork,      do_fork_twice,
    do_kill_child, do_self_kill,  do_sbrk,     do_pipe,      do_exec,
    do_pipeline,   do_misc,
};
#define THINGS (uint)(sizeof(things) / sizeof(things[0]))

/* One process, in a directory of its own. */
static void grind_one(int who, uint64 seed, int iterations) {
  state = (seed + 1) * 0x9e3779b97f4a7c15UL ^ (uint64)(who + 1) << 20;
  if (state == 0)
    state = 1;
  first_break = sbrk(0);
  home[0] = (char)('A' + who);
  mkdir(home);
  if (chdir(home) < 0)
    fail("cannot enter my directory");
  for (int i = 0; i < iterations; i++) {
    things[random_below(THINGS)]();
    if ((i + 1) % 500 == 0)
      printf("%c", 'A' + who);
  }
}

/* Remove what is left, a few levels deep. */
static void clean(const char *dir) {
  struct {
    ushort inum;
    char name[14];
  } e;
  char name[15] = {0};
  int fd;

  if (chdir(dir) < 0)
    return;
  fd = open(".", O_RDONLY);
  while (read(fd, &e, sizeof(e)) == sizeof(e)) {
    memmove(name, e.name, sizeof(e.name));
    if (e.inum == 0 || !strcmp(name, ".") || !strcmp(name, ".."))
      continue;
    if (unlink(name) == 0)
      continue;
    clean(name);
    unlink(name);
  }
  close(fd);
  chdir("..");
}

int main(int argc, char **argv) {
  long long seed = 1, iterations = 1000, processes = 2;
  int c, status, good = 1;

  while ((c = getopt(argc, argv, "s:n:p:")) != -1) {
    long long *value = c == 's' ? &seed : c == 'n' ? &iterations : &processes;
    if (c == '?' || parse_number(optarg, value) < 0)
      optind = argc + 1;
  }
  if (optind != argc || processes < 1 || processes > 26)
    bad_usage("[-s seed] [-n iterations] [-p processes]");
  mkdir("/grind.d");
  if (chdir("/grind.d") < 0)
    fail("cannot make /grind.d");
  mkdir("s");
  for (int who = 0; who < processes; who++)
    if (fork() == 0) {
      grind_one(who, (uint64)seed, (int)iterations);
      exit(0);
    }
  while (wait(&status) >= 0)
    if (status != 0)
      good = 0;
  clean("/grind.d");
  unlink("/grind.d");
  printf("\ngrind %s (seed %lld)\n", good ? "OK" : "FAILED", seed);
  return !good;
}
