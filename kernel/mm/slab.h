/*
 * Small kernel objects of one size each. A cache grows by pages as needed and
 * gives empty pages back.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "lib/list.h"
#include "sync/spinlock.h"

struct slab_cache {
  const char *name;
  size_t size; /* bytes of an object, at most 2016 */
  struct spinlock lock;
  struct list partial; /* slabs with free objects */
  size_t objects;      /* handed out */
  struct list link;    /* [cache list] of all caches; NULL: not in it yet */
};

#define SLAB_CACHE(cache, objname, objsize)                          \
  {                                                                  \
    .name = (objname), .size = (objsize), .lock = SPINLOCK(objname), \
    .partial = LIST_INIT((cache).partial)                            \
  }

/* An object filled with zeros, or NULL. Any context. */
void *slab_alloc(struct slab_cache *c);
/* Give it back. Panics if it is not of this cache. */
void slab_free(struct slab_cache *c, void *object);

/* For the self-check, while nothing changes: is this page a slab of a cache that
 * exists, with as many free objects as it says? */
bool slab_sound(const void *page);

#endif
