/*
 * Small objects, several to a page.
 *
 *   +------------+--------+--------+--------+-----+
 *   | struct slab| object | object | object | ... |   one page
 *   +------------+--------+--------+--------+-----+
 *
 * A free object holds the link to the next free one. Pages with free objects
 * are on their cache's list; a page that becomes empty goes back at once if
 * the cache has another with room, and else when memory runs out. So one page of
 * a cache is empty at most. It was alone in the list when it became so, and others
 * come in front of it and are used first: it is the last one. Who needs memory
 * looks at that one only, however many there are.
 */
#include "mm/slab.h"

#include "debug.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "pte.h"

struct free_object {
  struct free_object *next;
};

/* All fields: cache->lock, but cache, which is constant. */
struct slab {
  struct slab_cache *cache;
  struct list link;
  struct free_object *free;
  uint used;
};

#define OBJECT_ALIGN 16UL

static struct spinlock caches_lock = SPINLOCK("slab caches");
static struct list caches = LIST_INIT(caches); /* [caches_lock] */

static size_t object_size(const struct slab_cache *c) {
  return (c->size + DEBUG_REDZONE + OBJECT_ALIGN - 1) & ~(OBJECT_ALIGN - 1);
}

static struct slab *slab_of(void *object) {
  return (struct slab *)PGROUNDDOWN((vaddr_t)object);
}

/* A page cut into objects, or NULL. */
static struct slab *slab_create(struct slab_cache *c) {
  size_t size = object_size(c);
  struct slab *s = kalloc_for(PAGE_SLAB);
  size_t at = (sizeof(*s) + OBJECT_ALIGN - 1) & -OBJECT_ALIGN;

  if (s == NULL)
    return NULL;
  ASSERT(at + size <= PGSIZE);
  *s = (struct slab){.cache = c};
  debug_slab_new(s);
  for (; at + size <= PGSIZE; at += size) {
    struct free_object *o = (struct free_object *)((char *)s + at);

    o->next = s->free;
    s->free = o;
    debug_object_new(o, c->size);
  }
  return s;
}

/* The empty page of a cache, taken out of the list; NULL. Lock held. */
static struct slab *take_empty(struct slab_cache *c) {
  struct slab *last = list_entry(c->partial.prev, struct slab, link);

  if (list_empty(&c->partial) || last->used > 0)
    return NULL;
  list_remove(&last->link);
  return last;
}

/* Free the empty page of a cache, if there is one. How many were freed. */
static size_t shrink_cache(struct slab_cache *c) {
  struct slab *empty;

  if (!acquire_try(&c->lock))
    return 0;
  empty = take_empty(c);
  release(&c->lock);
  if (empty != NULL)
    kfree(empty);
  return empty != NULL;
}

/* A reclaimer's shrink(). */
static size_t shrink(size_t want) {
  size_t freed = 0;

  (void)want; /* there are few */
  if (!acquire_try(&caches_lock))
    return 0;
  list_for_each (l, &caches) {
    freed += shrink_cache(list_entry(l, struct slab_cache, link));
  }
  release(&caches_lock);
  return freed;
}

/* Put a cache into the list of all. */
static void enlist(struct slab_cache *c) {
  static struct reclaimer reclaimer = {.name = "slab", .shrink = shrink};

  acquire(&caches_lock);
  if (list_empty(&caches))
    reclaimer_register(&reclaimer);
  if (c->link.next == NULL)
    list_add_back(&caches, &c->link);
  release(&caches_lock);
}

/* Take an object from the first page with room; NULL if there is none. */
static void *take(struct slab_cache *c) {
  struct slab *s;
  struct free_object *o;

  if (list_empty(&c->partial))
    return NULL;
  s = list_entry(c->partial.next, struct slab, link);
  o = s->free;
  s->free = o->next;
  s->used++;
  c->objects++;
  if (s->free == NULL)
    list_remove(&s->link);
  return o;
}

void *slab_alloc(struct slab_cache *c) {
  struct slab *s;
  void *o;

  if (debug_alloc_fails())
    return NULL;
  acquire(&c->lock);
  o = take(c);
  release(&c->lock);
  if (o == NULL) {
    s = slab_create(c); /* without the lock: it may reclaim memory */
    if (s == NULL)
      return NULL;
    if (c->link.next == NULL)
      enlist(c);
    acquire(&c->lock);
    list_add_front(&c->partial, &s->link);
    o = take(c);
    release(&c->lock);
  }
  debug_object_taken(o, c->size);
  return memset(o, 0, c->size);
}

void slab_free(struct slab_cache *c, void *object) {
  struct slab *s = slab_of(object);
  struct free_object *o = object;
  bool empty;

  if (s->cache != c)
    panic("slab_free: %p is not of cache %s", object, c->name);
  debug_object_freed(object, c->size);
  acquire(&c->lock);
  if (s->free == NULL)
    list_add_front(&c->partial, &s->link);
  o->next = s->free;
  s->free = o;
  c->objects--;
  empty = --s->used == 0 && c->partial.next != c->partial.prev;
  if (empty)
    list_remove(&s->link);
  release(&c->lock);
  if (empty)
    kfree(s);
}

/* How many objects the page of a slab has room for. */
static uint capacity(const struct slab_cache *c) {
  size_t head = (sizeof(struct slab) + OBJECT_ALIGN - 1) & -OBJECT_ALIGN;

  return (PGSIZE - head) / object_size(c);
}

bool slab_sound(const void *page) {
  const struct slab *s = page;
  bool known = false;
  uint nfree = 0;

  list_for_each (l, &caches) {
    if (list_entry(l, struct slab_cache, link) == s->cache)
      known = true;
  }
  if (!known)
    return false;
  for (struct free_object *o = s->free; o != NULL; o = o->next)
    if (slab_of(o) != s || ++nfree > capacity(s->cache))
      return false;
  return s->used + nfree == capacity(s->cache);
}
