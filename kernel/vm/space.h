/*
 * An address space: the regions that say what may be in a process's memory,
 * and the page table that says what is.
 *
 *   space --> regions, in order of address          page table
 *             [text r-x][data rw-][guard][stack rw-][heap rw-] ...
 *
 *   region            entry        means
 *   private, write    not valid    a page of zeros, or of the file, when touched
 *                     valid, no W  copy-on-write: others may have the frame, too
 *   shared file       valid, no W  clean: a write must tell the file first
 *   private, zeros    superpage    a whole one lies in one region; who wants to
 *                                  change or copy a part makes pages of it first
 *
 * Locks: `lock` is shared by those who look and by page faults, and held alone
 * by who changes regions. `ptl` guards the entries of the page table and its
 * pages: who releases it must walk again. A space lives as long as someone has a
 * reference.
 */
#ifndef VM_SPACE_H
#define VM_SPACE_H

#include "abi/inspect.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "sched/sleep.h"
#include "vm/object.h"
#include "vm/uvm.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

/* Of a region. */
#define REGION_SHARED 1    /* what one process writes the others see */
#define REGION_NORESERVE 2 /* may be more than there is memory */
#define REGION_STACK 4     /* the main thread's */

/* Guarded by the space's lock. Of a region with an object, the lock of the
 * object must be held, too, to change start, end or first. */
struct region {
  vaddr_t start, end;       /* page-aligned, end exclusive */
  uint rights;              /* PROT_*; PROT_NONE: a guard */
  uint denied;              /* PROT_* that it may never get */
  uint flags;               /* REGION_* */
  const char *name;         /* "text", "heap": a constant */
  struct memobject *object; /* what it maps; NULL: private memory, zeros */
  uint64 first;             /* the object's page at start */
  struct space *space;
  struct list link;        /* in order of address */
  struct list object_link; /* [object's lock] object->regions */
  struct tree_node node;   /* key: start */
};

/* [l] lock; [L] lock, held alone to change; [p] ptl; [c] constant; [a] atomic.
 */
struct space {
  struct rwsleeplock lock;
  struct spinlock ptl;
  uint refs;              /* [a] */
  pagetable_t pagetable;  /* [c] entries: [p] */
  struct list regions;    /* [L] in order of start */
  struct tree by_address; /* [L] the same, to find one */
  size_t nregions;        /* [L] */
  size_t size;            /* [L] pages in regions */
  size_t committed;       /* [L] of these, those that may fill with frames that
                             must then be there: not what is NORESERVE */
  vaddr_t brk;            /* [L] end of the heap, in bytes */
  vaddr_t hint;           /* [L] mmap looks for room below this first */
  size_t anon;            /* [p] private frames that are mapped */
  struct fault_counts faults; /* [a] */
  uint joined; /* [L] what faults had done when pages last became a superpage */
  struct arch_space arch; /* the machine's */
  struct list all;        /* [spaces_lock] in spaces */
};

/* All spaces, for the self-check (check.c). */
extern struct list spaces;

/* An empty space with one reference, or NULL. Its threads' trapframes are still
 * to be added (tables.h). */
struct space *space_create(void);
struct space *space_get(struct space *s);
/* The space whose page table is at that address, with a reference; NULL: there is
 * none any more. */
struct space *space_of_table(paddr_t root);
/* Give up a reference; with the last, all of its memory is freed. Not the
 * space that this CPU would return to. May sleep. */
void space_put(struct space *s);
/* The process that has the space gives it up, with its reference. What it maps
 * goes now, whoever may still be looking at the space: who has waited for the
 * process finds its memory free, and its files mapped no more. As space_put. */
void space_end(struct space *s);

/* A copy for fork, or NULL: no memory. s is the caller's own. No page is
 * copied: both have them all, and who writes first copies (fault.c). */
struct space *space_copy(struct space *s);

/* Add a region like this one (start, end, rights, flags, name, object and
 * first count), of which nothing is there yet. Aligned, non-empty, below
 * SPACE_END, overlapping nothing (-EINVAL otherwise). 0 or -ENOMEM. Neighbours
 * that go on in the same way become one with it. Takes a reference of the
 * object. lock held alone. */
int space_add_locked(struct space *s, const struct region *like);
/* Remove [start, end), splitting regions at its ends; aligned. 0 or -ENOMEM.
 * With lock held alone, or not held: then others wait only while the regions
 * are taken out. */
int space_remove_locked(struct space *s, vaddr_t start, vaddr_t end);
int space_remove(struct space *s, vaddr_t start, vaddr_t end);
/* The region that holds va, or NULL. lock held. */
struct region *space_find_locked(struct space *s, vaddr_t va);
/* Make regions begin at start and at end, if one goes across. 0 or -ENOMEM.
 * lock held alone. */
int space_split_locked(struct space *s, vaddr_t start, vaddr_t end);
/* Let a region have other rights; its page-table entries are not touched. lock
 * held alone. */
void region_set_rights(struct region *r, uint rights);
/* Make one region of those that touch in [start, end] and are alike. lock held
 * alone. */
void space_merge_locked(struct space *s, vaddr_t start, vaddr_t end);

/* The last region that begins at va or below, or NULL. lock held. */
struct region *space_below_locked(struct space *s, vaddr_t va);
/* The next region, or NULL. */
struct region *region_next(struct region *r);
/* The first region that ends above va, or NULL. lock held. */
struct region *space_first_locked(struct space *s, vaddr_t va);

/* The object's page at an address of the region. */
static inline uint64 region_index(const struct region *r, vaddr_t va) {
  return r->first + (va - r->start) / PGSIZE;
}

/* May a region fill with pages that must then exist, if it has these rights? */
bool region_reserved(const struct region *r, uint rights);
/* Would it be absurd to let this space have so many pages that are in no file in
 * [from, to), in place of those that it has there: could all of its pages never be
 * there at once, even if nobody else wanted memory? Pages that are there already,
 * also those that are replaced, need no new memory. An empty range: nothing is
 * replaced. lock held. */
bool space_exceeds_memory(struct space *s, size_t pages, vaddr_t from,
                          vaddr_t to);
/* The same for so many pages more in a new space, when what `old` (or NULL: no
 * space) has will be given back for it. So little that what is promised to nobody
 * holds it is never too much: a small program, to look who has the memory and to
 * end it, can be run when there is none, and others then make room. lock of s
 * held. */
bool space_exceeds_in_place_of(struct space *s, size_t pages,
                               struct space *old);

/* Move the end of the heap by n bytes (either way). The old end is stored in
 * *old. reserve: fail if there is not so much memory. 0 or -ENOMEM. */
int space_sbrk(struct space *s, long n, bool reserve, vaddr_t *old);

/* User addresses end here: below it lies the process, above the machine's. */
#define SPACE_END USER_END

#endif
