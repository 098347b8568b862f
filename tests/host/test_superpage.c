/*
 * Superpages of processes, kernel/vm/{fault,uvm,space,map}.c: when they come,
 * and that programs never notice them: what is unmapped, protected or copied in
 * part is the part.
 */
/* sources: kernel/vm/map.c kernel/vm/anon.c kernel/vm/space.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#include "mm_fakes.h"

#include "sched/thread.h"
#include "vm/fault.h"
#include "vm/map.h"

/* Whoever runs is not being killed. */
struct thread *mythread(void) {
  static struct thread self;

  return &self;
}

#define SUPER MiB(2)
#define PAGES (SUPER / PGSIZE)
#define SUPERS 4UL
#define SIZE (SUPERS * SUPER)

static struct space *space;
static vaddr_t base;
static struct census before;

/* What a page holds; 0: zeros. */
static uint64 tags[SUPERS * PAGES];

static void *memory_at(struct space *s, vaddr_t va) {
  paddr_t pa = walkaddr(s->pagetable, va, PROT_READ);

  return pa ? P2V(pa) : NULL;
}

static struct uvm_usage usage(struct space *s) {
  struct uvm_usage u = {0};

  uvm_usage(s, 0, SPACE_END, &u);
  assert_int_equal(u.dirty, s->anon);
  return u;
}

static void write_page(struct space *s, uint64 page, uint64 tag) {
  assert_int_equal(fault_resolve(s, base + page * PGSIZE, PROT_WRITE), 0);
  page_mark(memory_at(s, base + page * PGSIZE), tag);
}

/* All pages hold what they should; those with tag 0 may not be there. */
static void check(struct space *s) {
  for (uint64 i = 0; i < SUPERS * PAGES; i++) {
    void *memory = memory_at(s, base + i * PGSIZE);

    if (tags[i] != 0)
      assert_true(memory != NULL && page_marked(memory, tags[i]));
    else
      assert_true(memory == NULL || page_zero(memory));
  }
}

static int map(struct space *s, size_t size, int flags) {
  struct mapping m = {.size = size,
                      .rights = PROT_READ | PROT_WRITE,
                      .allowed = PROT_ALL,
                      .flags = MAP_PRIVATE | MAP_ANONYMOUS | flags};
  int r = space_map(s, &m);

  base = m.at;
  return r;
}

/* Four superpages, each page marked. */
static int start(void **state) {
  (void)state;
  before = census_take();
  space = space_create();
  assert_int_equal(map(space, SIZE, 0), 0);
  for (uint64 i = 0; i < SUPERS * PAGES; i++)
    write_page(space, i, tags[i] = i + 1);
  assert_int_equal(usage(space).super, SIZE / PGSIZE);
  assert_int_equal(pages_owned(PAGE_USER),
                   before.pages[PAGE_USER] + SIZE / PGSIZE);
  return 0;
}

static int finish(void **state) {
  (void)state;
  check(space);
  space_put(space);
  assert_census(before);
  return 0;
}

static void they_are_aligned_and_few_faults(void **state) {
  (void)state;
  assert_int_equal(base % SUPER, 0);
  assert_int_equal(space->faults.super, SUPERS);
  assert_int_equal(space->faults.zero, 0);
}

static void no_superpage_where_little_may_be_touched(void **state) {
  vaddr_t old = base;

  (void)state;
  assert_int_equal(map(space, SIZE, MAP_NORESERVE), 0);
  assert_int_equal(fault_resolve(space, base, PROT_WRITE), 0);
  assert_int_equal(usage(space).super, SIZE / PGSIZE);
  assert_int_equal(space_unmap(space, base, SIZE), 0);
  base = old;
}

/* With little memory left it is a page. */
static void no_superpage_when_memory_is_short(void **state) {
  vaddr_t old = base;

  (void)state;
  assert_int_equal(map(space, SIZE, 0), 0);
  memory_leave(100);
  assert_int_equal(fault_resolve(space, base, PROT_WRITE), 0);
  memory_return();
  assert_int_equal(usage(space).super, SIZE / PGSIZE);
  assert_int_equal(usage(space).resident, SIZE / PGSIZE + 1);
  assert_int_equal(space_unmap(space, base, SIZE), 0);
  base = old;
}

/* What others left in the memory is not seen. */
static void a_superpage_is_of_zeros(void **state) {
  uint64 supers = usage(space).super;
  vaddr_t old = base;

  (void)state;
  assert_int_equal(map(space, SUPER, 0), 0);
  assert_int_equal(fault_resolve(space, base + 3 * PGSIZE, PROT_WRITE), 0);
  assert_int_equal(usage(space).super, supers + PAGES);
  for (uint64 i = 0; i < PAGES; i++)
    assert_true(page_zero(memory_at(space, base + i * PGSIZE)));
  assert_int_equal(space_unmap(space, base, SUPER), 0);
  base = old;
}

