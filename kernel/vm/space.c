/*
 * Address spaces and their regions.
 *
 *   list, in order    [text]--[data]--[guard]--[stack]--[heap] ...
 *                        \______\________\_______/_______/
 *   tree, to find one            by start address
 *
 * Regions do not overlap, and neighbours that could be one region are one, when
 * they were made so. They are split where a call changes only a part of one.
 *
 * A region that maps an object is in the object's list, too, so that the entries
 * of a page of the object are found (object.c). While a process forks, its
 * child's region comes behind its own there.
 */
#include "vm/space.h"

#include "debug.h"
#include "lib/panic.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "tables.h"
#include "vm/anon.h"

/* Pages that are not promised to anybody: for page tables and the kernel. */
#define RESERVE_MIN 64
#define RESERVE_SHARE 256 /* of all pages, one in so many */

static struct slab_cache space_cache =
    SLAB_CACHE(space_cache, "space", sizeof(struct space));
static struct slab_cache region_cache =
    SLAB_CACHE(region_cache, "region", sizeof(struct region));

static struct spinlock spaces_lock = SPINLOCK("spaces");
struct list spaces = LIST_INIT(spaces); /* [spaces_lock] */

#define region_of(l) list_entry(l, struct region, link)

static size_t pages_of(const struct region *r) {
  return (r->end - r->start) / PGSIZE;
}

/* --- single regions --- */

bool region_reserved(const struct region *r, uint rights) {
  if (r->flags & (REGION_NORESERVE | REGION_STACK))
    return false;
  return r->flags & REGION_SHARED ? anon_pages(r->object) != NULL
                                  : rights & PROT_WRITE;
}

static bool reserved(const struct region *r) {
  return region_reserved(r, r->rights);
}

/* A region is in its space: count it, or with n = -1 do not any more. */
static void count(const struct region *r, long n) {
  r->space->size += n * pages_of(r);
  if (reserved(r))
    r->space->committed += n * pages_of(r);
}

void region_set_rights(struct region *r, uint rights) {
  count(r, -1);
  r->rights = rights;
  count(r, 1);
}

/* Move the ends of a region. */
static void resize(struct region *r, vaddr_t start, vaddr_t end) {
  if (r->object != NULL)
    acquire(&r->object->lock);
  count(r, -1);
  if (r->object != NULL)
    r->first = region_index(r, start);
  if (r->object != NULL && end > r->end)
    memobject_again_locked(r);
  r->start = r->node.key = start;
  r->end = end;
  count(r, 1);
  if (r->object != NULL)
    release(&r->object->lock);
}

/* A region like another one, in no space, or NULL. */
static struct region *region_new(const struct region *like) {
  struct region *r = slab_alloc(&region_cache);

  if (r == NULL)
    return NULL;
  *r = *like;
  r->node.key = r->start;
  list_init(&r->object_link);
  if (r->object != NULL)
    r->object->ops->get(r->object);
  return r;
}

static void region_free(struct region *r) {
  if (r->object != NULL)
    r->object->ops->put(r->object);
  slab_free(&region_cache, r);
}

/* Put a region into a space behind `below` (NULL: the first), and in its
 * object's list behind `elder` (NULL: anywhere). */
static void region_link(struct space *s, struct region *r, struct region *below,
                        struct region *elder) {
  struct list *at = below ? &below->link : &s->regions;

  r->space = s;
  list_insert(&r->link, at, at->next);
  tree_insert(&s->by_address, &r->node);
  s->nregions++;
  count(r, 1);
  if (r->object == NULL)
    return;
  acquire(&r->object->lock);
  memobject_enter_locked(r, elder);
  release(&r->object->lock);
}

/* Take a region out of its space, but not yet of its object's list. */
static void region_unlink(struct region *r) {
  struct space *s = r->space;

  list_remove(&r->link);
  tree_remove(&s->by_address, &r->node);
  s->nregions--;
  count(r, -1);
}

