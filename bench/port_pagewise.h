/* What bench.c needs of Pagewise: nearly everything is there by its own name.
 */
#ifndef BENCH_PORT_PAGEWISE_H
#define BENCH_PORT_PAGEWISE_H

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "abi/inspect.h"
#include "user/user.h"
#include "user/thread.h"

#define OS_CREATE O_CREATE
#define open(path, flags, mode) open(path, flags) /* files have no modes */

static inline void os_start(void) {}

/* Nanoseconds since boot. */
static inline uint64 os_now(void) { return clock(); }

static inline int os_getpid(void) { return getpid(); }

static inline int os_fork(void) { return fork(); }

static inline void os_exit(int status) { exit(status); }

static inline int os_wait(int *status) { return wait(status); }

static inline int os_exec(const char *path) {
  char *argv[] = {(char *)path, 0};
  return exec(path, argv);
}

static inline int os_yield(void) { return yield(); }

/* Everything goes to the disk, this file among it. */
static inline int os_sync(int fd) {
  (void)fd;
  return sync();
}

typedef struct thread *os_thread;

static inline os_thread os_thread_start(int (*fn)(void *), void *arg) {
  return thread_create(fn, arg);
}

static inline void os_thread_join(os_thread t) { thread_join(t); }

/* Bytes that programs could still get: cached blocks are given up on demand. */
static inline uint64 os_available_memory(void) {
  struct meminfo m;
  if (meminfo(&m) < 0)
    return 0;
  return (m.free + m.cache) * m.page_size;
}

#endif
