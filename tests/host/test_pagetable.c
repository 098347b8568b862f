/*
 * Page tables, kernel/mm/pagetable.c, against a model: an array of pages, in
 * windows around the places where indexes wrap.
 */
/* sources: kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c tests/host/mm_fakes.c */
#include "mm_fakes.h"

#include "mm/pagetable.h"

#define WINDOW 16UL /* pages */
#define MIDDLE(va) ((va)-WINDOW / 2 * PGSIZE)

static const vaddr_t windows[] = {
    0,
    MIDDLE(MiB(2)),    /* PX(0) wraps */
    MIDDLE(MiB(4)),    /* and again */
    MIDDLE(MiB(1024)), /* PX(1) wraps */
    MIDDLE(5 * MiB(1024)),
    MAXVA - WINDOW *PGSIZE, /* the last */
};
#define PAGES (NELEM(windows) * WINDOW)

/* The model. */
static struct {
  bool mapped;
  bool made; /* it was mapped once: the way there stays */
  pte_t pte;
} model[PAGES];
static pagetable_t table;
static struct spinlock lock; /* nobody else wants the table */

static vaddr_t va_of(uint64 page) {
  return windows[page / WINDOW] + page % WINDOW * PGSIZE;
}

static uint random_perm(void) {
  static const uint perms[] = {PTE_R, PTE_R | PTE_W, PTE_X, PTE_R | PTE_X,
                               PTE_R | PTE_W | PTE_X};

  return perms[random_below(NELEM(perms))] | (random_below(2) ? PTE_U : 0);
}

/* The bits that the hardware wants, by privileged spec 1.12, figure 4.18. */
static pte_t expected_pte(paddr_t pa, uint perm) {
  return pa >> 12 << 10 | perm | 0x1 /* V */ | 0x40 /* A */ |
         (perm & 0x4 ? 0x80 /* D */ : 0);
}

static void random_map(void) {
  uint64 first = random_below(PAGES);
  uint64 n = 1 + random_below(WINDOW - first % WINDOW);
  paddr_t pa = random_below(1UL << 43) * PGSIZE;
  uint perm = random_perm();

  for (uint64 i = 0; i < n; i++) {
    if (model[first + i].mapped)
      n = i; /* up to there */
  }
  if (n == 0)
    return;
  assert_int_equal(mappages(table, va_of(first), n * PGSIZE, pa, perm), 0);
  for (uint64 i = 0; i < n; i++) {
    model[first + i].mapped = model[first + i].made = true;
    model[first + i].pte = expected_pte(pa + i * PGSIZE, perm);
  }
}

/* What unmappages() or pagetable_each() should come by, in order. */
struct expected {
  uint64 next, end; /* pages of the model */
  int stop_after;   /* visits */
};

static void skip_unmapped(struct expected *e) {
  while (e->next < e->end && !model[e->next].mapped)
    e->next++;
}

static void see_unmapped(void *arg, pte_t pte, int level) {
  struct expected *e = arg;

  assert_int_equal(level, 0);
  skip_unmapped(e);
  assert_true(e->next < e->end);
  assert_int_equal(pte, model[e->next++].pte);
}

static void random_unmap(void) {
  uint64 first = random_below(PAGES), last = first + random_below(WINDOW);
  struct expected e;

  if (random_below(50) == 0)
    last = random_below(PAGES); /* over all that is not there, too */
  last = MAX(MIN(last, PAGES - 1), first);
  e = (struct expected){first, last + 1, 0};
  unmappages(table, va_of(first), va_of(last) + PGSIZE - va_of(first),
             random_below(4) ? see_unmapped : NULL, &e);
  if (e.next > first) {
    skip_unmapped(&e);
    assert_int_equal(e.next, last + 1);
  }
  for (uint64 i = first; i <= last; i++)
    model[i].mapped = false;
}

static int see_leaf(void *arg, vaddr_t va, int level, pte_t pte) {
  struct expected *e = arg;

  skip_unmapped(e);
  assert_true(e->next < e->end);
  assert_int_equal(va, va_of(e->next));
  assert_int_equal(level, 0);
  assert_int_equal(pte, model[e->next].pte);
  e->next++;
  return --e->stop_after == 0 ? 42 : 0;
}

static void see_leaf_of(struct expected *e, const struct leaf *l) {
  assert_int_equal(see_leaf(e, l->va, l->level, *l->pte), 0);
}