/* Where the region begins or ends inside of it, there are pages. */
static void no_superpage_beyond_the_region(void **state) {
  const uint64 cut[] = {0, PAGES - 1};
  vaddr_t old = base;

  (void)state;
  for (uint i = 0; i < NELEM(cut); i++) {
    vaddr_t gone;

    assert_int_equal(map(space, SUPER, 0), 0);
    gone = base + cut[i] * PGSIZE;
    assert_int_equal(space_unmap(space, gone, PGSIZE), 0);
    assert_int_equal(fault_resolve(space, base + 3 * PGSIZE, PROT_WRITE), 0);
    assert_int_equal(usage(space).super, SIZE / PGSIZE);
    assert_null(memory_at(space, gone));
    assert_int_equal(space_unmap(space, base, SUPER), 0);
  }
  base = old;
}

/* --- pages that become a superpage --- */

static vaddr_t joined_at;

/* While a table is replaced, nothing is mapped there. */
static void flushed(vaddr_t va, size_t size) {
  int level;

  if (size != SUPER)
    return;
  joined_at = va;
  assert_false(*walk_leaf(space->pagetable, va, &level) & PTE_V);
  assert_int_equal(level, 1);
}

static int start_join(void **state) {
  on_flush = flushed;
  joined_at = 0;
  return start(state);
}

static int finish_join(void **state) {
  on_flush = NULL;
  return finish(state);
}

/* What was only read, and is the page of zeros, is no obstacle. */
static void a_superpage_comes_after_reading(void **state) {
  uint64 supers = usage(space).super, tables = pages_owned(PAGE_TABLE);
  vaddr_t old = base;

  (void)state;
  assert_int_equal(map(space, SUPER, 0), 0);
  assert_int_equal(fault_resolve(space, base, PROT_READ), 0);
  assert_int_equal(fault_resolve(space, base + 7 * PGSIZE, PROT_READ), 0);
  assert_int_equal(pages_owned(PAGE_TABLE), tables + 1);
  write_page(space, 7, 4711);
  assert_int_equal(usage(space).super, supers + PAGES);
  assert_int_equal(pages_owned(PAGE_TABLE), tables);
  assert_int_equal(joined_at, base);
  for (uint64 i = 0; i < PAGES; i++)
    assert_true(i == 7 ? page_marked(memory_at(space, base + i * PGSIZE), 4711)
                       : page_zero(memory_at(space, base + i * PGSIZE)));
  assert_int_equal(space_unmap(space, base, SUPER), 0);
  base = old;
}

/* Pages that all are the space's alone, as the last becomes so. */
static void pages_are_put_together(void **state) {
  struct space *child = space_copy(space);

  (void)state;
  for (uint64 i = 0; i < PAGES; i += 3)
    write_page(space, i, tags[i] = 7000 + i);
  assert_int_equal(usage(space).super, 3 * PAGES);
  space_put(child);
  for (uint64 i = PAGES - 1; i > 0; i--) {
    assert_int_equal(usage(space).super, 3 * PAGES);
    write_page(space, i, tags[i] = 9000 + i);
  }
  assert_int_equal(joined_at, base);
  assert_int_equal(usage(space).super, 4 * PAGES);
  assert_int_equal(usage(space).resident, 4 * PAGES);
}

/* While one page is another's, too, or there is no block, it stays as it is. */
static void pages_are_not_put_together(void **state) {
  struct space *child = space_copy(space);

  (void)state;
  for (uint64 i = 0; i < PAGES - 1; i++)
    write_page(space, i, tags[i] = 7000 + i);
  assert_int_equal(usage(space).super, 3 * PAGES);
  space_put(child);
  memory_leave(PAGES);
  write_page(space, PAGES - 1, tags[PAGES - 1] = 8000);
  memory_return();
  assert_int_equal(usage(space).super, 3 * PAGES);
  assert_int_equal(joined_at, 0);
}

/* It is copying that must pay. */
static void not_for_a_page_that_comes_and_goes(void **state) {
  uint joins = 0, rounds;

  (void)state;
  for (rounds = 0; rounds < 2 * PAGES; rounds++) {
    joined_at = 0;
    assert_int_equal(
        space_advise(space, base + 5 * PGSIZE, PGSIZE, MADV_DONTNEED), 0);
    write_page(space, 5, tags[5] = rounds + 1);
    joins += joined_at != 0;
  }
  assert_in_range(joins, 1, 5);
}