/* Its object does not know it any more. */
static void region_detach(struct region *r) {
  if (r->object == NULL)
    return;
  acquire(&r->object->lock);
  memobject_leave_locked(r);
  release(&r->object->lock);
}

/* Could b, which begins where a ends, be a part of a? */
static bool alike(const struct region *a, const struct region *b) {
  return a->end == b->start && a->rights == b->rights &&
         a->denied == b->denied && a->flags == b->flags && a->name == b->name &&
         a->object == b->object &&
         (a->object == NULL || region_index(a, b->start) == b->first);
}

/* --- finding --- */

struct region *space_below_locked(struct space *s, vaddr_t va) {
  struct tree_node *n = tree_at_most(&s->by_address, va);

  return n ? container_of(n, struct region, node) : NULL;
}

struct region *space_find_locked(struct space *s, vaddr_t va) {
  struct region *r = space_below_locked(s, va);

  return r != NULL && va < r->end ? r : NULL;
}

struct region *region_next(struct region *r) {
  struct list *next = r->link.next;

  return next == &r->space->regions ? NULL : region_of(next);
}

struct region *space_first_locked(struct space *s, vaddr_t va) {
  struct region *r = space_below_locked(s, va);

  if (r == NULL)
    return list_empty(&s->regions) ? NULL : region_of(s->regions.next);
  return va < r->end ? r : region_next(r);
}

/* --- changing --- */

static bool range_valid(vaddr_t start, vaddr_t end) {
  return start % PGSIZE == 0 && end % PGSIZE == 0 && start < end &&
         end <= SPACE_END;
}

/* If the region that follows is alike, make them one. True if so. */
static bool merge_next(struct region *r) {
  struct region *next = region_next(r);

  if (next == NULL || !alike(r, next))
    return false;
  /* they overlap for a moment, so that the object misses no entry */
  resize(r, r->start, next->end);
  region_unlink(next);
  region_detach(next);
  region_free(next);
  return true;
}

void space_merge_locked(struct space *s, vaddr_t start, vaddr_t end) {
  struct region *r = start > 0 ? space_find_locked(s, start - 1) : NULL;

  if (r == NULL)
    r = space_first_locked(s, start);
  while (r != NULL && r->start <= end)
    if (!merge_next(r))
      r = region_next(r);
}

int space_add_locked(struct space *s, const struct region *like) {
  struct region *below, *r;

  if (!range_valid(like->start, like->end))
    return -EINVAL;
  below = space_below_locked(s, like->end - 1);
  if (below != NULL && below->end > like->start)
    return -EINVAL;
  if (below != NULL && alike(below, like)) {
    resize(below, below->start, like->end);
    r = below;
  } else {
    r = s->nregions < REGIONS_MAX ? region_new(like) : NULL;
    if (r == NULL)
      return -ENOMEM;
    region_link(s, r, below, NULL);
  }
  merge_next(r);
  return 0;
}

/* Split the region that holds va in its middle, so that one begins there. */
static int split_at(struct space *s, vaddr_t va) {
  struct region *r = space_find_locked(s, va), *upper;

  if (r == NULL || r->start == va)
    return 0;
  if (uvm_split_at(s, va) < 0)
    return -ENOMEM;
  upper = s->nregions < REGIONS_MAX ? region_new(r) : NULL;
  if (upper == NULL)
    return -ENOMEM;
  upper->start = upper->node.key = va;
  if (r->object != NULL)
    upper->first = region_index(r, va);
  /* they overlap for a moment, so that the object misses no entry */
  region_link(s, upper, r, r);
  resize(r, r->start, va);
  return 0;
}

int space_split_locked(struct space *s, vaddr_t start, vaddr_t end) {
  return split_at(s, start) < 0 || split_at(s, end) < 0 ? -ENOMEM : 0;
}

