/*
 * An address space: the regions that say what may be in a process's memory,
 * and the page table that says what is.
 *
 *   space --> regions, in order of address          page table
 *             [text r-x][data rw-][guard][stack rw-][heap rw-] ...
 *
 * Only the process's own thread changes its space, with the lock held; others
 * take the lock to look. A space lives as long as someone has a reference.
 */
#ifndef VM_SPACE_H
#define VM_SPACE_H

#include "lib/list.h"
#include "sched/sleep.h"
#include "vm/uvm.h"

/* Guarded by the space's lock. */
struct region {
  vaddr_t start, end; /* page-aligned, end exclusive */
  uint rights;        /* PROT_*; PROT_NONE: a guard */
  const char *name;   /* "text", "heap": a constant */
  struct list link;
};

/* [l] lock; [o] the space's own thread; [c] constant; [a] atomic. */
struct space {
  struct sleeplock lock;
  uint refs;              /* [a] */
  pagetable_t pagetable;  /* [c] entries: [l] */
  struct list regions;    /* [l] in order of start */
  vaddr_t brk;            /* [o] end of the heap, in bytes */
  struct arch_space arch; /* the machine's */
};

/* An empty space with one reference, or NULL. Its threads' trapframes are still
 * to be added (tables.h). */
struct space *space_create(void);
struct space *space_get(struct space *s);
/* Give up a reference; with the last, all of its memory is freed. Not the
 * space that this CPU would return to. */
void space_put(struct space *s);

/* A copy for fork, or NULL: no memory. s is the caller's own. */
struct space *space_copy(struct space *s);

/* Add a region; with `fill` its pages are there at once, else when touched.
 * Aligned, non-empty, below SPACE_END, overlapping nothing (-EINVAL
 * otherwise). 0 or -ENOMEM. Grows a neighbour of the same kind instead, if
 * there is one below. Lock held. */
int space_add_locked(struct space *s, vaddr_t start, vaddr_t end, uint rights,
                     const char *name, bool fill);
/* Remove [start, end), splitting regions at its ends; aligned. 0 or -ENOMEM.
 * Lock held. */
int space_remove_locked(struct space *s, vaddr_t start, vaddr_t end);
/* The region that holds va, or NULL. Lock held. */
struct region *space_find_locked(struct space *s, vaddr_t va);

/* Move the end of the heap by n bytes (either way). The old end is stored in
 * *old. 0 or -ENOMEM. The caller's own space. */
int space_sbrk(struct space *s, long n, bool fill, vaddr_t *old);

/* User addresses end here: below it lies the process, above the machine's. */
#define SPACE_END USER_END

#endif