/* All that is expected, though the way is left and begun again. */
static void visit_in_pieces(vaddr_t from, vaddr_t to, struct expected e) {
  struct expected again = e;
  struct leaf l = {.va = from};

  while (l.va < to) {
    l = (struct leaf){.va = l.va};
    while (leaf_next_some(table, &l, to))
      see_leaf_of(&e, &l);
    assert_true(l.tables <= LEAF_TABLES);
  }
  skip_unmapped(&e);
  assert_int_equal(e.next, e.end);
  l = (struct leaf){.va = from};
  acquire(&lock);
  while (leaf_next_under(table, &l, to, &lock)) {
    assert_true(holding(&lock) && l.tables <= LEAF_TABLES);
    see_leaf_of(&again, &l);
  }
  release(&lock);
  skip_unmapped(&again);
  assert_int_equal(again.next, again.end);
}

/* Visit a range that begins and ends anywhere. */
static void random_visit(void) {
  uint64 a = random_below(PAGES), b = random_below(PAGES);
  uint64 first = MIN(a, b), last = MAX(a, b);
  struct expected e = {first, last + 1, random_below(3) ? -1 : 3};
  bool all = e.stop_after < 0;
  vaddr_t from = va_of(first), to = va_of(last) + PGSIZE;
  int r;

  if (random_below(2))
    from += random_below(PGSIZE / 2);
  if (random_below(2))
    to -= random_below(PGSIZE / 2);
  visit_in_pieces(from, to, (struct expected){first, last + 1, -1});
  r = pagetable_each(table, from, to, see_leaf, &e);
  if (r == 0) {
    skip_unmapped(&e);
    assert_int_equal(e.next, last + 1);
    assert_true(all || e.stop_after > 0);
  } else {
    assert_int_equal(r, 42);
    assert_int_equal(e.stop_after, 0);
  }
}

/* Was anything ever mapped in the table of a level that translates va? */
static bool table_made(vaddr_t va, int shift) {
  for (uint64 i = 0; i < PAGES; i++)
    if (model[i].made && va_of(i) >> shift == va >> shift)
      return true;
  return false;
}

static uint64 tables_made(void) {
  uint64 n = 1;
  vaddr_t last[2] = {~0UL, ~0UL};

  for (uint64 i = 0; i < PAGES; i++) {
    for (int level = 1; level <= 2; level++) {
      vaddr_t covers = va_of(i) >> (12 + 9 * level);

      if (model[i].made && covers != last[level - 1]) {
        n++;
        last[level - 1] = covers;
      }
    }
  }
  return n;
}

static void check_page(uint64 page) {
  vaddr_t va = va_of(page);
  pte_t *pte = walk(table, va, false);
  bool user = model[page].pte & PTE_U;

  assert_int_equal(pte != NULL, table_made(va, 21));
  assert_int_equal(pte ? *pte : 0, model[page].mapped ? model[page].pte : 0);
  va += random_below(PGSIZE);
  assert_int_equal(
      walkaddr(table, va, 0),
      model[page].mapped && user ? PTE2PA(model[page].pte) + va % PGSIZE : 0);
}

static void random_operations(void **state) {
  struct census before = census_take();

  (void)state;
  table = pagetable_create();
  assert_non_null(table);
  for (int i = 0; i < 20000; i++) {
    uint64 kind = random_below(10);

    if (kind < 5)
      random_map();
    else if (kind < 8)
      random_unmap();
    else
      random_visit();
    check_page(random_below(PAGES));
    if (i % 500 == 0)
      assert_int_equal(pagetable_pages(table, &lock), tables_made());
  }
  for (uint64 i = 0; i < PAGES; i++)
    check_page(i);
  assert_int_equal(pagetable_pages(table, &lock), pages_owned(PAGE_TABLE));
  unmappages(table, 0, MAXVA, NULL, NULL);
  freewalk(table);
  assert_census(before);
}

/* --- superpages --- */

#define SUPERS 4UL
#define SUPER_PAGES ((uint64)PT_ENTRIES)
#define SUPER_BASE (MiB(1024) - 2 * MiB(2)) /* two tables of level 1 */

/* The entry that each page is mapped by, as if there were no superpages; and
 * which stretches have a superpage, or a table. */
static pte_t pages[SUPERS * SUPER_PAGES];
static enum { EMPTY, SUPER, TABLE } stretch[SUPERS];

static vaddr_t super_va(uint64 page) { return SUPER_BASE + page * PGSIZE; }

static void map_super(uint64 s) {
  paddr_t pa = random_below(1UL << 34) * MiB(2);
  uint perm = random_perm();

  if (stretch[s] != EMPTY)
    return;
  *walk_level(table, super_va(s * SUPER_PAGES), 1, true) = pte_super(pa, perm);
  stretch[s] = SUPER;
  for (uint64 i = 0; i < SUPER_PAGES; i++)
    pages[s * SUPER_PAGES + i] = expected_pte(pa + i * PGSIZE, perm);
}

