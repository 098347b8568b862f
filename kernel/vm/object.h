/*
 * What a region maps, if not private memory that starts as zeros: a file, or
 * memory that several processes share. An object is a sequence of pages by
 * index; who provides it (fs, vm/anon.c) fills in the functions.
 *
 *   region --> memobject: page 0, 1, 2 ...
 *          <-- regions: all that map it, to find the entries of a page
 *
 * Locks: an object's lock is a spin lock; below it come the page-table locks
 * of spaces (space.h).
 */
#ifndef VM_OBJECT_H
#define VM_OBJECT_H

#include "lib/list.h"
#include "sync/spinlock.h"
#include "types.h"

struct memobject;
struct region;

/* A page of an object that stays where it is while the caller has this. */
struct objpage {
  void *page;  /* the kernel's address of PGSIZE bytes */
  void *inner; /* the object's own */
  bool write;  /* held to be changed */
};

struct memobject_ops {
  /* The page of an index, in memory. With `write` it is about to be changed
   * through a shared mapping: it has its place on disk and is written back
   * later. 0; -ENXIO: beyond the end; -EIO, -ENOSPC, -ENOMEM, -EROFS. May
   * sleep, and take the locks of a file. */
  int (*hold)(struct memobject *o, uint64 index, bool write, struct objpage *p);
  /* The same for a page that is in memory already, which is not changed;
   * without sleeping. False: it is not there. */
  bool (*peek)(struct memobject *o, uint64 index, struct objpage *p);
  /* Is a page that is held still part of the object, and, if it was held to be
   * changed, still marked for writing back? It may have been truncated or
   * written back meanwhile; then the fault begins again. Called with a
   * page-table lock held: who truncates or writes back later finds the entry
   * that is made now. */
  bool (*attached)(struct memobject *o, struct objpage *p);
  void (*drop)(struct memobject *o, struct objpage *p);
  /* Write back what shared mappings changed in pages [first, last). 0 or an
   * error. May sleep. */
  int (*sync)(struct memobject *o, uint64 first, uint64 last);
  /* References to the object. put may sleep, and writes back what was changed
   * if it is called after the last region has left the list. */
  void (*get)(struct memobject *o);
  void (*put)(struct memobject *o);
};

struct memobject {
  const struct memobject_ops *ops;
  uint64 id; /* [c] no other object has or had it since boot */
  struct spinlock lock;
  struct list regions; /* [lock] struct region.object_link */
  struct list ways;    /* [lock] those who go through them (object.c) */
};

void memobject_init(struct memobject *o, const struct memobject_ops *ops);

/* Put a region into its object's list, behind `elder` (NULL: anywhere); take it
 * out; let those who go through the list come to it again, since it maps more
 * than before. The object's lock is held. */
void memobject_enter_locked(struct region *r, struct region *elder);
void memobject_leave_locked(struct region *r);
void memobject_again_locked(struct region *r);

/* What follows works in pieces, between which others get the object's lock, for
 * how many regions there are, and pages in them, is up to programs. */

/* The object ends before page `first`, and its pages are no longer attached:
 * remove them from all page tables, private copies too. May be called with a
 * file's locks held; returns when no CPU can use them. */
void memobject_unmap(struct memobject *o, uint64 first);

/* Take the right to write a page away from all shared mappings, so that the
 * next write faults. Returns when no CPU can write any more. */
void memobject_protect(struct memobject *o, uint64 index);

/* Remove the object's own pages from all page tables, so that the cache may give
 * them up; private copies stay. Returns when no CPU can use them. */
void memobject_release(struct memobject *o);

/* Is there a shared mapping that may be written, or may become so? */
bool memobject_writable(struct memobject *o);

#endif
