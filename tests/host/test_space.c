/*
 * Address spaces, kernel/vm/{space,uvm,fault}.c, against a model: an array that
 * says of each page what is there. Memory runs out at every place where it can.
 */
/* sources: kernel/vm/anon.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#include "mm_fakes.h"

#include "vm/fault.h"
#include "vm/space.c"

/* Pages at the bottom, around the end of a page-table page, and up to the end
 * of user memory; by the model they lie side by side in three windows. */
#define WINDOW 24UL
static const vaddr_t windows[] = {0, MiB(2) - WINDOW / 2 * PGSIZE,
                                  SPACE_END - WINDOW *PGSIZE};
#define PAGES (NELEM(windows) * WINDOW)

static const char *const names[] = {"heap", "data"};
static const uint kinds[] = {PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC,
                             PROT_READ, PROT_EXEC, 0};

static struct page_model {
  bool there;  /* a region covers it */
  bool begins; /* a region begins here */
  uint rights;
  const char *name;
  enum { NOTHING, ZEROS, OWN } memory; /* ZEROS: the page that all share */
  uint64 tag;                          /* what its own memory holds; 0: zeros */
} model[PAGES];

static struct space *space;
static uchar trapframe[PGSIZE] __attribute__((aligned(PGSIZE)));
#define TF ((struct trapframe *)trapframe)

static vaddr_t va_of(uint64 page) {
  return windows[page / WINDOW] + page % WINDOW * PGSIZE;
}
/* The end of a range whose last page this is. */
static vaddr_t end_of(uint64 page) { return va_of(page) + PGSIZE; }

static int add(struct space *s, vaddr_t start, vaddr_t end, uint rights,
               const char *name) {
  return space_add_locked(
      s, &(struct region){
             .start = start, .end = end, .rights = rights, .name = name});
}

static size_t resident(struct space *s, vaddr_t from, vaddr_t to) {
  struct uvm_usage u = {0};

  uvm_usage(s, from, to, &u);
  return u.resident;
}

static struct fault_counts faults(void) {
  struct fault_counts c;

  fault_totals(&c);
  return c;
}

static uchar *memory_at(struct space *s, vaddr_t va) {
  pte_t *pte = walk(s->pagetable, va, false);

  return pte && (*pte & PTE_V) ? P2V(PTE2PA(*pte)) : NULL;
}

/* --- the space is as the model says --- */

static void check_regions(struct space *s) {
  vaddr_t last_end = 0;
  uint64 page = 0, n = 0, size = 0, committed = 0;

  list_for_each (l, &s->regions) {
    struct region *r = region_of(l);

    assert_true(r->start >= last_end && r->start < r->end);
    assert_ptr_equal(l->next->prev, l);
    assert_ptr_equal(r->space, s);
    assert_ptr_equal(space_find_locked(s, r->start), r);
    assert_ptr_equal(space_find_locked(s, r->end - 1), r);
    last_end = r->end;
    n++;
    size += r->end - r->start;
    committed += r->rights & PROT_WRITE ? r->end - r->start : 0;
    while (page < PAGES && va_of(page) < r->start)
      assert_false(model[page++].there);
    for (vaddr_t va = r->start; va < r->end; va += PGSIZE, page++) {
      assert_true(page < PAGES && va_of(page) == va && model[page].there);
      assert_int_equal(model[page].begins, va == r->start);
      assert_int_equal(model[page].rights, r->rights);
      assert_string_equal(model[page].name, r->name);
    }
  }
  while (page < PAGES)
    assert_false(model[page++].there);
  assert_int_equal(s->nregions, n);
  assert_int_equal(s->size, size / PGSIZE);
  assert_int_equal(s->committed, committed / PGSIZE);
}

/* The right to write may be missing: the next write gives it. */
static void check_entry(pte_t pte, const struct page_model *m) {
  uint want = prot_to_pte(m->rights),
       got = pte & (PTE_R | PTE_W | PTE_X | PTE_U);

  assert_int_equal(got | (want & PTE_W), want);
  assert_true(m->memory == OWN || !(pte & PTE_W));
  assert_int_equal(pte_page(pte) == zero_page, m->memory == ZEROS);
}

