/*
 * For the tour's programs (docs/tour): each says what it is about to do, waits for
 * Enter, so that somebody can look at memory, and does it. At the end of the input
 * it goes on without waiting.
 *
 * What they say of page tables they ask the kernel for, by ptwalk() and ptdump().
 */
#ifndef TOUR_H
#define TOUR_H

#include "user/user.h"

#define PAGE 4096

/* A depth of page tables that the machine can have. */
struct tour_mode {
  int levels;
  const char *name;
};

/* What tour_machines compares. */
struct tour_machine {
  const char *arch;
  int levels;
  int index_bits;
  int entry;            /* bytes */
  int superpage;        /* the smallest, KiB */
  const char *flags;    /* letters of an entry's flags, from bit 0 */
  int no_read;          /* can an entry forbid to read, */
  int no_execute;       /* to execute? */
  int kernel_in_table;  /* is the kernel in a process's table? */
  uint64 kernel_begins; /* the lowest address of what is the kernel's there */
  uint64 text_va, text_pa; /* of the kernel's text */
};

typedef unsigned long long ull;

/* Say something, with this process's pid in front, and wait for Enter. */
static inline void step(const char *what) {
  char line[80];

  printf("[%d] %s (Enter) ", getpid(), what);
  gets(line, sizeof(line));
  printf("\n");
}

/* Say it, and go on. */
static inline void __attribute__((format(__printf__, 1, 2)))
say(const char *fmt, ...) {
  char line[160];
  va_list ap;

  va_start(ap, fmt);
  vsnprintf(line, sizeof(line), fmt, ap);
  va_end(ap);
  printf("[%d] %s\n", getpid(), line);
}

static inline void show(const char *what, const volatile void *at) {
  printf("[%d] %s is at %p\n", getpid(), what, (const void *)at);
}

/* An address on its way through the table of a process; PID_KERNEL: of the
 * kernel. */
static inline struct ptwalk walk(int pid, unsigned long va) {
  struct ptwalk w;

  if (ptwalk(pid, va, &w) < 0)
    fatal("page table of process %d", pid);
  return w;
}

static inline int mapped(const struct ptwalk *w) {
  return w->steps > 0 && w->step[w->steps - 1].leaf;
}

/* The physical address of the page in which an address of a process lies; 0 if
 * there is none. */
static inline ull frame_of(int pid, const volatile void *at) {
  struct ptwalk w = walk(pid, (unsigned long)at);

  return mapped(&w) ? w.pa & ~(PAGE - 1ULL) : 0;
}

static inline struct sysinfo system_info(void) {
  struct sysinfo s;

  if (sysinfo(&s) < 0)
    fatal("sysinfo");
  return s;
}

/* What procs() says of this process. */
static inline struct procinfo my_info(void) {
  struct procinfo mine = {0}, *all;
  int n;

  all = all_procs(&n);
  for (int i = 0; i < n; i++)
    if (all[i].pid == getpid())
      mine = all[i];
  free(all);
  return mine;
}

/* The flag of an entry that pgtbl prints as this letter; 0: there is none. */
static inline ull flag(const struct sysinfo *s, char letter) {
  const char *at = strchr(s->pte_flags, letter);

  return at ? 1ULL << (at - s->pte_flags) : 0;
}

/* The first run of this process's table, from an address up, that user mode may not
 * touch; 0: there is none. */
static inline int kernels_run(const struct sysinfo *s, uint64 from,
                              struct ptentry *run) {
  while (ptdump(getpid(), from, run, 1) > 0) {
    if (!(run->flags & flag(s, 'u')))
      return 1;
    from = run->va + run->size;
  }
  return 0;
}

#endif
