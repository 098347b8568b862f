/*
 * Memory objects: from an object's page to the page-table entries that map it.
 *
 *   object.regions --> region, region, ...
 *                        each: its space's page table at start + (page - first)
 *
 * A region is in the list from before its first entry is made until after its
 * last one is gone, and its start, end and first change under the object's lock
 * only; where one is split or joined, its two parts overlap for a moment rather
 * than leave a page to nobody. So who goes through the list misses no entry. A
 * child's region follows its parent's while they fork, so that an entry that is
 * copied from a parent whose turn is still to come is found in either.
 *
 * Any number of regions may map an object. Who goes through them gives up the lock
 * after a few, and leaves behind where it is: a struct way, in object.ways.
 *
 *   object.regions --> done, done, [half done], to do, to do ...
 *                                  ^ way->at, from way->va on
 *
 * What happens to the list meanwhile:
 *   a region leaves       the way goes on with the next one
 *   a region comes in     in front of all, or behind its elder: if that was passed,
 *                         there was nothing left in it to copy or to share. What
 *                         faults put there is for them to check: attached()
 *   a region grows        over one that may be still to do, while itself it was
 *                         passed: so it goes to the end of the list, and is done
 *                         again
 *   a region is cut       its upper part comes behind it, and is done
 */
#include "vm/object.h"

#include "vm/space.h"

#define region_of(l) list_entry(l, struct region, object_link)

static uint64 new_id(void) {
  static struct spinlock lock = SPINLOCK("memobject id");
  static uint64 last; /* [lock] */
  uint64 id;

  acquire(&lock);
  id = ++last;
  release(&lock);
  return id;
}

void memobject_init(struct memobject *o, const struct memobject_ops *ops) {
  o->ops = ops;
  o->id = new_id();
  initlock(&o->lock, "memobject");
  list_init(&o->regions);
  list_init(&o->ways);
}

/* --- the list --- */

/* Somebody on the way through the list of an object. */
struct way {
  struct list link; /* [o->lock] in o->ways, while the lock is given up */
  struct list *at;  /* [o->lock] the region that comes next */
  vaddr_t va;       /* [o->lock] below, that one is done; 0: it was not begun */
};

void memobject_enter_locked(struct region *r, struct region *elder) {
  list_add_front(elder ? &elder->object_link : &r->object->regions,
                 &r->object_link);
}

void memobject_leave_locked(struct region *r) {
  list_for_each (l, &r->object->ways) {
    struct way *w = list_entry(l, struct way, link);

    if (w->at == &r->object_link) {
      w->at = w->at->next;
      w->va = 0;
    }
  }
  list_remove(&r->object_link);
}

void memobject_again_locked(struct region *r) {
  memobject_leave_locked(r);
  list_add_back(&r->object->regions, &r->object_link);
}

#define REGIONS_SOME 32 /* regions; after so many others get the lock */

/* Something that is done to all regions of an object. */
struct task {
  /* Do it to r from *va on, which is 0 if it was not begun, or a part of it; then
   * it moves *va and says false. The object's lock is held. */
  bool (*visit)(struct task *t, struct region *r, vaddr_t *va);
  /* Of pages of the object, from this one on. */
  uint64 first;
  bool shown;           /* not of private copies */
  bool over;            /* it need not be done to the others */
  struct stale *stale;  /* what visit() made so */
  struct gather *taken; /* what visit() took, or NULL */
};

/* What is stale is flushed for one space at a time. */
static void enter_space(struct task *t, struct space *s) {
  if (t->stale->space == s)
    return;
  stale_flush(t->stale);
  t->stale->space = s;
}

static bool more(struct memobject *o, const struct way *w,
                 const struct task *t) {
  return !t->over && w->at != &o->regions;
}

/* Go on along the way. False: it is at its end. The object's lock is held: none of
 * the spaces goes away before what is stale there was flushed. */
static bool walk_some(struct memobject *o, struct way *w, struct task *t) {
  bool whole = true;

  for (int n = 0; whole && n < REGIONS_SOME && more(o, w, t); n++) {
    struct region *r = region_of(w->at);

    enter_space(t, r->space);
    whole = t->visit(t, r, &w->va);
    if (whole) {
      w->at = w->at->next;
      w->va = 0;
    }
  }
  stale_flush(t->stale);
  return more(o, w, t);
}

static void walk_regions(struct memobject *o, struct task *t) {
  struct way w = {.va = 0};
  bool on;

  acquire(&o->lock);
  w.at = o->regions.next;
  list_add_back(&o->ways, &w.link);
  do {
    on = walk_some(o, &w, t);
    if (!on)
      list_remove(&w.link);
    release(&o->lock);
    if (t->taken != NULL)
      gather_put(t->taken);
    if (on)
      acquire(&o->lock);
  } while (on);
}

/* --- what is done --- */

/* Where a region maps the object's page `index`, or the first one above, as far
 * as the region goes. */
static vaddr_t address_of(const struct region *r, uint64 index) {
  uint64 pages = (r->end - r->start) / PGSIZE;

  if (index <= r->first)
    return r->start;
  return r->start + MIN(index - r->first, pages) * PGSIZE;
}

static bool take_pages(struct task *t, struct region *r, vaddr_t *va) {
  *va = MAX(*va, address_of(r, t->first));
  return *va >= r->end || uvm_take_some(t->taken, r, va, r->end, t->shown);
}

/* Take pages from `first` on out of all tables. */
static void take_all(struct memobject *o, uint64 first, bool shown) {
  struct gather g;
  struct task t = {.visit = take_pages,
                   .first = first,
                   .shown = shown,
                   .stale = &g.stale,
                   .taken = &g};

  gather_init(&g, NULL, true);
  walk_regions(o, &t);
}

void memobject_unmap(struct memobject *o, uint64 first) {
  take_all(o, first, false);
}

void memobject_release(struct memobject *o) { take_all(o, 0, true); }

static bool protect_page(struct task *t, struct region *r, vaddr_t *done) {
  vaddr_t va = address_of(r, t->first);

  (void)done;
  if ((r->flags & REGION_SHARED) && t->first >= r->first && va < r->end)
    uvm_protect_page(t->stale, r, va);
  return true;
}

void memobject_protect(struct memobject *o, uint64 index) {
  struct stale stale = {.live = true};
  struct task t = {.visit = protect_page, .first = index, .stale = &stale};

  walk_regions(o, &t);
}

static bool find_writable(struct task *t, struct region *r, vaddr_t *done) {
  (void)done;
  t->over = (r->flags & REGION_SHARED) && !(r->denied & PROT_WRITE);
  return true;
}

bool memobject_writable(struct memobject *o) {
  struct stale none = {.live = false};
  struct task t = {.visit = find_writable, .stale = &none};

  walk_regions(o, &t);
  return t.over;
}