/*
 * Removing a range takes three steps, so that other threads wait for the first
 * one only:
 *
 *   cut_out      regions leave the space: no fault brings     lock held alone
 *                a page back
 *   clear_range  their entries and tables go, and are         lock shared: the
 *                flushed                                      addresses stay free
 *                frames and tables are freed                  no lock
 *   bury         so are the regions, and objects given up     no lock
 */
struct removal {
  struct space *space;
  struct list regions;        /* that were in the range */
  vaddr_t tables, tables_end; /* for these no table is needed any more */
};

static void removal_init(struct removal *rm, struct space *s) {
  *rm = (struct removal){.space = s};
  list_init(&rm->regions);
}

/* The page-table pages that no region needs any more, now that none is in
 * [start, end). */
static void find_tables(struct removal *rm, vaddr_t start, vaddr_t end) {
  struct space *s = rm->space;
  struct region *below = space_below_locked(s, start);
  struct region *above = space_first_locked(s, start);
  vaddr_t gap = below ? below->end : 0,
          gap_end = above ? above->start : SPACE_END;

  rm->tables = MAX(start & -UVM_TABLE_SPAN,
                   (gap + UVM_TABLE_SPAN - 1) & -UVM_TABLE_SPAN);
  rm->tables_end = MIN((end + UVM_TABLE_SPAN - 1) & -UVM_TABLE_SPAN,
                       gap_end & -UVM_TABLE_SPAN);
}

static void removal_add(struct removal *rm, struct region *r) {
  region_unlink(r);
  list_add_back(&rm->regions, &r->link);
}

static int cut_out(struct removal *rm, vaddr_t start, vaddr_t end) {
  struct space *s = rm->space;
  struct region *r, *next;

  if (!range_valid(start, end))
    return -EINVAL;
  if (space_split_locked(s, start, end) < 0)
    return -ENOMEM;
  for (r = space_first_locked(s, start); r != NULL && r->start < end;
       r = next) {
    next = region_next(r);
    removal_add(rm, r);
  }
  find_tables(rm, start, end);
  if (start <= s->hint && s->hint < end)
    s->hint = end; /* what was placed last goes first */
  return 0;
}

/* live: threads may run in the space. unlock: the lock is shared; release it as
 * soon as it is not needed. Not inlined: the gather shall be off the stack when
 * objects are given up, which may go deep into the file system. */
static __attribute__((noinline)) void clear_range(struct removal *rm, bool live,
                                                  bool unlock) {
  struct gather g;

  gather_init(&g, rm->space, live);
  list_for_each (l, &rm->regions) {
    struct region *r = region_of(l);

    uvm_take(&g, r, r->start, r->end);
  }
  uvm_take_tables(&g, rm->tables, rm->tables_end);
  gather_flush(&g);
  /* the objects knew them until no CPU could use a page of theirs */
  list_for_each (l, &rm->regions)
    region_detach(region_of(l));
  if (unlock)
    release_shared(&rm->space->lock);
  gather_put(&g);
}

static void bury(struct removal *rm) {
  list_for_each_safe (l, &rm->regions)
    region_free(region_of(l));
}

/* What follows cut_out() when the lock is not needed for anything else. */
static void finish_removal(struct removal *rm) {
  share_exclusive(&rm->space->lock);
  clear_range(rm, true, true);
  bury(rm);
}

int space_remove_locked(struct space *s, vaddr_t start, vaddr_t end) {
  struct removal rm;
  int r;

  removal_init(&rm, s);
  r = cut_out(&rm, start, end);
  if (r < 0)
    return r;
  clear_range(&rm, true, false);
  bury(&rm);
  return 0;
}

int space_remove(struct space *s, vaddr_t start, vaddr_t end) {
  struct removal rm;
  int r;

  removal_init(&rm, s);
  acquire_exclusive(&s->lock);
  r = cut_out(&rm, start, end);
  if (r < 0)
    release_exclusive(&s->lock);
  else
    finish_removal(&rm);
  return r;
}