static void map_page(uint64 page) {
  uint64 s = page / SUPER_PAGES;
  paddr_t pa = random_below(1UL << 43) * PGSIZE;

  if (stretch[s] == SUPER || pages[page] != 0)
    return;
  assert_int_equal(mappages(table, super_va(page), PGSIZE, pa, PTE_R), 0);
  stretch[s] = TABLE;
  pages[page] = expected_pte(pa, PTE_R);
}

static void split_at(uint64 page) {
  assert_int_equal(pagetable_split(table, super_va(page)), 0);
  if (stretch[page / SUPER_PAGES] == SUPER)
    stretch[page / SUPER_PAGES] = TABLE;
}

/* The pages of leaf l, [first, end) of it, are those of the model. */
static void check_leaf(const struct leaf *l, uint64 first, uint64 end) {
  uint64 at = (l->va - SUPER_BASE) / PGSIZE;

  assert_int_equal(l->level, stretch[at / SUPER_PAGES] == SUPER);
  for (uint64 i = MAX(first, at); i < MIN(end, at + (l->level ? 512 : 1)); i++)
    assert_int_equal(*l->pte + PA2PTE((i - at) * PGSIZE), pages[i]);
}

/* Go from page `first` to `end` by leaves: none is left out. */
static void check_leaves(uint64 first, uint64 end) {
  struct leaf l = {.va = super_va(first)};
  uint64 next = first;

  while (leaf_next(table, &l, super_va(end))) {
    uint64 at = (l.va - SUPER_BASE) / PGSIZE;

    for (; next < at; next++)
      assert_int_equal(pages[next], 0);
    check_leaf(&l, first, end);
    next = at + (l.level ? 512 : 1);
  }
  for (; next < end; next++)
    assert_int_equal(pages[next], 0);
}

static void check_walks(uint64 page) {
  vaddr_t va = super_va(page) + random_below(PGSIZE);
  int level;
  pte_t *pte = walk_leaf(table, va, &level);

  if (pages[page] != 0)
    assert_int_equal(level, stretch[page / SUPER_PAGES] == SUPER);
  assert_int_equal(!!(*pte & PTE_V), pages[page] != 0);
  assert_int_equal(walk(table, va, false) != NULL,
                   stretch[page / SUPER_PAGES] == TABLE);
  assert_int_equal(walkaddr(table, va, 0),
                   pages[page] & PTE_U ? PTE2PA(pages[page]) + va % PGSIZE : 0);
}

static void count_unmapped(void *arg, pte_t pte, int level) {
  assert_true(pte & PTE_V);
  *(uint64 *)arg += level ? SUPER_PAGES : 1;
}

static void unmap_pages(uint64 first, uint64 end) {
  uint64 n = 0, expected = 0;

  if (first % SUPER_PAGES)
    split_at(first);
  if (end % SUPER_PAGES)
    split_at(end);
  for (uint64 i = first; i < end; i++) {
    expected += pages[i] != 0;
    pages[i] = 0;
    if (stretch[i / SUPER_PAGES] == SUPER)
      stretch[i / SUPER_PAGES] = EMPTY;
  }
  unmappages(table, super_va(first), (end - first) * PGSIZE, count_unmapped,
             &n);
  assert_int_equal(n, expected);
}

static bool free_table(void *arg, void *page) {
  assert_true(page_zero(page));
  kfree(page);
  ++*(uint64 *)arg;
  return random_below(3) > 0;
}

/* Until all is done, which may take several steps. */
static uint64 trim(vaddr_t va, vaddr_t end) {
  uint64 n = 0;

  while (va < end) {
    vaddr_t next = pagetable_trim(table, va, end, free_table, &n);

    assert_true(next >= va && next <= end);
    va = next;
  }
  return n;
}

static bool stretch_empty(uint64 s) {
  for (uint64 i = 0; i < SUPER_PAGES; i++)
    if (pages[s * SUPER_PAGES + i] != 0)
      return false;
  return true;
}

static void trim_pages(uint64 first, uint64 end) {
  uint64 before = pagetable_pages(table, &lock);
  uint64 n = trim(super_va(first), super_va(end));

  assert_int_equal(pagetable_pages(table, &lock), before - n);
  for (uint64 s = first / SUPER_PAGES; s <= (end - 1) / SUPER_PAGES; s++)
    if (stretch[s] == TABLE && stretch_empty(s))
      stretch[s] = EMPTY;
}