static void check_pages(struct space *s) {
  uint64 n = 0, anon = 0;

  for (uint64 i = 0; i < PAGES; i++) {
    pte_t *pte = walk(s->pagetable, va_of(i), false);
    uchar *memory = memory_at(s, va_of(i));

    assert_int_equal(memory != NULL, model[i].memory != NOTHING);
    if (memory == NULL)
      continue;
    n++;
    anon += model[i].memory == OWN;
    check_entry(*pte, &model[i]);
    assert_true(model[i].tag ? page_marked(memory, model[i].tag)
                             : page_zero(memory));
  }
  assert_int_equal(resident(s, 0, SPACE_END), n);
  assert_int_equal(s->anon, anon);
}

static void check_space(struct space *s) {
  check_regions(s);
  check_pages(s);
  assert_int_equal(s->lock.sharers, 0);
}

/* Write to some pages, so that they are not zero any more. */
static void mark_pages(void) {
  static uint64 tag;

  for (uint64 i = 0; i < PAGES; i++) {
    if (model[i].memory == OWN && random_below(2)) {
      model[i].tag = ++tag;
      page_mark(memory_at(space, va_of(i)), tag);
    }
  }
}

/* --- operations on both --- */

/* Objects that take what room the pages of a slab cache have. */
static void *fillers[1000];
static uint64 nfillers;

/* Leave n pages, with no room in the region cache; sometimes leave all. */
static bool limit_memory(void) {
  if (random_below(3) > 0)
    return false;
  while (random_below(8) && !list_empty(&region_cache.partial) &&
         nfillers < NELEM(fillers))
    fillers[nfillers++] = slab_alloc(&region_cache);
  memory_leave(random_below(7));
  return true;
}

static void unlimit_memory(void) {
  memory_return();
  while (nfillers > 0)
    slab_free(&region_cache, fillers[--nfillers]);
}

static bool model_alike(uint64 below, uint64 above) {
  return above % WINDOW && above < PAGES && model[below].there &&
         model[above].there && model[below].rights == model[above].rights &&
         model[below].name == model[above].name;
}

static void model_add(uint64 first, uint64 last, uint rights,
                      const char *name) {
  for (uint64 i = first; i <= last; i++)
    model[i] =
        (struct page_model){.there = true, .rights = rights, .name = name};
  model[first].begins = !first || !model_alike(first - 1, first);
  if (model_alike(last, last + 1))
    model[last + 1].begins = false;
}

static void random_add(uint64 first, uint64 last) {
  uint rights = kinds[random_below(NELEM(kinds))];
  const char *name = names[random_below(NELEM(names))];
  bool limited = limit_memory(), overlaps = false;
  struct census before = census_take();
  int r;

  if (first / WINDOW != last / WINDOW)
    last = first - first % WINDOW + WINDOW - 1; /* no holes in it */
  for (uint64 i = first; i <= last; i++)
    overlaps |= model[i].there;
  r = add(space, va_of(first), end_of(last), rights, name);
  if (overlaps)
    assert_int_equal(r, -EINVAL);
  else if (r == 0)
    model_add(first, last, rights, name);
  else
    assert_true(r == -ENOMEM && limited);
  assert_int_equal(pages_owned(PAGE_USER), before.pages[PAGE_USER]);
  unlimit_memory();
}

/* A region must end before this page and another begin with it. */
static void model_split(uint64 page) {
  if (page < PAGES && model[page].there)
    model[page].begins = true;
}

/* For want of memory the ends may be split or not: it means the same. */
static void model_resplit(uint64 page) {
  struct region *r;

  if (page >= PAGES || !model[page].there || page % WINDOW == 0)
    return;
  r = space_find_locked(space, va_of(page));
  assert_non_null(r);
  model[page].begins |= r->start == va_of(page);
}

static void random_remove(uint64 first, uint64 last) {
  bool limited = limit_memory();
  uint64 flushes = space->arch.flushes, filled = 0;
  int r = space_remove_locked(space, va_of(first), end_of(last));

  if (r < 0) {
    assert_true(r == -ENOMEM && limited);
    model_resplit(first);
    model_resplit(last + 1);
  } else {
    for (uint64 i = first; i <= last; i++) {
      filled += model[i].memory != NOTHING;
      model[i] = (struct page_model){0};
    }
    model_split((last + 1) % WINDOW ? last + 1 : PAGES);
    /* page-table pages may have gone, too */
    assert_true(space->arch.flushes > flushes || filled == 0);
  }
  unlimit_memory();
}

