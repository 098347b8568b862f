/*
 * Address spaces. Regions are kept in a list in order of address: a process
 * has a handful of them.
 */
#include "vm/space.h"

#include "lib/panic.h"
#include "mm/kalloc.h"
#include "mm/slab.h"

static struct slab_cache space_cache =
    SLAB_CACHE(space_cache, "space", sizeof(struct space));
static struct slab_cache region_cache =
    SLAB_CACHE(region_cache, "region", sizeof(struct region));

#define region_of(l) list_entry(l, struct region, link)

struct space *space_create(void) {
  struct space *s = slab_alloc(&space_cache);

  if (s == NULL)
    return NULL;
  s->pagetable = uvmcreate();
  if (s->pagetable == NULL) {
    slab_free(&space_cache, s);
    return NULL;
  }
  initsleeplock(&s->lock, "space");
  list_init(&s->regions);
  s->refs = 1;
  return s;
}

struct space *space_get(struct space *s) {
  __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
  return s;
}

void space_put(struct space *s) {
  if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  list_for_each_safe (l, &s->regions) {
    struct region *r = region_of(l);

    /* no CPU can run in this space again: nothing to flush */
    uvmdealloc(s->pagetable, NULL, r->start, r->end);
    slab_free(&region_cache, r);
  }
  uvmfree(s->pagetable);
  slab_free(&space_cache, s);
}

struct region *space_find_locked(struct space *s, vaddr_t va) {
  list_for_each (l, &s->regions) {
    struct region *r = region_of(l);

    if (va < r->end)
      return va >= r->start ? r : NULL;
  }
  return NULL;
}

/* The last region that begins below va, or NULL. */
static struct region *region_below(struct space *s, vaddr_t va) {
  struct region *below = NULL;

  list_for_each (l, &s->regions) {
    if (region_of(l)->start >= va)
      break;
    below = region_of(l);
  }
  return below;
}

/* A new region behind `below` (NULL: the first), or NULL. */
static struct region *region_insert(struct space *s, struct region *below,
                                    struct region value) {
  struct region *r = slab_alloc(&region_cache);
  struct list *at = below ? &below->link : &s->regions;

  if (r == NULL)
    return NULL;
  *r = value;
  list_insert(&r->link, at, at->next);
  return r;
}

static bool range_valid(vaddr_t start, vaddr_t end) {
  return start % PGSIZE == 0 && end % PGSIZE == 0 && start < end &&
         end <= SPACE_END;
}

int space_add_locked(struct space *s, vaddr_t start, vaddr_t end, uint rights,
                     const char *name, bool fill) {
  struct region *below = region_below(s, end), *r;

  if (!range_valid(start, end) || (below != NULL && below->end > start))
    return -EINVAL;
  if (below != NULL && below->end == start && below->rights == rights &&
      below->name == name)
    r = below;
  else
    r = region_insert(
        s, below,
        (struct region){start, start, rights, name, .link = {NULL, NULL}});
  if (r == NULL)
    return -ENOMEM;
  if (fill && uvmalloc(s->pagetable, start, end, rights) < 0) {
    if (r->start == r->end) {
      list_remove(&r->link);
      slab_free(&region_cache, r);
    }
    return -ENOMEM;
  }
  r->end = end;
  return 0;
}

/* Split the region that holds va in its middle, so that one begins there. */
static int split_at(struct space *s, vaddr_t va) {
  struct region *r = space_find_locked(s, va);

  if (r == NULL || r->start == va)
    return 0;
  if (region_insert(s, r,
                    (struct region){va, r->end, r->rights, r->name,
                                    .link = {NULL, NULL}}) == NULL)
    return -ENOMEM;
  r->end = va;
  return 0;
}

int space_remove_locked(struct space *s, vaddr_t start, vaddr_t end) {
  if (!range_valid(start, end))
    return -EINVAL;
  if (split_at(s, start) < 0 || split_at(s, end) < 0)
    return -ENOMEM;
  list_for_each_safe (l, &s->regions) {
    struct region *r = region_of(l);

    if (r->start < start || r->end > end)
      continue;
    uvmdealloc(s->pagetable, &s->arch, r->start, r->end);
    list_remove(&r->link);
    slab_free(&region_cache, r);
  }
  return 0;
}

/* Copy all regions and pages of s to the new space c. */
static int copy_regions(struct space *s, struct space *c) {
  struct region *last = NULL;

  list_for_each (l, &s->regions) {
    struct region *r = region_of(l);

    last = region_insert(c, last, *r);
    if (last == NULL ||
        uvmcopy(s->pagetable, c->pagetable, r->start, r->end) < 0)
      return -ENOMEM;
  }
  c->brk = s->brk;
  return 0;
}

struct space *space_copy(struct space *s) {
  struct space *c = space_create();
  int r;

  if (c == NULL)
    return NULL;
  acquiresleep(&s->lock);
  r = copy_regions(s, c);
  releasesleep(&s->lock);
  if (r < 0) {
    space_put(c);
    return NULL;
  }
  return c;
}

static int grow(struct space *s, vaddr_t from, vaddr_t to, bool fill) {
  /* what can never succeed need not fill all memory first */
  if (fill && (to - from) / PGSIZE > pages_total())
    return -ENOMEM;
  return space_add_locked(s, from, to, PROT_READ | PROT_WRITE, "heap", fill);
}

int space_sbrk(struct space *s, long n, bool fill, vaddr_t *old) {
  vaddr_t brk = s->brk + n;
  vaddr_t from = PGROUNDUP(s->brk), to = PGROUNDUP(brk);
  int r = 0;

  *old = s->brk;
  if (n > 0 && (brk < s->brk || brk > SPACE_END))
    return -ENOMEM;
  if (n < 0 && brk > s->brk)
    return 0; /* below 0: nothing happens, as in xv6 */
  acquiresleep(&s->lock);
  if (to > from)
    r = grow(s, from, to, fill);
  else if (to < from)
    r = space_remove_locked(s, to, from);
  if (r == 0)
    s->brk = brk;
  releasesleep(&s->lock);
  return r;
}
