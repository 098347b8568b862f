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
}

/* Where a region maps the object's page `index`, or the first one above, as far
 * as the region goes. */
static vaddr_t address_of(const struct region *r, uint64 index) {
  uint64 pages = (r->end - r->start) / PGSIZE;

  if (index <= r->first)
    return r->start;
  return r->start + MIN(index - r->first, pages) * PGSIZE;
}

void memobject_unmap(struct memobject *o, uint64 first) {
  acquire(&o->lock);
  list_for_each (l, &o->regions) {
    struct region *r = region_of(l);

    uvmdealloc(r, address_of(r, first), r->end);
  }
  release(&o->lock);
}

void memobject_protect(struct memobject *o, uint64 index) {
  acquire(&o->lock);
  list_for_each (l, &o->regions) {
    struct region *r = region_of(l);
    vaddr_t va = address_of(r, index);

    if ((r->flags & REGION_SHARED) && index >= r->first && va < r->end)
      uvm_protect_page(r, va);
  }
  release(&o->lock);
}

void memobject_release(struct memobject *o) {
  acquire(&o->lock);
  list_for_each (l, &o->regions) {
    uvm_release(region_of(l));
  }
  release(&o->lock);
}

bool memobject_writable(struct memobject *o) {
  bool writable = false;

  acquire(&o->lock);
  list_for_each (l, &o->regions) {
    struct region *r = region_of(l);

    writable |= (r->flags & REGION_SHARED) && !(r->denied & PROT_WRITE);
  }
  release(&o->lock);
  return writable;
}