/* Who writes page after page may have got some more, of the same kind. */
static void expect_ahead(uint64 page) {
  for (uint64 i = page + 1; i % WINDOW && i < page + 16; i++) {
    if (model[i].memory != NOTHING || memory_at(space, va_of(i)) == NULL)
      break;
    assert_true(model[i].there && !model[i].begins &&
                model[page].rights & PROT_WRITE);
    model[i].memory = OWN;
  }
}

static void random_fault(uint64 page) {
  static const uint accesses[] = {PROT_READ, PROT_WRITE, PROT_EXEC};
  uint access = accesses[random_below(3)];
  bool limited = limit_memory();
  struct fault_counts count = faults();
  int r = fault_resolve(space, va_of(page) + random_below(PGSIZE), access);

  assert_int_equal(faults().total, count.total + 1);
  assert_int_equal(faults().refused, count.refused + (r < 0));
  if (!model[page].there || !(model[page].rights & access))
    assert_int_equal(r, -EFAULT);
  else if (r < 0)
    assert_true(r == -ENOMEM && limited && model[page].memory != OWN);
  else if (access == PROT_WRITE) {
    if (model[page].memory == NOTHING)
      expect_ahead(page);
    model[page].memory = OWN;
  } else if (model[page].memory == NOTHING)
    model[page].memory = ZEROS;
  unlimit_memory();
}

static void random_round(void) {
  for (int i = 0; i < 300; i++) {
    uint64 first = random_below(PAGES);
    uint64 reach = random_below(60) ? 8 : PAGES; /* mostly short ranges */
    uint64 last = first + random_below(MIN(reach, PAGES - first));
    uint64 kind = random_below(10);

    if (kind < 4)
      random_add(first, last);
    else if (kind < 6)
      random_remove(first, last);
    else
      random_fault(first);
    if (i % 10 == 0)
      mark_pages();
    check_space(space);
  }
}

/* Anew from time to time, since page-table pages, once made, stay. */
static void random_operations(void **state) {
  struct census before = census_take();

  (void)state;
  for (int round = 0; round < 20; round++) {
    memset(model, 0, sizeof(model));
    space = space_create();
    random_round();
    space_put(space);
    assert_int_equal(space_cache.objects, 0);
    assert_int_equal(region_cache.objects, 0);
    assert_census(before);
  }
}

/* Touching pages of two page-table pages, with n pages of memory. */
static void touching_fails_at_each_page(void **state) {
  const vaddr_t from = MiB(1024) - PGSIZE, to = from + 2 * PGSIZE;
  const uint64 needs = 2 + 4; /* pages; two tables of each level */
  struct census before = census_take();

  (void)state;
  for (uint64 n = 0; n <= needs; n++) {
    int r;

    space = space_create();
    assert_int_equal(add(space, from, to, PROT_READ | PROT_WRITE, "data"), 0);
    memory_leave(n);
    r = fault_resolve(space, from, PROT_WRITE);
    assert_int_equal(r, n < needs / 2 ? -ENOMEM : 0);
    if (r == 0)
      r = fault_resolve(space, to - 1, PROT_WRITE);
    assert_int_equal(r, n < needs ? -ENOMEM : 0);
    assert_int_equal(pages_owned(PAGE_USER) - before.pages[PAGE_USER],
                     space->anon);
    memory_return();
    assert_int_equal(space_remove_locked(space, 0, to), 0);
    assert_int_equal(pages_owned(PAGE_USER), before.pages[PAGE_USER]);
    space_put(space);
    assert_census(before);
  }
}

/* --- what the model does not reach --- */

static void bad_ranges_are_refused(void **state) {
  static const struct {
    vaddr_t start, end;
  } bad[] = {
      {0, 0},
      {MiB(1), MiB(1)},
      {MiB(2), MiB(1)},
      {1, PGSIZE},
      {0, PGSIZE + 1},
      {0, SPACE_END + PGSIZE},
      {SPACE_END, SPACE_END + PGSIZE},
      {MAXVA, MAXVA + PGSIZE},
      {-2UL * PGSIZE, -1UL * PGSIZE},
      {-1UL * PGSIZE, 0},
  };

  (void)state;
  space = space_create();
  for (uint i = 0; i < NELEM(bad); i++) {
    assert_int_equal(add(space, bad[i].start, bad[i].end, PROT_READ, "data"),
                     -EINVAL);
    assert_int_equal(space_remove_locked(space, bad[i].start, bad[i].end),
                     -EINVAL);
  }
  assert_true(list_empty(&space->regions));
  assert_null(space_find_locked(space, 0));
  assert_null(space_find_locked(space, ~0UL));
  assert_int_equal(fault_resolve(space, SPACE_END, PROT_READ), -EFAULT);
  assert_int_equal(fault_resolve(space, TRAMPOLINE, PROT_EXEC), -EFAULT);
  assert_int_equal(fault_resolve(space, ~0UL, PROT_WRITE), -EFAULT);
  space_put(space);
}