static void superpages_split_and_tables_go(void **state) {
  struct census before = census_take();

  (void)state;
  table = pagetable_create();
  for (int i = 0; i < 4000; i++) {
    uint64 a = random_below(NELEM(pages)), b = random_below(NELEM(pages));
    uint64 first = MIN(a, b), end = MAX(a, b) + 1;

    switch (random_below(random_below(2) ? 2 : 6)) {
      case 0:
        map_super(a / SUPER_PAGES);
        break;
      case 1:
        map_page(a);
        break;
      case 2:
        split_at(a);
        break;
      case 3:
        unmap_pages(first, end);
        break;
      case 4:
        trim_pages(first, end);
        break;
      case 5:
        check_leaves(first, end);
        break;
    }
    check_walks(random_below(NELEM(pages)));
    if (i % 100 == 0)
      check_leaves(0, NELEM(pages));
  }
  unmap_pages(0, NELEM(pages));
  trim_pages(0, NELEM(pages));
  assert_int_equal(pagetable_pages(table, &lock), 1); /* the root stays */
  assert_int_equal(trim(0, MAXVA), 0);
  freewalk(table);
  assert_census(before);
}

static void wrong_use_of_superpages_panics(void **state) {
  (void)state;
  table = pagetable_create();
  stretch[0] = EMPTY;
  map_super(0);
  assert_panics("superpage", walk(table, SUPER_BASE, true));
  assert_null(walk(table, SUPER_BASE, false));
  assert_panics("superpage",
                mappages(table, SUPER_BASE + PGSIZE, PGSIZE, 0, PTE_R));
  assert_panics("superpage",
                unmappages(table, SUPER_BASE + PGSIZE, MiB(2), NULL, NULL));
  assert_panics("superpage", unmappages(table, SUPER_BASE, PGSIZE, NULL, NULL));
  assert_panics("leaf", freewalk(table));
  memory_leave(0);
  assert_int_equal(pagetable_split(table, SUPER_BASE), -ENOMEM);
  memory_return();
  unmappages(table, SUPER_BASE, MiB(2), NULL, NULL);
  freewalk(table);
}

/* Each right alone and with others, asked for by each combination. */
static void walkaddr_wants_all_rights_and_user(void **state) {
  const uint all = PTE_R | PTE_W | PTE_X;

  (void)state;
  table = pagetable_create();
  for (uint perm = 0; perm <= (all | PTE_U); perm += PTE_R) {
    if ((perm & all) == 0)
      continue;
    assert_int_equal(mappages(table, MiB(2), PGSIZE, 0x5000, perm), 0);
    for (uint want = 0; want <= PROT_READ + PROT_WRITE + PROT_EXEC; want++) {
      uint bits = (want & PROT_READ ? PTE_R : 0) |
                  (want & PROT_WRITE ? PTE_W : 0) |
                  (want & PROT_EXEC ? PTE_X : 0);
      bool allowed = (perm & PTE_U) && (perm & bits) == bits;

      assert_int_equal(walkaddr(table, MiB(2) + 7, want), allowed ? 0x5007 : 0);
    }
    unmappages(table, MiB(2), PGSIZE, NULL, NULL);
  }
  assert_int_equal(walkaddr(table, 0, PROT_READ), 0);
  assert_int_equal(walkaddr(table, MAXVA, PROT_READ), 0);
  assert_int_equal(walkaddr(table, MAXVA + MiB(2) + 7, PROT_READ), 0);
  assert_int_equal(walkaddr(table, ~0UL, PROT_READ), 0);
  /* an address of which the table's indices are those of a page */
  assert_int_equal(mappages(table, MiB(2), PGSIZE, 0x5000, PTE_R | PTE_U), 0);
  assert_int_equal(walkaddr(table, 2 * MAXVA + MiB(2), PROT_READ), 0);
  unmappages(table, MiB(2), PGSIZE, NULL, NULL);
  freewalk(table);
}

/* New table pages are empty, though the memory was not. */
static void table_pages_are_zeroed(void **state) {
  void *pages[200];

  (void)state;
  for (uint i = 0; i < NELEM(pages); i++)
    memset(pages[i] = kalloc(), 0xff, PGSIZE);
  for (uint i = 0; i < NELEM(pages); i++)
    kfree(pages[i]);
  table = pagetable_create();
  assert_true(page_zero(table));
  for (vaddr_t va = 0; va < MAXVA; va += MAXVA / 32) {
    pte_t *pte = walk(table, va, true);

    assert_true(page_zero(pte - PX(0, va)));
  }
  assert_int_equal(pagetable_pages(table, &lock), 1 + 32 + 32);
  assert_int_equal(pagetable_each(table, 0, MAXVA, see_leaf, NULL), 0);
  freewalk(table);
}

