/*
 * What bench.c needs of Linux. Calls that the C library would add work to
 * (caching, fork handlers, cancellation) go straight to the kernel, so that
 * Linux is measured at its best.
 */
#ifndef BENCH_PORT_LINUX_H
#define BENCH_PORT_LINUX_H

#define _GNU_SOURCE

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long uint64;

#define OS_CREATE O_CREAT

/* stdio must not allocate from the heap that is measured. */
static inline void os_start(void) { setvbuf(stdout, NULL, _IONBF, 0); }

/* Nanoseconds since boot. */
static inline uint64 os_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static inline int os_getpid(void) { return syscall(SYS_getpid); }

static inline int os_fork(void) {
  return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static inline void os_exit(int status) { syscall(SYS_exit_group, status); }

static inline int os_wait(int *status) {
  return syscall(SYS_wait4, -1, status, 0, NULL);
}

static inline int os_exec(const char *path) {
  char *argv[] = {(char *)path, NULL};
  return syscall(SYS_execve, path, argv, NULL);
}

static inline int os_yield(void) { return syscall(SYS_sched_yield); }

static inline int os_sync(int fd) { return fsync(fd); }

typedef thrd_t os_thread;

static inline os_thread os_thread_start(int (*fn)(void *), void *arg) {
  thrd_t t = 0;
  thrd_create(&t, fn, arg);
  return t;
}

static inline void os_thread_join(os_thread t) { thrd_join(t, NULL); }

/* Bytes that programs could still get: caches are given up on demand. */
static inline uint64 os_available_memory(void) {
  static const char *const fields[] = {"MemFree: %lu", "Buffers: %lu",
                                       "Cached: %lu", "SReclaimable: %lu"};
  char line[128];
  unsigned long kb;
  uint64 total_kb = 0;
  FILE *f = fopen("/proc/meminfo", "r");
  if (!f)
    return 0;
  while (fgets(line, sizeof line, f))
    for (int i = 0; i < 4; i++)
      if (sscanf(line, fields[i], &kb) == 1)
        total_kb += kb;
  fclose(f);
  return total_kb * 1024ULL;
}

#endif