/* Nothing is left behind if a space cannot be made. */
static void creation_fails_at_each_page(void **state) {
  struct census before = census_take();

  (void)state;
  while (!list_empty(&space_cache.partial))
    fillers[nfillers++] = slab_alloc(&space_cache);
  for (uint64 n = 0; n < 5; n++) {
    uint64 slabs = pages_owned(PAGE_SLAB);
    bool made;

    memory_leave(n);
    space = space_create();
    made = space != NULL;
    /* slab, root, level 1, level 0 */
    assert_int_equal(made, n + (pages_owned(PAGE_SLAB) == slabs) >= 4);
    if (made)
      space_put(space);
    assert_int_equal(pages_owned(PAGE_TABLE), before.pages[PAGE_TABLE]);
    memory_return();
  }
  while (nfillers > 0)
    slab_free(&space_cache, fillers[--nfillers]);
  assert_int_equal(space_cache.objects, 0);
  assert_census(before);
}

/* --- fork --- */

/* Regions of all kinds, filled and not, some written to. */
static void make_space(void) {
  memset(model, 0, sizeof(model));
  space = space_create();
  for (uint64 i = 0; i + 5 < PAGES; i += 6) {
    uint rights = kinds[i / 6 % NELEM(kinds)];

    assert_int_equal(add(space, va_of(i), end_of(i + 4), rights, names[i % 2]),
                     0);
    model_add(i, i + 4, rights, names[i % 2]);
    for (uint64 p = i; rights != 0 && p < i + 4; p++) {
      uint access = rights & PROT_WRITE && p % 3 ? PROT_WRITE
                    : rights & PROT_READ         ? PROT_READ
                                                 : PROT_EXEC;

      assert_int_equal(fault_resolve(space, va_of(p), access), 0);
      model[p].memory = access == PROT_WRITE ? OWN : ZEROS;
    }
  }
  space->brk = 12345;
  mark_pages();
}

static void a_copy_is_equal_and_apart(void **state) {
  struct census before = census_take(), shared;
  struct space *copy;

  (void)state;
  make_space();
  assert_int_equal(tables_add_trapframe(space->pagetable, &space->arch, 3, TF),
                   0);
  shared = census_take();
  copy = space_copy(space);
  assert_non_null(copy);
  assert_int_equal(pages_owned(PAGE_USER), shared.pages[PAGE_USER]);
  assert_int_equal(copy->brk, 12345);
  assert_int_equal(copy->refs, 1);
  assert_int_equal(*walk(space->pagetable, TRAPFRAME_PAGE(3), false) & PTE_V,
                   PTE_V);
  assert_int_equal(*walk(copy->pagetable, TRAPFRAME_PAGE(3), false), 0);
  check_space(copy);
  for (uint64 i = 0; i < PAGES; i++)
    if (model[i].memory == OWN && i % 2) {
      assert_int_equal(fault_resolve(copy, va_of(i), PROT_WRITE), 0);
      page_mark(memory_at(copy, va_of(i)), 1UL << 40);
    }
  check_space(space); /* it did not notice */
  space_put(space);
  for (uint64 i = 0; i < PAGES; i++)
    if (model[i].memory == OWN && i % 2)
      model[i].tag = 1UL << 40;
  check_space(copy); /* nor did the copy mind that */
  space_put(copy);
  assert_census(before);
}

static void the_last_owner_does_not_copy(void **state) {
  struct space *copy;
  uint64 users;

  (void)state;
  make_space();
  copy = space_copy(space);
  space_put(space);
  users = pages_owned(PAGE_USER);
  for (uint64 i = 0; i < PAGES; i++)
    if (model[i].memory == OWN) {
      uchar *memory = memory_at(copy, va_of(i));

      assert_int_equal(*walk(copy->pagetable, va_of(i), false) & PTE_W, 0);
      assert_int_equal(fault_resolve(copy, va_of(i), PROT_WRITE), 0);
      assert_int_equal(*walk(copy->pagetable, va_of(i), false) & PTE_W, PTE_W);
      assert_ptr_equal(memory_at(copy, va_of(i)), memory);
    }
  assert_int_equal(pages_owned(PAGE_USER), users);
  check_space(copy);
  space_put(copy);
}

