/*
 * Page tables of five levels, kernel/mm/pagetable.c, as an address space can have
 * them where the machine does: how many pages they have is counted in pieces.
 */
/* sources: kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c tests/host/mm_fakes.c */
#include "mm_fakes.h"

#include "mm/pagetable.h"

#define ROUNDS 40
#define PATHS 400 /* at most, that tables are made for */

/* Paths lie anywhere, or side by side at one of the levels. */
static void make_paths(pagetable_t table) {
  uint64 n = random_below(PATHS);
  int level = 1 + (int)random_below(PT_LEVELS - 1);

  for (uint64 i = 0; i < n; i++) {
    vaddr_t va = random_below(2) ? random_below(MAXVA) : i * level_size(level);

    assert_non_null(walk(table, va % MAXVA, true));
  }
}

static void all_pages_are_counted_once(void **state) {
  static struct spinlock lock; /* nobody else wants the table */

  (void)state;
  assert_int_equal(PT_LEVELS, 5);
  for (int round = 0; round < ROUNDS; round++) {
    struct census before = census_take();
    pagetable_t table = pagetable_create();

    make_paths(table);
    assert_int_equal(pagetable_pages(table, &lock),
                     pages_owned(PAGE_TABLE) - before.pages[PAGE_TABLE]);
    freewalk(table);
    assert_census(before);
  }
}

static int start(void **state) {
  (void)state;
  ram_start(8000);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_pages_are_counted_once),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
