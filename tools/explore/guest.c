/*
 * QEMU inherits three descriptors and is told their numbers:
 *
 *     memfd        mem-path=/proc/self/fd/N     RAM, mapped by both
 *     socketpair   -serial                      the console
 *     socketpair   -gdb                         the debugger interface
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

#define WORDS_ADDED 20 /* at most, to QEMU's command line */
#define END_TRIES 200  /* of END_WAIT_NS each, before it is killed */
#define END_WAIT_NS 10000000

enum { OURS, QEMUS };

struct guest {
  pid_t pid; /* 0: none, or its end was seen */
  struct source *ram;
  int console, debugger;
};

uint64_t guest_memory(const char *text) {
  char *end;
  unsigned long long n;

  if (*text < '1' || *text > '9')
    return 0;
  errno = 0;
  n = strtoull(text, &end, 10);
  if (errno != 0 || n >= 1ULL << 32)
    return 0;
  switch (*end) {
    case 'K':
      return end[1] ? 0 : n << 10;
    case 0:
      return n << 20;
    case 'M':
      return end[1] ? 0 : n << 20;
    case 'G':
      return end[1] ? 0 : n << 30;
  }
  return 0;
}

/* --- QEMU's command line --- */

struct words {
  char **word;
  size_t n;
};

static void add(struct words *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct words *w, const char *format, ...) {
  char text[200];
  va_list args;

  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  w->word[w->n++] = strdup(text);
  w->word[w->n] = NULL;
}

static struct words command_line(char *const *command, uint64_t bytes, int ram,
                                 int console, int debugger) {
  struct words w = {0};
  size_t n = 0;

  while (command[n] != NULL)
    n++;
  w.word = must_alloc(n + WORDS_ADDED, sizeof(*w.word));
  for (; w.n < n; w.n++)
    w.word[w.n] = command[w.n];
  add(&w, "-object");
  add(&w,
      "memory-backend-file,id=ram,share=on,size=%llu,"
      "mem-path=/proc/self/fd/%d",
      (unsigned long long)bytes, ram);
  add(&w, "-machine");
  add(&w, "memory-backend=ram");
  add(&w, "-chardev");
  add(&w, "socket,id=console,fd=%d", console);
  add(&w, "-serial");
  add(&w, "chardev:console");
  add(&w, "-chardev");
  add(&w, "socket,id=debugger,fd=%d", debugger);
  add(&w, "-gdb");
  add(&w, "chardev:debugger");
  add(&w, "-monitor");
  add(&w, "none");
  return w;
}

/* In the new process. Ctrl-C in the terminal is for the explorer alone, which
 * then ends QEMU. */
static void become_qemu(struct words w, pid_t parent) {
  int null = open("/dev/null", O_RDWR);

  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1);
  dup2(null, 0);
  dup2(null, 1);
  execvp(w.word[0], w.word);
  fprintf(stderr, "explore: %s: %s\n", w.word[0], strerror(errno));
  _exit(127);
}

/* --- starting and ending --- */

static int open_ram(struct guest *g, uint64_t start, uint64_t bytes,
                    struct trouble *why) {
  char path[40];
  int fd = memfd_create("guest RAM", 0);

  if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0) {
    trouble_say(why, "no memory for the machine: %s", strerror(errno));
    if (fd >= 0)
      close(fd);
    return -1;
  }
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  g->ram = source_open_ram(path, start, why);
  if (g->ram == NULL) {
    close(fd);
    return -1;
  }
  return fd;
}

/* Two sockets, of which QEMU inherits one. */
static int open_pair(int *ours, struct trouble *why) {
  int pair[2];

  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
    return trouble_say(why, "no sockets for the machine: %s", strerror(errno));
  fcntl(pair[OURS], F_SETFD, FD_CLOEXEC);
  *ours = pair[OURS];
  return pair[QEMUS];
}

static void start(struct guest *g, char *const *command, uint64_t bytes,
                  int ram, int console, int debugger) {
  struct words w = command_line(command, bytes, ram, console, debugger);
  size_t given = 0;
  pid_t parent = getpid();

  g->pid = fork();
  if (g->pid == 0)
    become_qemu(w, parent);
  while (command[given] != NULL)
    given++;
  while (w.n > given)
    free(w.word[--w.n]);
  free(w.word);
}

struct guest *guest_start(char *const *command, uint64_t ram_start,
                          uint64_t bytes, struct trouble *why) {
  struct guest *g = must_alloc(1, sizeof(*g));
  int ram, console = -1, debugger = -1;

  g->console = g->debugger = -1;
  ram = open_ram(g, ram_start, bytes, why);
  if (ram >= 0)
    console = open_pair(&g->console, why);
  if (console >= 0)
    debugger = open_pair(&g->debugger, why);
  if (debugger >= 0) {
    start(g, command, bytes, ram, console, debugger);
    if (g->pid < 0)
      trouble_say(why, "QEMU could not be started: %s", strerror(errno));
  }
  for (int i = 0, fds[] = {ram, console, debugger}; i < 3; i++)
    if (fds[i] >= 0)
      close(fds[i]);
  if (g->pid > 0)
    return g;
  source_close(g->ram);
  g->pid = 0;
  guest_end(g);
  return NULL;
}

bool guest_ended(struct guest *g) {
  if (g->pid != 0 && waitpid(g->pid, NULL, WNOHANG) != 0)
    g->pid = 0;
  return g->pid == 0;
}

void guest_end(struct guest *g) {
  struct timespec wait = {.tv_nsec = END_WAIT_NS};

  if (g == NULL)
    return;
  if (!guest_ended(g))
    kill(g->pid, SIGTERM);
  for (int i = 0; i < END_TRIES && !guest_ended(g); i++)
    nanosleep(&wait, NULL);
  if (!guest_ended(g)) {
    kill(g->pid, SIGKILL);
    waitpid(g->pid, NULL, 0);
  }
  free(g);
}

struct source *guest_ram(struct guest *g) {
  return g->ram;
}
int guest_console(struct guest *g) { return g->console; }
int guest_debugger(struct guest *g) { return g->debugger; }