static void copying_fails_at_each_page(void **state) {
  struct census before, at_start = census_take();
  struct space *copy = NULL;

  (void)state;
  make_space();
  before = census_take();
  for (uint64 n = 0; copy == NULL; n++) {
    assert_true(n < 100);
    while (!list_empty(&region_cache.partial))
      fillers[nfillers++] = slab_alloc(&region_cache);
    memory_leave(n);
    copy = space_copy(space);
    if (copy == NULL)
      assert_int_equal(pages_owned(PAGE_TABLE), before.pages[PAGE_TABLE]);
    unlimit_memory();
    if (copy == NULL)
      assert_census(before);
    check_space(space);
  }
  check_space(copy);
  space_put(copy);
  space_put(space);
  assert_census(at_start);
}

static void the_last_reference_frees(void **state) {
  struct census before = census_take();

  (void)state;
  make_space();
  assert_ptr_equal(space_get(space), space);
  space_put(space);
  check_space(space);
  space_put(space);
  assert_int_equal(space_cache.objects, 0);
  assert_int_equal(region_cache.objects, 0);
  assert_census(before);
}

/* Who holds a space to look at it keeps nothing of what a process had there. */
static void the_end_of_a_process_frees(void **state) {
  struct census before = census_take();

  (void)state;
  for (int looked_at = 0; looked_at < 2; looked_at++) {
    make_space();
    if (looked_at)
      space_get(space);
    space_end(space);
    assert_int_equal(region_cache.objects, 0);
    assert_int_equal(pages_owned(PAGE_USER), before.pages[PAGE_USER]);
    if (looked_at)
      space_put(space);
    assert_int_equal(space_cache.objects, 0);
    assert_census(before);
  }
}

/* --- a page is free only after the flush --- */

static uint64 flushed, users_at_flush;

static void note_flush(vaddr_t va, size_t size) {
  assert_int_equal(va, MiB(2) - 4 * PGSIZE);
  assert_int_equal(size, 8 * PGSIZE);
  for (vaddr_t at = va; at < va + size; at += PGSIZE)
    assert_null(memory_at(space, at)); /* the next translation must fail */
  users_at_flush = pages_owned(PAGE_USER);
  flushed++;
}

static void pages_are_freed_after_the_flush(void **state) {
  uint64 users = pages_owned(PAGE_USER);

  (void)state;
  space = space_create();
  assert_int_equal(add(space, MiB(2) - 4 * PGSIZE, MiB(2) + 4 * PGSIZE,
                       PROT_READ | PROT_WRITE, "data"),
                   0);
  for (uint64 i = 0; i < 8; i++)
    fault_resolve(space, MiB(2) + i * PGSIZE - 4 * PGSIZE, PROT_WRITE);
  /* so that the page-table pages stay */
  assert_int_equal(add(space, 0, PGSIZE, PROT_READ, "text"), 0);
  assert_int_equal(add(space, MiB(4) - PGSIZE, MiB(4), PROT_READ, "text"), 0);
  on_flush = note_flush;
  assert_int_equal(space_remove_locked(space, PGSIZE, MiB(4) - PGSIZE), 0);
  on_flush = NULL;
  assert_int_equal(flushed, 1);
  assert_int_equal(users_at_flush, users + 8);
  assert_int_equal(pages_owned(PAGE_USER), users);
  space_put(space);
}

static uint64 users_before;

/* What waits to be freed is all there until the flush, also when there is more
 * of it than can wait. */
static void note_many(vaddr_t va, size_t size) {
  assert_true(size > 0 && va >= MiB(2));
  if (flushed++ == 0)
    assert_int_equal(pages_owned(PAGE_USER), users_before);
}

static void many_pages_are_freed_after_flushes(void **state) {
  const vaddr_t end = MiB(2) + (GATHER_MAX + 20) * PGSIZE;

  (void)state;
  flushed = 0;
  space = space_create();
  add(space, MiB(2), end, PROT_READ | PROT_WRITE, "data");
  for (vaddr_t va = MiB(2); va < end; va += PGSIZE)
    assert_int_equal(fault_resolve(space, va, PROT_WRITE), 0);
  users_before = pages_owned(PAGE_USER);
  on_flush = note_many;
  assert_int_equal(space_remove(space, MiB(2), end), 0);
  on_flush = NULL;
  assert_int_equal(flushed, 2);
  space_put(space);
}