/* A range may begin and end in tables that are not there. */
static void unmapping_skips_missing_tables(void **state) {
  static const vaddr_t places[] = {MiB(2), MiB(1024), 3 * MiB(1024)};
  static const vaddr_t before[] = {PGSIZE, MiB(1), MiB(700)};

  (void)state;
  for (uint i = 0; i < NELEM(places); i++) {
    for (uint k = 0; k < NELEM(before); k++) {
      vaddr_t va = places[i];
      vaddr_t from = MAX(va, before[k]) - before[k];

      table = pagetable_create();
      assert_int_equal(mappages(table, va, PGSIZE, 0, PTE_R | PTE_U), 0);
      unmappages(table, from, va - from, NULL, NULL);
      assert_int_equal(*walk(table, va, false), expected_pte(0, PTE_R | PTE_U));
      unmappages(table, from, va + MiB(5) - from, NULL, NULL);
      assert_int_equal(*walk(table, va, false), 0);
      assert_int_equal(pagetable_pages(table, &lock), 3); /* none was made */
      freewalk(table);
    }
  }
}

/* A range over several tables, with memory for n pages, for each n. */
static void memory_runs_out_at_each_page(void **state) {
  const vaddr_t va = MiB(1024) - 2 * PGSIZE;
  const uint64 needs = 5; /* root; two of level 1, two of level 0 */
  struct census before = census_take();

  (void)state;
  for (uint64 n = 0; n <= needs; n++) {
    uint64 mapped = 0;
    int r;

    memory_leave(n);
    table = pagetable_create();
    assert_int_equal(table != NULL, n > 0);
    if (table != NULL) {
      r = mappages(table, va, 4 * PGSIZE, 0x1000, PTE_R | PTE_U);
      assert_int_equal(r, n < needs ? -ENOMEM : 0);
      for (uint64 i = 0; i < 4; i++)
        mapped += walkaddr(table, va + i * PGSIZE, PROT_READ) != 0;
      assert_int_equal(mapped, n < 3 ? 0 : n < needs ? 2 : 4);
      unmappages(table, va, 4 * PGSIZE, NULL, NULL);
      freewalk(table);
    }
    assert_int_equal(pages_owned(PAGE_FREE), n);
    memory_return();
  }
  assert_census(before);
}

static void misuse_panics(void **state) {
  struct census before = census_take();
  const vaddr_t last = MAXVA - PGSIZE;

  (void)state;
  table = pagetable_create();
  assert_panics("walk", walk(table, MAXVA, true));
  assert_panics("walk", walk(table, ~0UL, false));
  assert_panics("aligned", mappages(table, 1, PGSIZE, 0, PTE_R));
  assert_panics("aligned", mappages(table, 0, PGSIZE + 8, 0, PTE_R));
  assert_panics("aligned", mappages(table, 0, PGSIZE, 2048, PTE_R));
  assert_panics("size 0", mappages(table, 0, 0, 0, PTE_R));
  assert_panics("aligned", unmappages(table, 5, PGSIZE, NULL, NULL));
  assert_panics("aligned", unmappages(table, 0, 5, NULL, NULL));
  assert_int_equal(pagetable_pages(table, &lock), 1);

  assert_int_equal(mappages(table, last, PGSIZE, 0x1000, PTE_X), 0);
  assert_panics("mapped", mappages(table, last, PGSIZE, 0x1000, PTE_R));
  assert_panics("mapped", mappages(table, last - PGSIZE, 2 * PGSIZE, 0, PTE_R));
  assert_panics("MAXVA", mappages(table, MAXVA, PGSIZE, 0, PTE_R));
  unmappages(table, last, PGSIZE, NULL, NULL);
  assert_panics("MAXVA", mappages(table, last, 2 * PGSIZE, 0, PTE_R));
  assert_panics("leaf", freewalk(table));
  unmappages(table, last - PGSIZE, 2 * PGSIZE, NULL, NULL);
  freewalk(table);
  assert_census(before);
}

static int start(void **state) {
  (void)state;
  ram_start(512);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_operations),
      cmocka_unit_test(walkaddr_wants_all_rights_and_user),
      cmocka_unit_test(table_pages_are_zeroed),
      cmocka_unit_test(unmapping_skips_missing_tables),
      cmocka_unit_test(memory_runs_out_at_each_page),
      cmocka_unit_test(superpages_split_and_tables_go),
      cmocka_unit_test(wrong_use_of_superpages_panics),
      cmocka_unit_test(misuse_panics),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
