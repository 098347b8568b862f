/*
 * mmap and its kin. See map.h.
 *
 *   0        heap grows ->              <- mappings are placed        SPACE_END
 *   [text .. stack][heap]                          [third][second][first]
 *                                                  ^ hint: the next one ends here
 *
 * Mappings are placed from the top down, each right below the last one, so that
 * finding a place takes no search; when there is no room left below, in the
 * first gap from the top that is large enough. What could hold superpages
 * begins where one can begin.
 */
#include "vm/map.h"

#include "sched/thread.h"
#include "sync/trace.h"
#include "vm/anon.h"
#include "vm/fault.h"

#define LOWEST KiB(64) /* nothing is placed below, near address 0 */

static const char *name_of(const struct mapping *m) {
  if (m->object != NULL)
    return m->flags & MAP_ANONYMOUS ? "shared" : "file";
  return "mmap";
}

/* The range's end; 0 if it is no range of user addresses. */
static vaddr_t end_of(vaddr_t at, size_t size) {
  vaddr_t end = at + PGROUNDUP(size);

  if (size == 0 || at % PGSIZE || size > SPACE_END || end < at ||
      end > SPACE_END)
    return 0;
  return end;
}

/* No machine lets a program write what it may not read, and one without a bit
 * for reading lets it read whatever is there. */
static uint rights_of(uint prot) {
  bool reads = prot & PROT_WRITE || (PTE_R == 0 && prot != PROT_NONE);

  return reads ? prot | PROT_READ : prot;
}

/* --- placing --- */

static bool is_free(struct space *s, vaddr_t at, vaddr_t end) {
  struct region *r = space_first_locked(s, at);

  return r == NULL || r->start >= end;
}

/* The highest free place for size bytes that ends at `end` or below, or 0. */
static vaddr_t find_below(struct space *s, vaddr_t end, size_t size) {
  vaddr_t align = size >= level_size(1) ? level_size(1) : PGSIZE;

  while (end > size) {
    vaddr_t at = (end - size) & -align;
    struct region *r = space_below_locked(s, at + size - 1);

    if (at < LOWEST)
      break;
    if (r == NULL || r->end <= at)
      return at;
    end = r->start;
  }
  return 0;
}

static vaddr_t find_place(struct space *s, vaddr_t wish, size_t size) {
  vaddr_t at = PGROUNDDOWN(wish), end = end_of(at, size);

  if (at != 0 && end != 0 && is_free(s, at, end))
    return at;
  at = find_below(s, s->hint, size);
  if (at == 0)
    at = find_below(s, SPACE_END, size);
  if (at != 0)
    s->hint = at;
  return at;
}

/* --- mmap --- */

static bool flags_valid(int flags) {
  const int known = MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS |
                    MAP_NORESERVE | MAP_POPULATE | MAP_FIXED_NOREPLACE |
                    MAP_STACK;

  return !(flags & ~known) && !(flags & MAP_SHARED) != !(flags & MAP_PRIVATE);
}