static uchar *shown; /* the frame that both have */

/* A flush of the page by itself. */
static pte_t flushed_entry(vaddr_t va, size_t size) {
  assert_true(va <= MiB(2) && va + size > MiB(2));
  flushed++;
  return *walk(space->pagetable, MiB(2), false);
}

/* Others can still write by what they remember: the child may not run yet. */
static void note_fork(vaddr_t va, size_t size) {
  assert_int_equal(flushed_entry(va, size) & (PTE_V | PTE_W), PTE_V);
  assert_int_equal(space->lock.sharers, -1);
}

/* Others can still read the old frame: the copy, which they may have as well,
 * must stay equal to it. */
static void note_copy(vaddr_t va, size_t size) {
  pte_t pte = flushed_entry(va, size);

  assert_int_equal(pte & (PTE_V | PTE_W), PTE_V);
  assert_ptr_not_equal(pte_page(pte), shown);
  assert_int_equal(frame_count(pte_page(pte)),
                   2); /* no thread makes it its own */
}

static void a_frame_is_shared_and_copied_with_a_flush(void **state) {
  struct space *copy;

  (void)state;
  flushed = 0;
  space = space_create();
  add(space, MiB(2), MiB(2) + PGSIZE, PROT_READ | PROT_WRITE, "data");
  assert_int_equal(fault_resolve(space, MiB(2), PROT_WRITE), 0);
  shown = memory_at(space, MiB(2));
  on_flush = note_fork;
  copy = space_copy(space);
  assert_int_equal(flushed, 1);
  on_flush = note_copy;
  assert_int_equal(fault_resolve(space, MiB(2), PROT_WRITE), 0);
  on_flush = NULL;
  assert_int_equal(flushed, 2);
  assert_int_equal(*walk(space->pagetable, MiB(2), false) & PTE_W, PTE_W);
  space_put(copy);
  space_put(space);
}

/* The page of zeros, which all read, is not different. */
static void zeros_are_copied_with_a_flush(void **state) {
  (void)state;
  flushed = 0;
  space = space_create();
  add(space, MiB(2), MiB(2) + PGSIZE, PROT_READ | PROT_WRITE, "data");
  assert_int_equal(fault_resolve(space, MiB(2), PROT_READ), 0);
  shown = memory_at(space, MiB(2));
  assert_ptr_equal(shown, zero_page);
  on_flush = note_copy;
  assert_int_equal(fault_resolve(space, MiB(2), PROT_WRITE), 0);
  on_flush = NULL;
  assert_int_equal(flushed, 1);
  space_put(space);
}

/* Whoever remembers fewer rights than there are faults, and finds out. */
static void only_rights_that_are_lost_are_flushed(void **state) {
  static const struct {
    uint rights;
    uint flushes;
  } steps[] = {{PROT_READ, 1},
               {PROT_NONE, 1},
               {PROT_READ, 0},
               {PROT_READ | PROT_WRITE, 0},
               {PROT_READ | PROT_EXEC, 0},
               {PROT_READ, 1}};
  struct region *r;

  (void)state;
  space = space_create();
  add(space, MiB(2), MiB(2) + PGSIZE, PROT_READ | PROT_WRITE, "data");
  assert_int_equal(fault_resolve(space, MiB(2), PROT_WRITE), 0);
  r = space_find_locked(space, MiB(2));
  for (size_t i = 0; i < NELEM(steps); i++) {
    uint64 before = space->arch.flushes;

    region_set_rights(r, steps[i].rights);
    uvm_protect(r);
    assert_int_equal(space->arch.flushes - before, steps[i].flushes);
  }
  space_put(space);
}

static uint64 tables_at_flush;

/* Others may look at the space already, and find no region there. */
static void note_shared(vaddr_t va, size_t size) {
  assert_true(va <= MiB(2) && va + size >= MiB(4));
  assert_int_equal(space->lock.sharers, 1);
  assert_null(space_find_locked(space, MiB(2)));
  assert_null(memory_at(space, MiB(3) - PGSIZE));
  users_at_flush = pages_owned(PAGE_USER);
  tables_at_flush = pages_owned(PAGE_TABLE);
  flushed++;
}