/* A child has the same pages, and both may go on writing to them. */
static void shared_memory_stays_shared_in_a_child(void **state) {
  struct mapping m = {.size = PGSIZE,
                      .rights = PROT_READ | PROT_WRITE,
                      .allowed = PROT_ALL,
                      .flags = MAP_SHARED | MAP_ANONYMOUS};
  struct space *child;
  pte_t *mine, *its;

  (void)state;
  assert_int_equal(space_map(space, &m), 0);
  assert_int_equal(fault_resolve(space, m.at, PROT_WRITE), 0);
  child = space_copy(space);
  assert_non_null(child);
  mine = walk(space->pagetable, m.at, false);
  its = walk(child->pagetable, m.at, false);
  assert_int_equal(*mine & PTE_W, PTE_W);
  assert_int_equal(*its, *mine);
  assert_int_equal(child->anon, space->anon);
  space_put(child);
  assert_int_equal(space_unmap(space, m.at, PGSIZE), 0);
}

/* Can the space be promised so much more? */
static bool promised(size_t size, int flags) {
  struct mapping m = {.size = size,
                      .rights = PROT_READ | PROT_WRITE,
                      .allowed = PROT_ALL,
                      .flags = MAP_ANONYMOUS | flags};
  int r = space_map(space, &m);

  if (r == 0)
    assert_int_equal(space_unmap(space, m.at, size), 0);
  else
    assert_int_equal(r, -ENOMEM);
  return r == 0;
}

/* All that a space was promised must have room beside what is new: what it has in
 * memory of that counts, but nothing else that it has; shared memory is like
 * private. */
static void promises_have_room(void **state) {
  size_t all = pages_owned(PAGE_FREE) * PGSIZE, half = all / 2;
  vaddr_t old = base, at;

  (void)state;
  for (uint i = 0; i < 2; i++) {
    int how = i == 0 ? MAP_PRIVATE : MAP_SHARED;
    struct mapping m = {.size = half,
                        .rights = PROT_READ | PROT_WRITE,
                        .allowed = PROT_ALL,
                        .flags = MAP_ANONYMOUS | how};

    assert_true(promised(half, how));
    assert_false(promised(all, how));
    assert_int_equal(space_map(space, &m), 0);
    assert_false(promised(half, MAP_PRIVATE));
    assert_false(promised(half, MAP_SHARED));
    assert_true(promised(half * 3 / 4, how));
    /* that it is there changes nothing */
    for (at = m.at; at < m.at + half; at += PGSIZE)
      assert_int_equal(fault_resolve(space, at, PROT_WRITE), 0);
    assert_false(promised(half, how));
    assert_true(promised(half * 3 / 4, how));
    assert_int_equal(space_unmap(space, m.at, half), 0);
  }
  /* what was not promised, but is there, is no room */
  assert_int_equal(map(space, half, MAP_NORESERVE), 0);
  for (at = base; at < base + half; at += PGSIZE)
    assert_int_equal(fault_resolve(space, at, PROT_WRITE), 0);
  assert_false(promised(half * 5 / 4, MAP_PRIVATE));
  assert_true(promised(half * 3 / 4, MAP_PRIVATE));
  assert_int_equal(space_unmap(space, base, half), 0);
  base = old;
}

static void a_part_is_unmapped(void **state) {
  (void)state;
  assert_int_equal(space_unmap(space, base + 3 * PGSIZE, 2 * PGSIZE), 0);
  tags[3] = tags[4] = 0;
  assert_int_equal(usage(space).super, 3 * PAGES);
  assert_int_equal(usage(space).resident, 4 * PAGES - 2);
  check(space);
  /* from the middle of one to the middle of another */
  assert_int_equal(space_unmap(space, base + PAGES / 2 * PGSIZE, 2 * SUPER), 0);
  memset(tags + PAGES / 2, 0, 2 * PAGES * sizeof(tags[0]));
  assert_int_equal(usage(space).super, PAGES);
}

static void unmapping_a_part_may_lack_memory(void **state) {
  struct census full;

  (void)state;
  memory_leave(0);
  full = census_take();
  assert_int_equal(space_unmap(space, base + PGSIZE, PGSIZE), -ENOMEM);
  assert_int_equal(space_advise(space, base + PGSIZE, PGSIZE, MADV_DONTNEED),
                   -ENOMEM);
  assert_census(full);
  memory_return();
  check(space);
}

