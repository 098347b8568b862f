/*
 * The regions of an address space, kernel/vm/space.c: which addresses are in
 * one, and what it says of them. A proof begins with any space of a few regions;
 * what it should be like afterwards is asked of any one address.
 *
 * The tree is here what tree.h promises (tree.c has a proof of its own): it
 * knows each region that was inserted by its key.
 */
#include "prove.h"

#include "../../kernel/vm/space.c"

#ifndef REGIONS
#define REGIONS 1 /* that there are at first */
#endif
#define NODES 3 /* that there are at most */

static struct space space;
static struct memobject object;
static struct region g0, g1, g2;
static struct region *const regions[NODES] = {&g0, &g1, &g2};
static bool in_tree[NODES], in_use[NODES], in_object[NODES];
static int object_refs;

static uint number_of(const struct region *r) {
  for (uint i = 0; i < NODES; i++)
    if (r == regions[i])
      return i;
  claim(false);
  return 0;
}

void tree_insert(struct tree *t, struct tree_node *n) {
  uint i = number_of(container_of(n, struct region, node));

  claim(t == &space.by_address && !in_tree[i]);
  for (uint k = 0; k < NODES; k++)
    claim(!in_tree[k] || regions[k]->node.key != n->key);
  in_tree[i] = true;
}

void tree_remove(struct tree *t, struct tree_node *n) {
  uint i = number_of(container_of(n, struct region, node));

  claim(t == &space.by_address && in_tree[i]);
  in_tree[i] = false;
}

struct tree_node *tree_at_most(const struct tree *t, vaddr_t key) {
  struct tree_node *best = NULL;

  claim(t == &space.by_address);
  for (uint i = 0; i < NODES; i++)
    if (in_tree[i] && regions[i]->node.key <= key &&
        (best == NULL || regions[i]->node.key > best->key))
      best = &regions[i]->node;
  return best;
}

void *slab_alloc(struct slab_cache *c) {
  claim(c == &region_cache);
  for (uint i = 0; i < NODES; i++)
    if (!in_use[i] && any_bool()) {
      in_use[i] = true;
      return regions[i];
    }
  return NULL;
}

void slab_free(struct slab_cache *c, void *r) {
  uint i = number_of(r);

  claim(c == &region_cache && in_use[i] && !in_tree[i]);
  in_use[i] = false;
}

void acquire(struct spinlock *lk) { claim(lk == &object.lock); }
void release(struct spinlock *lk) { claim(lk == &object.lock); }

/* The order of the object's regions makes no difference here. */
static bool *listed(struct region *r) {
  claim(r->object == &object);
  return &in_object[number_of(r)];
}

void memobject_enter_locked(struct region *r, struct region *elder) {
  claim(elder == NULL || *listed(elder));
  claim(!*listed(r));
  *listed(r) = true;
}

void memobject_leave_locked(struct region *r) {
  claim(*listed(r));
  *listed(r) = false;
}

void memobject_again_locked(struct region *r) { claim(*listed(r)); }

int uvm_split_at(struct space *s, vaddr_t va) {
  claim(s == &space && va % PGSIZE == 0);
  return any_bool() ? 0 : -ENOMEM;
}

pagetable_t anon_pages(struct memobject *o) {
  static pte_t root;

  claim(o == &object);
  return o->id ? &root : NULL;
}

static void object_get(struct memobject *o) { object_refs += o == &object; }
static void object_put(struct memobject *o) { object_refs -= o == &object; }
static const struct memobject_ops ops = {.get = object_get, .put = object_put};

/* --- removal: what is asked of vm/uvm.c --- */

static vaddr_t removed, removed_end;

void gather_init(struct gather *g, struct space *s, bool live) {
  claim(s == &space && live);
  g->stale.space = s;
}

void uvm_take(struct gather *g, struct region *r, vaddr_t from, vaddr_t to) {
  claim(g->stale.space == &space && r->space == &space &&
        !in_tree[number_of(r)]);
  claim(from == r->start && to == r->end);
  claim(from >= removed && from < to && to <= removed_end);
}

void uvm_take_tables(struct gather *g, vaddr_t from, vaddr_t to) {
  claim(g->stale.space == &space);
  claim(from >= to || (from % UVM_TABLE_SPAN == 0 && to % UVM_TABLE_SPAN == 0));
  for (uint i = 0; i < NODES; i++)
    claim(!in_tree[i] || from >= to || regions[i]->end <= from ||
          regions[i]->start >= to);
}

void gather_flush(struct gather *g) { claim(g->stale.space == &space); }
void gather_put(struct gather *g) { claim(g->stale.space == &space); }

/* --- any space, and what it should be --- */

/* One of the last pages of user memory, or its end. */
#define VAS 16

static vaddr_t any_va(void) { return SPACE_END - any_below(VAS) * PGSIZE; }

/* What can be said of a region; ends and place in the object as they come. */
static void any_region(struct region *r) {
  r->start = r->node.key = any_va();
  r->end = any_va();
  r->rights = any_below(PROT_ALL + 1);
  r->denied = 0;
  r->flags = any_bool() ? REGION_SHARED : any_bool() ? REGION_STACK : 0;
  r->name = "proof";
  r->object = any_bool() ? &object : NULL;
  assume(r->object != NULL || !(r->flags & REGION_SHARED));
  r->first = r->object ? any_uchar() : 0;
}

static void begin(void) {
  vaddr_t end = 0;

  list_init(&space.regions);
  object.ops = &ops;
  object.id = any_bool();
  space.hint = any_va();
  for (uint i = 0; i < NODES; i++) {
    struct region *r = regions[i];

    if (i >= REGIONS || any_bool())
      continue;
    any_region(r);
    assume(r->start >= end && r->start < r->end);
    end = r->end;
    r->space = &space;
    in_use[i] = in_tree[i] = true;
    list_add_back(&space.regions, &r->link);
    in_object[i] = r->object != NULL;
    object_refs += in_object[i];
    space.nregions++;
    count(r, 1);
  }
}