/* A megabyte, with its page-table page, costs others one flush. */
static void a_range_goes_with_its_table_in_one_flush(void **state) {
  uint64 users = pages_owned(PAGE_USER), tables;

  (void)state;
  flushed = 0;
  space = space_create();
  add(space, 0, PGSIZE, PROT_READ, "text");
  fault_resolve(space, 0, PROT_READ); /* the upper tables stay */
  tables = pages_owned(PAGE_TABLE);
  add(space, MiB(2), MiB(3), PROT_READ | PROT_WRITE, "data");
  for (vaddr_t va = MiB(2); va < MiB(3); va += PGSIZE)
    fault_resolve(space, va, PROT_WRITE);
  on_flush = note_shared;
  assert_int_equal(space_remove(space, MiB(2), MiB(3)), 0);
  on_flush = NULL;
  assert_int_equal(flushed, 1);
  assert_int_equal(users_at_flush, users + MiB(1) / PGSIZE);
  assert_int_equal(tables_at_flush, tables + 1);
  assert_int_equal(pages_owned(PAGE_USER), users);
  assert_int_equal(pages_owned(PAGE_TABLE), tables);
  assert_int_equal(space->lock.sharers, 0);
  space_put(space);
}

/* With the last region of a stretch its page-table pages go, but not those that
 * a neighbour needs. */
static void page_tables_are_given_back(void **state) {
  uint64 tables;

  (void)state;
  space = space_create();
  add(space, MiB(3), MiB(3) + PGSIZE, PROT_READ | PROT_WRITE, "data");
  fault_resolve(space, MiB(3), PROT_WRITE);
  tables = pagetable_pages(space->pagetable, &space->ptl);
  add(space, MiB(4) - PGSIZE, MiB(2048), PROT_READ | PROT_WRITE, "heap");
  for (vaddr_t va = MiB(4) - PGSIZE; va < MiB(2048); va += MiB(32) + PGSIZE)
    assert_int_equal(fault_resolve(space, va, PROT_READ), 0);
  assert_int_equal(fault_resolve(space, MiB(2048) - 1, PROT_READ), 0);
  assert_true(pagetable_pages(space->pagetable, &space->ptl) > tables + 60);
  space_remove_locked(space, MiB(4), MiB(2048) - PGSIZE);
  assert_int_equal(pagetable_pages(space->pagetable, &space->ptl), tables + 2);
  space_remove_locked(space, MiB(2048) - PGSIZE, MiB(2048));
  assert_int_equal(pagetable_pages(space->pagetable, &space->ptl), tables);
  space_remove_locked(space, MiB(3), MiB(4));
  assert_int_equal(pagetable_pages(space->pagetable, &space->ptl),
                   3); /* the machine's */
  space_put(space);
}

/* --- sbrk --- */

#define HEAP MiB(2) /* it begins here, above a page of another kind */

static void check_heap(const bool *touched) {
  vaddr_t end = PGROUNDUP(space->brk);
  uint64 n = 0;

  for (vaddr_t va = HEAP; va < end; va += PGSIZE) {
    struct region *r = space_find_locked(space, va);

    assert_non_null(r);
    assert_int_equal(r->rights, PROT_READ | PROT_WRITE);
  }
  assert_null(space_find_locked(space, end));
  for (vaddr_t va = HEAP; va < HEAP + MiB(1); va += PGSIZE) {
    bool there = memory_at(space, va) != NULL;

    assert_int_equal(there, touched[(va - HEAP) / PGSIZE]);
    n += there;
  }
  assert_int_equal(resident(space, HEAP, SPACE_END), n);
}

static bool touched[MiB(1) / PGSIZE];

/* A step that keeps the heap between HEAP and HEAP + 1 MiB. */
static void random_sbrk(void) {
  vaddr_t brk = space->brk, old = 0;
  long n = (long)random_below(MiB(1) / 4) - (long)MiB(1) / 8;
  bool reserve = random_below(2), limited = false;
  int r;

  if (random_below(3) == 0)
    n = (long)random_below(20) - 10;
  if ((long)brk + n < (long)HEAP || brk + n > HEAP + MiB(1))
    n = -(long)(brk - HEAP);
  if (random_below(3) == 0) {
    memory_leave(random_below(10));
    limited = true;
  }
  r = space_sbrk(space, n, reserve, &old);
  memory_return();
  assert_int_equal(old, brk);
  if (r < 0)
    assert_true(r == -ENOMEM && limited);
  assert_int_equal(space->brk, r < 0 ? brk : brk + n);
  for (vaddr_t va = PGROUNDUP(brk); r == 0 && va < brk + n; va += PGSIZE)
    if (random_below(2))
      assert_int_equal(fault_resolve(space, va, PROT_WRITE), 0);
  for (vaddr_t va = PGROUNDUP(brk); r == 0 && va < brk + n; va += PGSIZE)
    touched[(va - HEAP) / PGSIZE] = memory_at(space, va) != NULL;
  for (vaddr_t va = PGROUNDUP(brk + n); r == 0 && va < brk; va += PGSIZE)
    touched[(va - HEAP) / PGSIZE] = false;
}