static void a_part_is_protected(void **state) {
  vaddr_t at = base + SUPER + 5 * PGSIZE;

  (void)state;
  assert_int_equal(space_protect(space, at, PGSIZE, PROT_READ), 0);
  assert_int_equal(fault_resolve(space, at, PROT_WRITE), -EFAULT);
  assert_int_equal(usage(space).super, 3 * PAGES);
  for (vaddr_t va = base; va < base + SIZE; va += PGSIZE)
    assert_int_equal(walkaddr(space->pagetable, va, PROT_WRITE) != 0, va != at);
  /* a whole one keeps its form */
  assert_int_equal(space_protect(space, base, SUPER, PROT_NONE), 0);
  assert_null(memory_at(space, base));
  assert_int_equal(usage(space).super, 3 * PAGES);
  assert_int_equal(space_protect(space, base, SUPER, PROT_READ | PROT_WRITE),
                   0);
  write_page(space, 7, tags[7] = 77);
  assert_int_equal(usage(space).super, 3 * PAGES);
}

static void a_part_is_not_needed(void **state) {
  (void)state;
  assert_int_equal(
      space_advise(space, base + 2 * PGSIZE, 3 * PGSIZE, MADV_DONTNEED), 0);
  tags[2] = tags[3] = tags[4] = 0;
  assert_int_equal(usage(space).super, 3 * PAGES);
}

/* fork shares whole superpages; a write makes pages of one, and copies one. */
static void a_child_copies_a_page(void **state) {
  uint64 users = pages_owned(PAGE_USER), tag = tags[9];
  struct space *child = space_copy(space);

  (void)state;
  assert_non_null(child);
  assert_int_equal(usage(child).super, SIZE / PGSIZE);
  assert_int_equal(usage(space).shared, SIZE / PGSIZE);
  assert_int_equal(pages_owned(PAGE_USER), users);
  write_page(child, 9, tags[9] = 1234567);
  /* a superpage of a broken block is as shared as its pages are */
  assert_int_equal(usage(child).shared, SIZE / PGSIZE - 1);
  assert_int_equal(usage(space).shared, SIZE / PGSIZE - 1);
  assert_int_equal(usage(child).super, 3 * PAGES);
  assert_int_equal(usage(space).super, 4 * PAGES);
  assert_int_equal(pages_owned(PAGE_USER), users + 1);
  check(child);
  tags[9] = tag;
  check(space);
  /* the parent's is broken, too, while the child has most of it */
  write_page(space, 10, tags[10] = 99);
  assert_int_equal(usage(space).super, 3 * PAGES);
  space_put(child);
  assert_int_equal(pages_owned(PAGE_USER), users);
}

static void the_last_owner_keeps_superpages(void **state) {
  struct space *child = space_copy(space);
  uint64 users = pages_owned(PAGE_USER);

  (void)state;
  write_page(child, 0, 5);
  assert_int_equal(usage(space).shared, SIZE / PGSIZE - 1);
  space_put(child);
  assert_int_equal(usage(space).shared, 0);
  assert_int_equal(pages_owned(PAGE_USER), users);
  for (uint64 i = 0; i < SUPERS; i++)
    write_page(space, i * PAGES + 1, tags[i * PAGES + 1] = 1000 + i);
  assert_int_equal(usage(space).super, SIZE / PGSIZE);
  assert_int_equal(space->faults.copy, 0);
  assert_int_equal(space->faults.reuse, SUPERS);
}

/* The parent goes first; the child then has what is left of the blocks. */
static void the_child_lives_longer(void **state) {
  struct space *child = space_copy(space);

  (void)state;
  assert_int_equal(space_unmap(space, base + PGSIZE, PGSIZE), 0);
  write_page(space, 2, 4711);
  space_put(space);
  space = child;
  check(child);
  for (uint64 i = 0; i < SUPERS * PAGES; i += 7)
    write_page(child, i, tags[i] = 5 * i + 2);
}

static int start_all(void **state) {
  (void)state;
  ram_start(8000);
  return 0;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
#define JOIN(name) \
  cmocka_unit_test_setup_teardown(name, start_join, finish_join)
  const struct CMUnitTest tests[] = {
      TEST(they_are_aligned_and_few_faults),
      TEST(no_superpage_where_little_may_be_touched),
      TEST(no_superpage_when_memory_is_short),
      TEST(a_superpage_is_of_zeros),
      TEST(no_superpage_beyond_the_region),
      TEST(a_part_is_unmapped),
      TEST(unmapping_a_part_may_lack_memory),
      TEST(a_part_is_protected),
      TEST(a_part_is_not_needed),
      TEST(a_child_copies_a_page),
      TEST(the_last_owner_keeps_superpages),
      TEST(the_child_lives_longer),
      JOIN(a_superpage_comes_after_reading),
      JOIN(pages_are_put_together),
      JOIN(pages_are_not_put_together),
      JOIN(not_for_a_page_that_comes_and_goes),
      TEST(shared_memory_stays_shared_in_a_child),
      TEST(promises_have_room), /* last: it leaves a slab for shared memory */
  };

  return cmocka_run_group_tests(tests, start_all, NULL);
}
