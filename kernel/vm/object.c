/*
 * Memory objects: from an object's page to the page-table entries that map it.
 * No region maps an object yet.
 */
#include "vm/object.h"

#include "lib/panic.h"

void memobject_init(struct memobject *o, const struct memobject_ops *ops) {
  o->ops = ops;
  initlock(&o->lock, "memobject");
  list_init(&o->regions);
}

void memobject_unmap(struct memobject *o, uint64 first) {
  (void)first;
  ASSERT(list_empty(&o->regions));
}

void memobject_protect(struct memobject *o, uint64 index) {
  (void)index;
  ASSERT(list_empty(&o->regions));
}
