/* The system under test: nearly everything is there by its own name. */
#ifndef TESTS_PORT_PAGEWISE_H
#define TESTS_PORT_PAGEWISE_H

#include "kernel/types.h"

#include "abi/mman.h"
#include "user/user.h"

#define ON_LINUX 0
#define DEVICE "/console" /* one that cannot be mapped */

/* Its exit status, or -1 if the kernel ended it. */
static inline int os_wait(int pid) {
  int status = 1;

  return waitpid(pid, &status, 0) == pid ? status : 1;
}

/* The absolute path of a program that was started by this name. */
static inline const char *os_program(const char *name) {
  return path_in("/", name);
}

static inline int os_rmdir(const char *path) { return unlink(path); }

/* What processes hold: nothing of it may be left when they are gone. */
struct os_memory {
  uint64 user, tables;
};

static inline void os_memory(struct os_memory *m) {
  struct meminfo info = {0};

  meminfo(&info);
  *m = (struct os_memory){info.user, info.tables};
}

/* Are they gone? They are taken apart after their parent was told. */
static inline int os_memory_back(const struct os_memory *before) {
  const uint64 patience_ns = 3000000000ULL, start = clock();
  struct os_memory now;

  do {
    os_memory(&now);
    if (now.user <= before->user && now.tables <= before->tables)
      return 1;
    yield();
  } while (clock() - start < patience_ns);
  return 0;
}

/* The kernel proves its accounts; 0 if they are right. */
static inline int os_memcheck(void) {
  struct memfault f = {0};
  struct memcheck sum;
  int n = memcheck(&sum, &f, 1);

  if (n != 0)
    printf("  memcheck: %d faults: kind %d, frame 0x%llx, va 0x%llx, %u, %u\n",
           n, f.kind, (unsigned long long)f.pa, (unsigned long long)f.va,
           f.count, f.found);
  return n == 0 ? 0 : -1;
}

/* More bytes than the machine has memory. */
static inline unsigned long os_absurd(void) {
  struct meminfo m;

  return meminfo(&m) == 0 ? (m.total + m.total / 4) * m.page_size : 0;
}

/* Can a page be mapped so that it cannot be executed? */
static inline int os_denies_exec(void) {
  struct sysinfo s;

  return sysinfo(&s) == 0 && (s.rights & VM_EXEC) != 0;
}

static inline void os_start(void) {}

#endif
