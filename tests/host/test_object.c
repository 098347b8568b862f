/*
 * What maps an object, kernel/vm/object.c: whoever goes through the regions gives
 * up the lock on the way, and meanwhile regions come, go, grow, are cut and are
 * copied for children, at random. All the same no entry is missed.
 */
/* sources: kernel/vm/map.c kernel/vm/anon.c kernel/vm/space.c kernel/vm/uvm.c kernel/vm/fault.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#include "mm_fakes.h"

#include "sched/thread.h"
#include "sync/spinlock.h"
#include "vm/anon.h"
#include "vm/fault.h"
#include "vm/map.h"

static void others_go_on(struct spinlock *lk);
#define release others_go_on
#include "vm/object.c"
#undef release

/* Whoever runs is not being killed. */
struct thread *mythread(void) {
  static struct thread self;

  return &self;
}

/* The parent's page i has page i of the object. */
#define BASE MiB(64)
#define PAGES (5 * 512UL) /* more tables and pages than one piece of the way */
#define STRETCH 40        /* pages of a region, mostly */
#define SPACES 4          /* the parent and children */
#define ROUNDS 200

static struct memobject *object;
static struct space *space[SPACES];
static uint nspaces;
static bool mapped[PAGES]; /* by the parent */
static bool there[PAGES];  /* and in its table, if nobody takes it out */
static uint pieces;        /* times that the lock was given up */
static bool busy = true;   /* others do nothing now */

static vaddr_t va_of(uint64 page) { return BASE + page * PGSIZE; }

static uint any_rights(void) {
  return random_below(2) ? PROT_READ | PROT_WRITE : PROT_READ;
}

static void add(uint64 first, uint64 end) {
  struct region like = {.start = va_of(first),
                        .end = va_of(end),
                        .rights = any_rights(),
                        .flags = REGION_SHARED,
                        .object = object,
                        .first = first};

  acquire_exclusive(&space[0]->lock);
  assert_int_equal(space_add_locked(space[0], &like), 0);
  release_exclusive(&space[0]->lock);
  for (uint64 i = first; i < end; i++)
    mapped[i] = true;
}

/* --- what others do --- */

static void remove_some(uint64 first, uint64 end) {
  assert_int_equal(space_remove(space[0], va_of(first), va_of(end)), 0);
  for (uint64 i = first; i < end; i++)
    mapped[i] = there[i] = false;
}

static void add_some(uint64 first, uint64 end) {
  while (first < end && mapped[first])
    first++;
  for (uint64 i = first; i < end; i++)
    if (mapped[i])
      end = i;
  if (first < end)
    add(first, end);
}

/* Regions are cut at both ends, and become one with what is alike. */
static void protect_some(uint64 first, uint64 end) {
  for (uint64 i = first; i < end; i++)
    if (!mapped[i])
      return;
  assert_int_equal(space_protect(space[0], va_of(first), (end - first) * PGSIZE,
                                 any_rights()),
                   0);
}

static void have_child(void) {
  if (nspaces == SPACES)
    space_put(space[--nspaces]);
  space[nspaces] = space_copy(space[0]);
  assert_non_null(space[nspaces++]);
}

static void others_go_on(struct spinlock *lk) {
  release(lk);
  if (busy)
    return;
  busy = true;
  pieces++;
  for (uint64 n = random_below(4); n > 0; n--) {
    uint64 first = random_below(PAGES);
    uint64 end = first + 1 + random_below(3 * STRETCH);

    end = MIN(end, PAGES);
    switch (random_below(8)) {
      case 0:
        remove_some(first, end);
        break;
      case 1:
        add_some(first, end);
        break;
      case 2:
        have_child();
        break;
      default:
        protect_some(first, end);
    }
  }
  memobject_writable(object); /* another one on the way */
  busy = false;
}

/* --- the tests --- */

static pte_t entry(const struct space *s, uint64 page) {
  pte_t *pte = walk(s->pagetable, va_of(page), false);

  return pte != NULL && *pte & PTE_V ? *pte : 0;
}

static void touch(uint64 page) {
  uint rights = space_find_locked(space[0], va_of(page))->rights;

  assert_int_equal(fault_resolve(space[0], va_of(page), rights), 0);
  there[page] = true;
}

static void start_round(void) {
  uint64 most = random_below(4) ? STRETCH : PAGES;

  object = anon_create();
  space[0] = space_create();
  nspaces = 1;
  memset(mapped, 0, sizeof(mapped));
  memset(there, 0, sizeof(there));
  for (uint64 i = 0, n; i < PAGES; i += n) {
    n = 1 + random_below(most);
    n = MIN(n, PAGES - i);
    if (random_below(8))
      add(i, i + n);
  }
  if (random_below(2))
    have_child();
  for (uint64 i = 0; i < PAGES; i++)
    if (mapped[i])
      touch(i);
  pieces = 0;
  busy = false;
}

static void finish_round(void) {
  busy = true;
  assert_true(list_empty(&object->ways));
  while (nspaces > 0)
    space_put(space[--nspaces]);
  assert_true(list_empty(&object->regions));
  object->ops->put(object);
}

static void unmapping_misses_no_page(void **state) {
  uint most = 0;

  (void)state;
  for (int round = 0; round < ROUNDS; round++) {
    uint64 first = random_below(2) ? 0 : random_below(PAGES);

    start_round();
    memobject_unmap(object, first);
    most = MAX(most, pieces);
    for (uint64 i = 0; i < PAGES; i++) {
      for (uint k = 0; k < nspaces; k++)
        assert_true(i < first || entry(space[k], i) == 0);
      if (i < first)
        assert_int_equal(entry(space[0], i) != 0, there[i]);
    }
    finish_round();
  }
  assert_true(most > PAGES / GATHER_MAX);
}

static void protecting_misses_no_mapping(void **state) {
  uint most = 0;

  (void)state;
  for (int round = 0; round < ROUNDS; round++) {
    uint64 page = random_below(PAGES);

    start_round();
    memobject_protect(object, page);
    most = MAX(most, pieces);
    for (uint k = 0; k < nspaces; k++)
      assert_false(entry(space[k], page) & PTE_W);
    for (uint64 i = 0; i < PAGES; i++)
      assert_int_equal(entry(space[0], i) != 0, there[i]);
    finish_round();
  }
  assert_true(most > 2);
}

static int start(void **state) {
  (void)state;
  ram_start(8000);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unmapping_misses_no_page),
      cmocka_unit_test(protecting_misses_no_mapping),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