/* List and tree agree, regions are in order and apart, all is counted. */
static void check(void) {
  size_t size = 0, committed = 0, n = 0;
  int objects = 0;
  vaddr_t end = 0;

  list_for_each (l, &space.regions) {
    struct region *r = region_of(l);

    claim(l->next->prev == l && r->space == &space);
    claim(in_tree[number_of(r)] && r->node.key == r->start);
    claim(range_valid(r->start, r->end) && r->start >= end);
    end = r->end;
    size += pages_of(r);
    committed += reserved(r) ? pages_of(r) : 0;
    objects += r->object != NULL;
    n++;
  }
  claim(size == space.size && committed == space.committed);
  claim(n == space.nregions && objects == object_refs);
  for (uint i = 0; i < NODES; i++) {
    claim(in_use[i] == in_tree[i]);
    claim(in_object[i] == (in_tree[i] && regions[i]->object != NULL));
    n -= in_tree[i];
  }
  claim(n == 0);
}

/* What a space says of an address. */
struct meaning {
  bool there;
  uint rights, flags;
  struct memobject *object;
  uint64 index; /* the object's page */
};

static struct meaning meaning_in(const struct region *r, vaddr_t va) {
  return (struct meaning){true, r->rights, r->flags, r->object,
                          r->object ? region_index(r, va) : 0};
}

static struct meaning meaning(vaddr_t va) {
  for (uint i = 0; i < NODES; i++)
    if (in_tree[i] && regions[i]->start <= va && va < regions[i]->end)
      return meaning_in(regions[i], va);
  return (struct meaning){0};
}

static bool same(struct meaning a, struct meaning b) {
  return a.there == b.there && a.rights == b.rights && a.flags == b.flags &&
         a.object == b.object && a.index == b.index;
}

PROVE(
    add,
    "a region that is added is there, if nothing was in its place, and no "
    "other address has changed; else nothing has; regions are in order, apart, "
    "known "
    "to list, tree and object, and counted",
    "any space of one region or none, any region, any address, of the last 15 "
    "pages; memory may fail",
    "small --unwind 4") {
  struct region like;
  vaddr_t at = any_va();
  struct meaning before, wanted;
  bool overlap = false;
  int r;

  begin();
  any_region(&like);
  like.start += any_bool(); /* may be wrong */
  before = wanted = meaning(at);
  for (uint i = 0; i < REGIONS; i++)
    overlap |= in_tree[i] && regions[i]->start < like.end &&
               like.start < regions[i]->end;
  r = space_add_locked(&space, &like);
  check();
  claim(r == 0 || r == -EINVAL || r == -ENOMEM);
  if (!range_valid(like.start, like.end) || overlap)
    claim(r == -EINVAL);
  else
    claim(r != -EINVAL);
  if (r == 0 && like.start <= at && at < like.end)
    wanted = meaning_in(&like, at);
  claim(same(meaning(at), wanted));
  claim(space_find_locked(&space, at) == NULL || wanted.there);
  reached(r == 0 && space.nregions == 2);
  reached(r == 0 && space.nregions == 1 && before.there && object_refs == 1);
  reached(r == 0 && space.nregions == 1 && before.there && object_refs == 0);
  reached(r == -ENOMEM && before.there);
}

PROVE(remove,
      "nothing is left in the range, and no other address has changed, nor "
      "anything if memory fails; only tables that no region needs go; the same",
      "any space of one region or none, any range, any address, of the last 15 "
      "pages; memory may fail",
      "small --unwind 4") {
  vaddr_t at = any_va();
  struct meaning before;
  int r;

  begin();
  removed = any_va() + any_bool();
  removed_end = any_va();
  before = meaning(at);
  r = space_remove_locked(&space, removed, removed_end);
  check();
  claim(r == 0 || r == (range_valid(removed, removed_end) ? -ENOMEM : -EINVAL));
  if (r == 0 && removed <= at && at < removed_end)
    claim(!meaning(at).there);
  else
    claim(same(meaning(at), before));
  reached(r == 0 && space.nregions == 2);
  reached(r == 0 && space.nregions == 1 && before.there && before.object);
  reached(r == -ENOMEM && before.there);
}

PROVE(split,
      "no region is left across the two addresses, and what is said of an "
      "address has not changed; the same",
      "any space of one region or none, any addresses of the last 15 pages; "
      "memory may fail",
      "small --unwind 4") {
  vaddr_t at = any_va(), start = any_va(), end = any_va();
  struct meaning before;
  int r;

  begin();
  assume(start < end);
  before = meaning(at);
  r = space_split_locked(&space, start, end);
  check();
  claim(same(meaning(at), before));
  for (uint i = 0; i < NODES && r == 0; i++)
    claim(!in_tree[i] ||
          ((start <= regions[i]->start || start >= regions[i]->end) &&
           (end <= regions[i]->start || end >= regions[i]->end)));
  reached(r == 0 && space.nregions == 3);
  reached(r == -ENOMEM && before.there);
}

PROVE(merge, "what is said of an address has not changed; the same",
      "any space of up to 2 regions, any addresses of the last 15 pages",
      "small -DREGIONS=2 --unwind 4") {
  vaddr_t at = any_va(), start = any_va(), end = any_va();
  struct meaning before;

  begin();
  assume(start < end);
  before = meaning(at);
  space_merge_locked(&space, start, end);
  check();
  claim(same(meaning(at), before));
  reached(space.nregions == 2);
  reached(space.nregions == 1 && before.there && g0.end > g1.start &&
          g1.start > g0.start);
}
