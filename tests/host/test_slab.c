/*
 * Small objects, kernel/mm/slab.c: random use of caches of many sizes.
 */
/* sources: kernel/mm/slab.c kernel/mm/kalloc.c kernel/sync/spinlock.c tests/host/mm_fakes.c */
#include "mm_fakes.h"

#include "mm/slab.h"

#define OBJECTS 400

static struct slab_cache caches[] = {
    SLAB_CACHE(caches[0], "1", 1),       SLAB_CACHE(caches[1], "8", 8),
    SLAB_CACHE(caches[2], "17", 17),     SLAB_CACHE(caches[3], "100", 100),
    SLAB_CACHE(caches[4], "504", 504),   SLAB_CACHE(caches[5], "1000", 1000),
    SLAB_CACHE(caches[6], "2016", 2016),
};

static struct {
  uchar *at;
  uchar tag;
} objects[OBJECTS];

static bool all_bytes(const uchar *p, size_t n, uchar value) {
  for (size_t i = 0; i < n; i++)
    if (p[i] != value)
      return false;
  return true;
}

static void take_object(struct slab_cache *c, int i) {
  uchar *p = slab_alloc(c);

  assert_non_null(p);
  assert_int_equal((vaddr_t)p % 16, 0);
  assert_true(p >= ram && p + c->size <= ram + RAM_PAGES * PGSIZE);
  assert_int_equal((vaddr_t)p / PGSIZE, (vaddr_t)(p + c->size - 1) / PGSIZE);
  assert_true(all_bytes(p, c->size, 0));
  objects[i].at = p;
  objects[i].tag = 1 + random_below(255);
  memset(p, objects[i].tag, c->size);
}

static void give_object(struct slab_cache *c, int i) {
  assert_true(all_bytes(objects[i].at, c->size, objects[i].tag));
  slab_free(c, objects[i].at);
  objects[i].at = NULL;
}

/* Pages that n objects fill, at least. */
static uint64 pages_for(const struct slab_cache *c, uint64 n) {
  uint64 per_page = PGSIZE / ((c->size + 15) & ~15UL);

  return (n + per_page - 1) / per_page;
}

static void use_cache(struct slab_cache *c) {
  uint64 pages = pages_owned(PAGE_SLAB), n = 0;

  for (int step = 0; step < 8000; step++) {
    /* grow and shrink in turns, so that pages become empty */
    int i = random_below(step / 1000 % 2 ? 40 : OBJECTS);

    if (objects[i].at == NULL) {
      take_object(c, i);
      n++;
    } else {
      give_object(c, i);
      n--;
    }
    assert_int_equal(c->objects, n);
    assert_true(pages_owned(PAGE_SLAB) - pages >= pages_for(c, n));
  }
  for (int i = 0; i < OBJECTS; i++)
    if (objects[i].at != NULL)
      give_object(c, i);
  assert_int_equal(c->objects, 0);
  assert_in_range(pages_owned(PAGE_SLAB) - pages, 0, 1);
}

static void objects_never_overlap_and_are_zeroed(void **state) {
  struct census before = census_take();

  (void)state;
  for (uint i = 0; i < NELEM(caches); i++)
    use_cache(&caches[i]);
  assert_census(before);
}

/* A page holds as many as fit: filling one after the other takes no more. */
static void pages_are_filled(void **state) {
  struct slab_cache *c = &caches[3];
  uint64 pages = pages_owned(PAGE_SLAB);

  (void)state;
  for (int i = 0; i < 39; i++) /* (4096 - header) / 112 is 36 */
    take_object(c, i);
  assert_in_range(pages_owned(PAGE_SLAB) - pages, 1, 2);
  for (int i = 0; i < 39; i++)
    give_object(c, i);
}

static void memory_runs_out(void **state) {
  static struct slab_cache own = SLAB_CACHE(own, "own", 1000);
  struct census before = census_take();

  (void)state;
  for (uint64 n = 0; n < 4; n++) {
    uint64 got = 0;

    memory_leave(n);
    while (got < OBJECTS && (objects[got].at = slab_alloc(&own)) != NULL) {
      memset(objects[got].at, objects[got].tag = got + 1, own.size);
      got++;
    }
    /* four to a page; one page stays from the round before */
    assert_int_equal(got, 4 * (n + (n > 0)));
    assert_null(slab_alloc(&own));
    assert_int_equal(own.objects, got);
    while (got > 0)
      give_object(&own, --got);
    memory_return();
    if (n == 0)
      slab_free(&own, slab_alloc(&own));
  }
  assert_census(before);
}

/* An empty page stays with its cache until memory runs out. */
static void empty_pages_are_given_back(void **state) {
  struct slab_cache *c = &caches[3];
  void *page;

  (void)state;
  slab_free(c, slab_alloc(c));
  assert_true(pages_owned(PAGE_SLAB) > 0);
  memory_leave(0);
  page = kalloc();
  assert_non_null(page);
  assert_int_equal(pages_owned(PAGE_SLAB), 0);
  kfree(page);
  memory_return();
}

static void the_wrong_cache_panics(void **state) {
  void *object = slab_alloc(&caches[1]);
  void *page = kalloc_zero(PAGE_KERNEL);

  (void)state;
  assert_panics("not of cache 8", slab_free(&caches[1], page));
  assert_panics("not of cache 17", slab_free(&caches[2], object));
  slab_free(&caches[1], object);
  kfree(page);
}

static int start(void **state) {
  (void)state;
  ram_start(1000);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_runs_out), /* first: no other cache has pages */
      cmocka_unit_test(objects_never_overlap_and_are_zeroed),
      cmocka_unit_test(pages_are_filled),
      cmocka_unit_test(empty_pages_are_given_back),
      cmocka_unit_test(the_wrong_cache_panics),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