/* Decide where, and make room there. lock held alone. */
static int make_room(struct space *s, struct mapping *m) {
  if (!(m->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
    m->at = find_place(s, m->at, m->size);
    return m->at != 0 ? 0 : -ENOMEM;
  }
  if (m->at % PGSIZE)
    return -EINVAL;
  if (end_of(m->at, m->size) == 0)
    return -ENOMEM;
  if (is_free(s, m->at, m->at + m->size))
    return 0;
  if (m->flags & MAP_FIXED_NOREPLACE)
    return -EEXIST;
  return space_remove_locked(s, m->at, m->at + m->size);
}

/* Would it be more than there is memory? What it is put in the place of is given
 * back first. */
static bool exceeds_memory(struct space *s, const struct mapping *m) {
  vaddr_t from = m->flags & MAP_FIXED ? m->at : 0;
  vaddr_t to = m->flags & MAP_FIXED ? end_of(m->at, m->size) : 0;

  return space_exceeds_memory(s, m->size / PGSIZE, from, to);
}

static int map_locked(struct space *s, struct mapping *m) {
  bool anonymous = m->flags & MAP_ANONYMOUS, shared = m->flags & MAP_SHARED;
  /* what can be written must have room; what can only be read is the page of
   * zeros, or the file's */
  bool fills = shared ? anonymous : m->rights & PROT_WRITE;
  int r;

  if (fills && !(m->flags & MAP_NORESERVE) && exceeds_memory(s, m))
    return -ENOMEM;
  r = make_room(s, m);
  if (r < 0)
    return r;
  return space_add_locked(
      s, &(struct region){
             .start = m->at,
             .end = m->at + m->size,
             .rights = rights_of(m->rights),
             .denied = PROT_ALL & ~m->allowed,
             .flags = (shared ? REGION_SHARED : 0) |
                      (m->flags & MAP_NORESERVE ? REGION_NORESERVE : 0),
             .name = name_of(m),
             .object = m->object,
             .first = m->first});
}

/* Touch all pages; what cannot be had is left to later. */
static void populate(struct space *s, const struct mapping *m) {
  uint access = m->rights & PROT_WRITE ? PROT_WRITE : m->rights & PROT_ALL;

  if (!(access & PROT_WRITE))
    access = access & PROT_READ ? PROT_READ : access;
  for (size_t done = 0; access != 0 && done < m->size; done += PGSIZE)
    if (killed() || fault_resolve(s, m->at + done, access) < 0)
      break;
}

int space_map(struct space *s, struct mapping *m) {
  struct memobject *shared = NULL;
  int r;

  if (m->size == 0 || !flags_valid(m->flags) || (m->rights & ~(uint)PROT_ALL))
    return -EINVAL;
  if (m->size > SPACE_END)
    return -ENOMEM;
  m->size = PGROUNDUP(m->size);
  if ((m->flags & MAP_ANONYMOUS) && (m->flags & MAP_SHARED)) {
    m->object = shared = anon_create();
    if (shared == NULL)
      return -ENOMEM;
  }
  acquire_exclusive(&s->lock);
  r = map_locked(s, m);
  release_exclusive(&s->lock);
  if (r == 0)
    trace(TRACE_MMAP, m->at, m->size);
  if (shared != NULL)
    shared->ops->put(shared); /* the region has its own reference */
  if (r == 0 && (m->flags & MAP_POPULATE))
    populate(s, m);
  return r;
}

int space_unmap(struct space *s, vaddr_t at, size_t size) {
  vaddr_t end = end_of(at, size);

  if (end == 0)
    return -EINVAL;
  trace(TRACE_MUNMAP, at, end - at);
  return space_remove(s, at, end);
}

/* --- mprotect --- */

/* Is all of it mapped? lock held. */
static bool is_mapped(struct space *s, vaddr_t at, vaddr_t end) {
  struct region *r = space_first_locked(s, at);

  for (; r != NULL && r->start <= at; r = region_next(r)) {
    at = r->end;
    if (at >= end)
      return true;
  }
  return false;
}

/* May the range get these rights? lock held. */
static int may_protect(struct space *s, vaddr_t at, vaddr_t end, uint rights) {
  struct region *r = space_first_locked(s, at);
  size_t pages = 0; /* that must exist then */

  if (!is_mapped(s, at, end))
    return -ENOMEM;
  for (; r != NULL && r->start < end; r = region_next(r)) {
    if (rights & r->denied)
      return -EACCES;
    if (region_reserved(r, rights))
      pages += (MIN(r->end, end) - MAX(r->start, at)) / PGSIZE;
  }
  return space_exceeds_memory(s, pages, at, end) ? -ENOMEM : 0;
}

static int protect_locked(struct space *s, vaddr_t at, vaddr_t end,
                          uint rights) {
  struct region *r;
  int err = may_protect(s, at, end, rights);

  if (err == 0)
    err = space_split_locked(s, at, end);
  if (err < 0)
    return err;
  for (r = space_first_locked(s, at); r != NULL && r->start < end;
       r = region_next(r)) {
    region_set_rights(r, rights);
    uvm_protect(r);
  }
  space_merge_locked(s, at, end);
  if (rights & PROT_EXEC)
    instructions_mapped(&s->arch); /* by the program, it may be */
  return 0;
}

int space_protect(struct space *s, vaddr_t at, size_t size, uint rights) {
  vaddr_t end = end_of(at, size);
  int r;

  if (at % PGSIZE || (rights & ~(uint)PROT_ALL))
    return -EINVAL;
  if (size == 0)
    return 0;
  if (end == 0)
    return -ENOMEM; /* so says POSIX */
  acquire_exclusive(&s->lock);
  r = protect_locked(s, at, end, rights_of(rights));
  release_exclusive(&s->lock);
  return r;
}

/* --- madvise --- */

/* Get a file's pages into memory, a region's part. Memory that is in no file is
 * there when it is touched, and not before. lock held. */
static void will_need(struct region *r, vaddr_t at, vaddr_t end) {
  struct memobject *o = r->object;
  struct objpage p;

  if (o == NULL || anon_pages(o) != NULL)
    return;
  for (; at < end; at += PGSIZE) {
    if (killed() || o->ops->hold(o, region_index(r, at), false, &p) < 0)
      break;
    o->ops->drop(o, &p);
  }
}

/* Forget what is there. -ENOMEM: no memory to split a superpage. */
static int dont_need(struct region *r, vaddr_t at, vaddr_t end) {
  if (uvm_split_at(r->space, at) < 0 || uvm_split_at(r->space, end) < 0)
    return -ENOMEM;
  uvmdealloc(r, at, end);
  return 0;
}

static int advise_locked(struct space *s, vaddr_t at, vaddr_t end, int advice) {
  int err = is_mapped(s, at, end) ? 0 : -ENOMEM;
  struct region *r = space_first_locked(s, at);

  for (; r != NULL && r->start < end; r = region_next(r)) {
    vaddr_t from = MAX(r->start, at), to = MIN(r->end, end);

    if (advice == MADV_DONTNEED)
      err = dont_need(r, from, to) < 0 ? -ENOMEM : err;
    else if (advice == MADV_WILLNEED)
      will_need(r, from, to);
  }
  return err;
}

int space_advise(struct space *s, vaddr_t at, size_t size, int advice) {
  vaddr_t end = end_of(at, size);
  int r;

  if (at % PGSIZE || advice < MADV_NORMAL || advice > MADV_DONTNEED)
    return -EINVAL;
  if (size == 0)
    return 0;
  if (end == 0)
    return -ENOMEM;
  if (advice != MADV_DONTNEED) {
    acquire_shared(&s->lock);
    r = advise_locked(s, at, end, advice);
    release_shared(&s->lock);
    return r;
  }
  /* alone: no fault may put a superpage across an end of the range */
  acquire_exclusive(&s->lock);
  r = advise_locked(s, at, end, advice);
  release_exclusive(&s->lock);
  return r;
}

/* --- msync --- */

/* The object of the first shared region that ends above *at, with a reference,
 * and the pages of it that are below end; *at is moved behind it. NULL: there is
 * none. *hole: something before it is not mapped. */
static struct memobject *next_shared(struct space *s, vaddr_t *at, vaddr_t end,
                                     uint64 *first, uint64 *last, bool *hole) {
  struct memobject *o = NULL;

  acquire_shared(&s->lock);
  while (o == NULL && *at < end) {
    struct region *r = space_first_locked(s, *at);
    vaddr_t from = r ? MAX(r->start, *at) : end, to;

    *hole |= from > *at;
    if (from >= end)
      break;
    to = MIN(r->end, end);
    if (r->object != NULL && (r->flags & REGION_SHARED)) {
      o = r->object;
      o->ops->get(o);
      *first = region_index(r, from);
      *last = region_index(r, to);
    }
    *at = to;
  }
  release_shared(&s->lock);
  return o;
}

int space_sync(struct space *s, vaddr_t at, size_t size, int flags) {
  vaddr_t end = end_of(at, size);
  uint64 first, last;
  struct memobject *o;
  bool hole = false;
  int err = 0;

  if (at % PGSIZE || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
      ((flags & MS_ASYNC) && (flags & MS_SYNC)))
    return -EINVAL;
  if (size == 0)
    return 0;
  if (end == 0)
    return -ENOMEM;
  while ((o = next_shared(s, &at, end, &first, &last, &hole)) != NULL) {
    int r = flags & MS_SYNC ? o->ops->sync(o, first, last) : 0;

    o->ops->put(o);
    if (err == 0)
      err = r;
  }
  return err < 0 ? err : hole ? -ENOMEM : 0;
}