/* --- whole spaces --- */

struct space *space_create(void) {
  struct space *s = slab_alloc(&space_cache);

  if (s == NULL)
    return NULL;
  s->pagetable = uvmcreate();
  if (s->pagetable == NULL) {
    slab_free(&space_cache, s);
    return NULL;
  }
  initrwsleeplock(&s->lock, "space");
  initlock(&s->ptl, "page table");
  list_init(&s->regions);
  s->hint = SPACE_END;
  s->refs = 1;
  acquire(&spaces_lock);
  list_add_back(&spaces, &s->all);
  release(&spaces_lock);
  return s;
}

struct space *space_get(struct space *s) {
  debug_count_get(s->refs, "space", s);
  __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
  return s;
}

/* A reference, unless there is none any more. */
static bool space_get_if_any(struct space *s) {
  uint refs = __atomic_load_n(&s->refs, __ATOMIC_RELAXED);

  while (refs > 0 &&
         !__atomic_compare_exchange_n(&s->refs, &refs, refs + 1, false,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    continue;
  return refs > 0;
}

struct space *space_of_table(paddr_t root) {
  struct space *found = NULL;

  acquire(&spaces_lock);
  list_for_each (l, &spaces) {
    struct space *s = list_entry(l, struct space, all);

    if (V2P(s->pagetable) == root && space_get_if_any(s)) {
      found = s;
      break;
    }
  }
  release(&spaces_lock);
  return found;
}

void space_put(struct space *s) {
  struct removal rm;

  debug_count_put(s->refs, "space", s);
  if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  /* the lock keeps the self-check away; no CPU has the table any more, nor will
   * it: nothing to flush */
  removal_init(&rm, s);
  acquire_exclusive(&s->lock);
  tables_unprepare_user(s->pagetable);
  list_for_each_safe (l, &s->regions)
    removal_add(&rm, region_of(l));
  clear_range(&rm, false, false);
  release_exclusive(&s->lock);
  bury(&rm);
  acquire(&spaces_lock);
  list_remove(&s->all);
  release(&spaces_lock);
  uvmfree(s->pagetable);
  slab_free(&space_cache, s);
}

/* Nobody finds it by its process any more, so that no holder comes after we looked
 * but the self-check, of a space that is being changed. Removing all splits no
 * region: it cannot fail. */
void space_end(struct space *s) {
  if (__atomic_load_n(&s->refs, __ATOMIC_ACQUIRE) > 1)
    space_remove(s, 0, SPACE_END);
  space_put(s);
}

/* Give the new space c all that s has. *lost: s has lost the right to write
 * pages. */
static int copy_regions(struct space *s, struct space *c, bool *lost) {
  struct region *last = NULL;

  list_for_each (l, &s->regions) {
    struct region *r = region_of(l), *copy = region_new(r);

    if (copy == NULL)
      return -ENOMEM;
    region_link(c, copy, last, r);
    if (uvmcopy(r, c, lost) < 0)
      return -ENOMEM;
    last = copy;
  }
  c->brk = s->brk;
  c->hint = s->hint;
  return 0;
}

struct space *space_copy(struct space *s) {
  struct space *c = space_create();
  bool lost = false;
  int r;

  if (c == NULL)
    return NULL;
  acquire_exclusive(&s->lock);
  debug_lock_is_new(&c->lock);
  acquire_exclusive(&c->lock);
  r = copy_regions(s, c, &lost);
  release_exclusive(&c->lock);
  /* what is written from now on must fault, and be copied */
  if (lost)
    tables_flush_user(&s->arch, 0, SPACE_END);
  release_exclusive(&s->lock);
  if (r < 0) {
    space_put(c);
    return NULL;
  }
  return c;
}

/* --- the heap --- */

/* Pages of those that are committed. */
static size_t committed_in(struct space *s, vaddr_t from, vaddr_t to) {
  struct region *r = space_first_locked(s, from);
  size_t n = 0;

  for (; r != NULL && r->start < to; r = region_next(r))
    if (reserved(r))
      n += (MIN(r->end, to) - MAX(r->start, from)) / PGSIZE;
  return n;
}

/* Pages that the space has already: of those that are committed, and all in
 * [from, to). */
static size_t committed_there(struct space *s, vaddr_t from, vaddr_t to) {
  struct uvm_usage u = {0};
  size_t shared = 0;

  list_for_each (l, &s->regions) {
    const struct region *r = region_of(l);
    vaddr_t at = reserved(r) ? r->start : MAX(r->start, from);
    vaddr_t end = reserved(r) ? r->end : MIN(r->end, to);

    if (at >= end)
      continue;
    if (r->flags & REGION_SHARED)
      shared +=
          anon_count(r->object, region_index(r, at), region_index(r, end));
    else
      uvm_usage(s, at, end, &u);
  }
  return u.dirty + shared;
}

/* Pages that nobody has, or would have to go on having. */
static size_t pages_there(void) {
  return pages_owned(PAGE_FREE) + pages_owned(PAGE_CACHE);
}

static size_t pages_kept(void) {
  return MAX(RESERVE_MIN, pages_total() / RESERVE_SHARE);
}

bool space_exceeds_memory(struct space *s, size_t pages, vaddr_t from,
                          vaddr_t to) {
  size_t replaced = from < to ? committed_in(s, from, to) : 0;
  size_t wanted = s->committed - replaced + pages;
  size_t there = pages_there(), keep = pages_kept();

  /* nearly always that is enough, and nothing need be counted */
  return pages > replaced && wanted + keep > there &&
         wanted + keep > there + committed_there(s, from, to);
}

static size_t pages_held(struct space *s) {
  size_t n;

  acquire(&s->ptl);
  n = s->anon;
  release(&s->ptl);
  return n;
}

bool space_exceeds_in_place_of(struct space *s, size_t pages,
                               struct space *old) {
  size_t wanted = s->committed + pages;
  size_t there = pages_there(), keep = pages_kept();

  if (old != NULL)
    there += pages_held(old);
  return wanted > keep && wanted + keep > there &&
         wanted + keep > there + committed_there(s, 0, 0);
}

static int grow(struct space *s, vaddr_t from, vaddr_t to, bool reserve) {
  struct region *r = space_first_locked(s, from);

  if ((r != NULL && r->start < to) ||
      (reserve && space_exceeds_memory(s, (to - from) / PGSIZE, from, to)))
    return -ENOMEM;
  return space_add_locked(
      s, &(struct region){.start = from,
                          .end = to,
                          .rights = PROT_READ | PROT_WRITE,
                          .flags = reserve ? 0 : REGION_NORESERVE,
                          .name = "heap"});
}

/* Decide what a change of the heap's end comes to; cut out what is given back.
 * lock held alone. */
static int move_brk(struct removal *rm, long n, bool reserve) {
  struct space *s = rm->space;
  vaddr_t brk = s->brk + n, from = PGROUNDUP(s->brk), to = PGROUNDUP(brk);
  int r = 0;

  if (n > 0 && (brk < s->brk || brk > SPACE_END))
    return -ENOMEM;
  if (n < 0 && brk > s->brk)
    return 0; /* below 0: nothing happens, as in xv6 */
  if (to > from)
    r = grow(s, from, to, reserve);
  else if (to < from)
    r = cut_out(rm, to, from);
  if (r == 0)
    s->brk = brk;
  return r;
}

int space_sbrk(struct space *s, long n, bool reserve, vaddr_t *old) {
  struct removal rm;
  int r;

  removal_init(&rm, s);
  acquire_exclusive(&s->lock);
  *old = s->brk;
  r = move_brk(&rm, n, reserve);
  if (list_empty(&rm.regions))
    release_exclusive(&s->lock);
  else
    finish_removal(&rm);
  return r;
}