static void sbrk_moves_the_end(void **state) {
  struct census before = census_take();

  (void)state;
  space = space_create();
  add(space, HEAP - PGSIZE, HEAP, PROT_READ | PROT_WRITE, "stack");
  space->brk = HEAP;
  for (int i = 0; i < 2000; i++) {
    random_sbrk();
    check_heap(touched);
  }
  space_put(space);
  assert_census(before);
}

static void sbrk_knows_its_limits(void **state) {
  uint64 reclaims_before = reclaims;
  vaddr_t old;

  (void)state;
  space = space_create();
  space->brk = HEAP + 5;
  assert_int_equal(space_sbrk(space, INT64_MAX, false, &old), -ENOMEM);
  /* below 0: as in xv6, no error, and nothing changes */
  assert_int_equal(space_sbrk(space, INT64_MIN, false, &old), 0);
  assert_int_equal(space_sbrk(space, -(long)HEAP - 6, false, &old), 0);
  assert_int_equal(space_sbrk(space, SPACE_END - HEAP - 4, false, &old),
                   -ENOMEM);
  assert_int_equal(space_sbrk(space, SPACE_END - HEAP - 5, true, &old),
                   -ENOMEM);                   /* more than there is memory, */
  assert_int_equal(reclaims, reclaims_before); /* and no cache is emptied */
  assert_int_equal(space->brk, HEAP + 5);
  assert_true(list_empty(&space->regions));

  assert_int_equal(space_sbrk(space, 0, true, &old), 0);
  assert_int_equal(old, HEAP + 5);
  assert_int_equal(space_sbrk(space, SPACE_END - HEAP - 5, false, &old), 0);
  assert_int_equal(space->brk, SPACE_END);
  assert_int_equal(space_sbrk(space, 1, false, &old), -ENOMEM);
  assert_int_equal(fault_resolve(space, SPACE_END - 1, PROT_WRITE), 0);
  assert_int_equal(space_sbrk(space, -(long)(SPACE_END - HEAP), false, &old),
                   0);
  assert_true(list_empty(&space->regions));
  assert_int_equal(resident(space, 0, SPACE_END), 0);

  /* another region is in the way */
  add(space, HEAP + MiB(1), HEAP + MiB(2), PROT_READ, "data");
  assert_true(space_sbrk(space, MiB(1) + PGSIZE, true, &old) < 0);
  assert_int_equal(space->brk, HEAP);
  assert_int_equal(space_sbrk(space, MiB(1), true, &old), 0);
  space_put(space);
}

static int start(void **state) {
  (void)state;
  ram_start(600);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(creation_fails_at_each_page),
      cmocka_unit_test(random_operations),
      cmocka_unit_test(touching_fails_at_each_page),
      cmocka_unit_test(bad_ranges_are_refused),
      cmocka_unit_test(a_copy_is_equal_and_apart),
      cmocka_unit_test(the_last_owner_does_not_copy),
      cmocka_unit_test(copying_fails_at_each_page),
      cmocka_unit_test(the_last_reference_frees),
      cmocka_unit_test(the_end_of_a_process_frees),
      cmocka_unit_test(pages_are_freed_after_the_flush),
      cmocka_unit_test(many_pages_are_freed_after_flushes),
      cmocka_unit_test(a_frame_is_shared_and_copied_with_a_flush),
      cmocka_unit_test(zeros_are_copied_with_a_flush),
      cmocka_unit_test(only_rights_that_are_lost_are_flushed),
      cmocka_unit_test(a_range_goes_with_its_table_in_one_flush),
      cmocka_unit_test(page_tables_are_given_back),
      cmocka_unit_test(sbrk_moves_the_end),
      cmocka_unit_test(sbrk_knows_its_limits),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
