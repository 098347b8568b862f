/* Linux, by the names that the tests use. */
#ifndef TESTS_PORT_LINUX_H
#define TESTS_PORT_LINUX_H

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ON_LINUX 1
#define DEVICE "/dev/tty"

typedef unsigned char uchar;
typedef unsigned long long uint64;

#define O_CREATE O_CREAT
#define open(path, flags) open(path, flags, 0700)
#define mkdir(path) mkdir(path, 0700)
#define exec(path, argv) execv(path, argv)
#define lasterr() errno
#define yield sched_yield
#define sbrklazy sbrk

int(mkdir)(const char *path, unsigned mode);

static inline int os_wait(int pid) {
  int status;

  if (waitpid(pid, &status, 0) != pid)
    return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The absolute path of a program that was started by this name. */
static inline const char *os_program(const char *name) {
  static char path[4096];

  return realpath(name, path);
}

static inline int os_rmdir(const char *path) { return rmdir(path); }

/* Linux checks itself. */
struct os_memory {
  int nothing;
};
static inline void os_memory(struct os_memory *m) { m->nothing = 0; }
static inline int os_memory_back(const struct os_memory *m) {
  return m->nothing == 0;
}
static inline int os_memcheck(void) { return 0; }

static inline unsigned long os_absurd(void) { return 1UL << 46; }

static inline int os_denies_exec(void) { return 1; }

/* Output goes out at once, so that a child has no copy of it; and who is
 * killed leaves no core. */
static inline void os_start(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

#endif
