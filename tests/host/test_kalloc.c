/*
 * The page allocator, kernel/mm/kalloc.c. The allocator starts once, so each
 * test is a process of its own; RAM has a length that suits no block.
 */
/* sources: kernel/sync/spinlock.c tests/host/mm_fakes.c */
#include "mm_fakes.h"

#include <sys/wait.h>
#include <unistd.h>

/* What another holder does just before one gives up a page. */
static void (*meanwhile)(void);

static void others_are_faster(void) {
  void (*once)(void) = meanwhile;

  meanwhile = NULL;
  if (once != NULL)
    once();
}

#define __atomic_fetch_sub(p, n, order) \
  (others_are_faster(), __atomic_fetch_sub(p, n, order))
#include "mm/kalloc.c"

#define BLOCKS 300

static uint64 number_of(const void *p) {
  return ((const uchar *)p - ram) / PGSIZE;
}

static uint64 first; /* page of RAM */

/* Call test(pages) in a child, which a failure ends: the other tests are its
 * parent's. */
static void in_child(void (*test)(uint64 pages), uint64 pages) {
  int status;
  pid_t pid = fork();

  if (pid == 0) {
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    ram_start_at(first, pages);
    test(pages);
    _Exit(0);
  }
  assert_true(pid > 0);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

static uint64 total_by_owner(void) {
  uint64 n = 0;

  for (int i = 0; i < PAGE_OWNERS; i++)
    n += pages_owned(i);
  return n;
}

/* Allocate the largest blocks there are, then the next smaller, and so on;
 * count them. No order of frees before may make a difference. */
static void count_blocks(uint64 count[ORDER_MAX + 1]) {
  for (int order = ORDER_MAX; order >= 0; order--) {
    void *block;

    count[order] = 0;
    while ((block = kalloc_pages(order, PAGE_CACHE)) != NULL) {
      assert_int_equal(number_of(block) % (1UL << order), 0);
      count[order]++;
    }
  }
}

/* The same, by arithmetic: the pages from the image to the end of RAM. */
static void expect_blocks(uint64 pages, uint64 count[ORDER_MAX + 1]) {
  uint64 at = pages - pages_owned(PAGE_FREE);

  memset(count, 0, (ORDER_MAX + 1) * sizeof(*count));
  while (at < pages) {
    int order = ORDER_MAX;

    while (at % (1UL << order) != 0 || at + (1UL << order) > pages)
      order--;
    count[order]++;
    at += 1UL << order;
  }
}

static void check_merged(uint64 pages) {
  uint64 expected[ORDER_MAX + 1], got[ORDER_MAX + 1];

  expect_blocks(pages, expected);
  count_blocks(got);
  assert_memory_equal(expected, got, sizeof(got));
  assert_int_equal(pages_owned(PAGE_FREE), 0);
  assert_null(kalloc());
}

/* The image and the frame table are not given out; the frame table follows
 * the image at once and is as large as needed. */
static void start(uint64 pages) {
  uint64 free = pages_owned(PAGE_FREE);

  assert_int_equal(pages_total(), pages);
  assert_int_equal(pages_owned(PAGE_RESERVED), first);
  assert_int_equal(free + pages_owned(PAGE_IMAGE) + first + 1, pages);
  assert_in_range(pages_owned(PAGE_IMAGE) + first, IMAGE_PAGES + 1,
                  IMAGE_PAGES + 1 + pages * 8 / PGSIZE + 1);
  for (int i = 0; i < IMAGE_PAGES - 1; i++)
    assert_int_equal(ram[i * PGSIZE], 0xaa);
  check_merged(pages);
}

static void all_ram_is_there_in_the_largest_blocks(void **state) {
  static const uint64 sizes[] = {10, 64, 1023, 1024, 1025, 2047, 3000, 4096};

  (void)state;
  for (uint i = 0; i < NELEM(sizes); i++)
    in_child(start, sizes[i]);
}

/* --- random use, against a table of who has what --- */

static struct {
  uchar *at; /* NULL: none */
  int order;
  enum page_owner owner;
  uint64 tag;
} taken[BLOCKS];
static uchar holder[RAM_PAGES]; /* in use? */
static uint64 held[PAGE_OWNERS];

static void *allocate(int order, enum page_owner owner) {
  void *p;

  if (order > 0 || random_below(4) == 0)
    return kalloc_pages(order, owner);
  if (owner == PAGE_KERNEL)
    return kalloc();
  if (random_below(2))
    return kalloc_for(owner);
  p = kalloc_zero(owner);
  assert_true(p == NULL || page_zero(p));
  return p;
}

static void take_block(int i) {
  static uint64 tag;
  int order = random_below(3) ? 0 : random_below(8);
  enum page_owner owner = PAGE_KERNEL + random_below(PAGE_ZERO - PAGE_KERNEL);
  uchar *p = allocate(order, owner);

  if (p == NULL) {
    assert_true(order > 0 || pages_owned(PAGE_FREE) == 0);
    return;
  }
  assert_int_equal(number_of(p) % (1UL << order), 0);
  assert_int_equal((p - ram) % PGSIZE, 0);
  for (uint64 f = 0; f < 1UL << order; f++) {
    assert_int_equal(holder[number_of(p) + f]++, 0);
    page_mark(p + f * PGSIZE, tag + 1);
  }
  held[owner] += 1UL << order;
  taken[i].at = p;
  taken[i].order = order;
  taken[i].owner = owner;
  taken[i].tag = ++tag;
}

static void give_block(int i) {
  uchar *p = taken[i].at;

  for (uint64 f = 0; f < 1UL << taken[i].order; f++) {
    assert_true(page_marked(p + f * PGSIZE, taken[i].tag));
    holder[number_of(p) + f]--;
  }
  held[taken[i].owner] -= 1UL << taken[i].order;
  taken[i].at = NULL;
  if (taken[i].order == 0 && random_below(2))
    kfree(p);
  else
    kfree_pages(p, taken[i].order);
}

static void random_use(uint64 pages) {
  uint64 at_start = pages_owned(PAGE_FREE);

  memset(holder, 1, pages - at_start); /* the image */
  for (int step = 0; step < 30000; step++) {
    int i = random_below(step / 5000 % 2 ? BLOCKS : BLOCKS / 10);

    cpus[0].id = random_below(ncpu); /* move to another CPU's list */
    if (taken[i].at == NULL)
      take_block(i);
    else
      give_block(i);
    for (int owner = PAGE_KERNEL; owner < PAGE_ZERO; owner++)
      assert_int_equal(pages_owned(owner), held[owner]);
    assert_int_equal(total_by_owner(), pages);
    assert_int_equal(cpus[0].noff, 0);
  }
  for (int i = 0; i < BLOCKS; i++)
    if (taken[i].at != NULL)
      give_block(i);
  assert_int_equal(pages_owned(PAGE_FREE), at_start);
  check_merged(pages);
}

static void blocks_never_overlap_and_merge_again(void **state) {
  (void)state;
  in_child(random_use, 700);
  in_child(random_use, 3001);
}

/* Pages that another CPU freed are found; a list does not grow for ever. */
static void lists(uint64 pages) {
  uint64 free = pages_owned(PAGE_FREE);

  memory_leave(0);
  cpus[0].id = 2;
  memory_return();
  assert_true(pages_largest() > 1); /* what is too much for a list went back */
  cpus[0].id = 0;
  memory_leave(0);
  assert_null(kalloc());
  assert_null(kalloc_pages(0, PAGE_KERNEL));
  memory_return();
  assert_int_equal(pages_owned(PAGE_FREE), free);
  assert_int_equal(pages_total(), pages);
}

static void pages_on_other_cpus_are_found(void **state) {
  (void)state;
  in_child(lists, 600);
}

/* --- running out --- */

static void *cache[64]; /* what the reclaimers can give back */
static uint64 cached, wanted, asked;
static void *spare; /* and a single page */

static uint64 shrink_spare(uint64 want) {
  assert_int_equal(want, 32);
  asked++;
  if (spare == NULL)
    return 0;
  kfree(spare);
  spare = NULL;
  return 1;
}

static uint64 shrink_last(uint64 want) {
  assert_int_equal(cached, 0); /* the others had enough */
  assert_true(want > 0);
  return 0;
}

static uint64 shrink_cache(uint64 want) {
  uint64 freed = 0;

  assert_int_equal(cpus[0].noff, 0); /* no lock is held */
  asked++;
  wanted = want;
  for (; cached > 0 && freed < want; freed++)
    kfree(cache[--cached]);
  return freed;
}

static void reclaiming(uint64 pages) {
  static struct reclaimer first = {.name = "spare", .shrink = shrink_spare};
  static struct reclaimer some = {.name = "some", .shrink = shrink_cache};
  static struct reclaimer last = {.name = "last", .shrink = shrink_last};

  (void)pages;
  reclaimer_register(&first);
  reclaimer_register(&some);
  reclaimer_register(&last);
  for (; cached < NELEM(cache); cached++)
    cache[cached] = kalloc_for(PAGE_CACHE);
  spare = kalloc_for(PAGE_CACHE);
  memory_leave(3);
  for (int i = 0; i < 3; i++)
    assert_non_null(kalloc());
  assert_int_equal(asked, 0); /* not while there are pages */
  for (int i = 0; i < 32; i++)
    assert_non_null(kalloc());
  assert_int_equal(asked, 2);
  assert_int_equal(wanted, 31); /* the spare page is one */
  for (int i = 0; i < 32; i++)
    assert_non_null(kalloc());
  assert_int_equal(asked, 4);
  assert_int_equal(wanted, 32);
  assert_non_null(kalloc()); /* one is left */
  assert_null(kalloc());
  assert_int_equal(pages_owned(PAGE_CACHE), 0);
}

static void reclaiming_blocks(uint64 pages) {
  static struct reclaimer some = {.name = "some", .shrink = shrink_cache};
  uchar *block = kalloc_pages(5, PAGE_KERNEL);

  (void)pages;
  memory_leave(0);
  kfree_pages(block, 5);
  for (; cached < 32; cached++) /* the same block, page by page */
    cache[cached] = kalloc_for(PAGE_CACHE);
  reclaimer_register(&some);
  assert_ptr_equal(kalloc_pages(5, PAGE_KERNEL), block);
  assert_int_equal(wanted, 32);
  assert_null(kalloc_pages(1, PAGE_KERNEL));
}

static void caches_are_asked_when_pages_run_out(void **state) {
  (void)state;
  in_child(reclaiming, 300);
  in_child(reclaiming_blocks, 300);
}

/* --- what superpages map --- */

#define HOLDERS 6
#define SUPER_PAGES (1U << SUPER_ORDER)

/* Who maps a block: by a superpage, or some of its pages. */
static struct holder {
  bool super;
  uint n; /* pages */
  bool page[SUPER_PAGES];
} holders[HOLDERS];

static bool holds(const struct holder *h) { return h->super || h->n > 0; }

static uint pages_held(const struct holder *h, uint i) {
  return h->super || h->page[i];
}

static void check_block(char *block) {
  bool whole = true;
  uint most = 0;

  for (uint i = 0; i < SUPER_PAGES; i++) {
    uint n = 0;

    for (uint k = 0; k < HOLDERS; k++)
      n += pages_held(&holders[k], i);
    most = MAX(most, n);
  }
  for (uint k = 0; k < HOLDERS; k++)
    whole &= holders[k].n == 0;
  if (most > 0)
    assert_int_equal(block_count(block), most);
  for (uint i = 0; !whole && i < SUPER_PAGES; i++) {
    uint n = 0;

    for (uint k = 0; k < HOLDERS; k++)
      n += pages_held(&holders[k], i);
    assert_int_equal(frame_count(block + i * PGSIZE), n);
  }
}

/* As fork does. */
static void copy_holder(struct holder *from, struct holder *to, char *block) {
  if (from->super)
    block_get(block);
  for (uint i = 0; i < SUPER_PAGES; i++)
    if (from->page[i])
      frame_get(block + i * PGSIZE);
  *to = *from;
}

static void split_holder(struct holder *h, char *block) {
  block_break(block);
  h->super = false;
  h->n = SUPER_PAGES;
  memset(h->page, true, sizeof(h->page));
}

static void drop_page(struct holder *h, uint i, char *block) {
  if (!h->page[i])
    return;
  frame_put(block + i * PGSIZE);
  h->page[i] = false;
  h->n--;
}

static void drop_holder(struct holder *h, char *block) {
  if (h->super)
    block_put(block);
  for (uint i = 0; i < SUPER_PAGES; i++)
    drop_page(h, i, block);
  *h = (struct holder){.n = 0};
}

static bool all_gone(void) {
  for (uint k = 0; k < HOLDERS; k++)
    if (holds(&holders[k]))
      return false;
  return true;
}

/* One life of a block, from the first holder to the last. */
static void block_life(char *block) {
  uint break_after = random_below(200);

  holders[0] = (struct holder){.super = true};
  for (uint step = 0; !all_gone(); step++) {
    struct holder *h = &holders[random_below(HOLDERS)];
    struct holder *other = &holders[random_below(HOLDERS)];

    if (!holds(h))
      continue;
    if (!holds(other) && random_below(step + 1) < 20)
      copy_holder(h, other, block);
    else if (h->super && step > break_after && random_below(2))
      split_holder(h, block);
    else if (!h->super && random_below(4))
      drop_page(h, random_below(SUPER_PAGES), block);
    else if (random_below(10) == 0)
      drop_holder(h, block);
    check_block(block);
  }
}

static void block_lives(uint64 pages) {
  uint64 free = pages_owned(PAGE_FREE);

  for (int i = 0; i < 50; i++) {
    char *block = block_alloc(PAGE_USER);

    assert_non_null(block);
    assert_int_equal(number_of(block) % SUPER_PAGES, 0);
    assert_int_equal(pages_owned(PAGE_USER), SUPER_PAGES);
    block_life(block);
    assert_int_equal(pages_owned(PAGE_USER), 0);
    assert_int_equal(pages_owned(PAGE_FREE), free);
  }
  check_merged(pages);
}

/* Without memory there is none, and no cache is asked for it. */
static void no_block(uint64 pages) {
  static struct reclaimer some = {.name = "some", .shrink = shrink_cache};
  void *block;

  (void)pages;
  reclaimer_register(&some);
  while ((block = block_alloc(PAGE_USER)) != NULL)
    assert_int_equal(block_count(block), 1);
  assert_int_equal(asked, 0);
  assert_non_null(kalloc());
}

static void blocks_of_superpages_are_counted(void **state) {
  (void)state;
  in_child(block_lives, 2048);
  in_child(no_block, 2047);
}

/* --- fragmentation --- */

/* The largest blocks that there are, and nothing else: taken, counted, and given
 * back. */
static uint64 chunks_free(void) {
  static void *chunk[RAM_PAGES >> ORDER_MAX];
  uint64 n = 0, i = 0;

  while ((chunk[n] = kalloc_pages(ORDER_MAX, PAGE_KERNEL)) != NULL)
    n++;
  while (i < n)
    kfree_pages(chunk[i++], ORDER_MAX);
  return n;
}

/* The kernel's pages and those of processes and caches come in any order, more
 * of the latter, and are freed in any order. In the end all that can go has
 * gone, and what stays has not spread. */
static void mixed_use(uint64 pages) {
  static void *movable[RAM_PAGES], *fixed[RAM_PAGES];
  uint64 nm = 0, nf = 0, chunks = pages >> ORDER_MAX;

  for (int i = 0; i < 100000; i++) {
    bool fill = random_below(100) < (i / 10000 % 2 ? 45 : 65);
    bool kernel = random_below(10) == 0;
    void **list = kernel ? fixed : movable;
    uint64 *n = kernel ? &nf : &nm;

    cpus[0].id = random_below(ncpu);
    if (fill && pages_owned(PAGE_FREE) > pages / 8) {
      list[(*n)++] = kalloc_for(kernel            ? PAGE_TABLE
                                : random_below(2) ? PAGE_USER
                                                  : PAGE_CACHE);
    } else if (!fill && *n > 0) {
      uint64 k = random_below(*n);

      kfree(list[k]);
      list[k] = list[--*n];
    }
  }
  assert_true(nm > pages / 4 && nf > 200);
  while (nm > 0)
    kfree(movable[--nm]);
  /* one chunk has the image, one may be cut off at the end */
  assert_in_range(chunks_free(), chunks - 2 - 2 * (nf / (1 << ORDER_MAX) + 1),
                  chunks);
  while (nf > 0)
    kfree(fixed[--nf]);
  check_merged(pages);
}

/* When nothing else is left each use gets what is the other's. */
static void borrowing(uint64 pages) {
  uint64 free = pages_owned(PAGE_FREE), n = 0;
  void *kernel = kalloc();

  while (kalloc_for(PAGE_USER) != NULL)
    n++;
  assert_int_equal(n, free - 1);
  kfree(kernel);
  assert_ptr_equal(kalloc_for(PAGE_USER), kernel);
  assert_int_equal(pages_owned(PAGE_FREE), 0);
  (void)pages;
}

static void claiming(uint64 pages) {
  uint64 free = pages_owned(PAGE_FREE), n = 0;
  void *user = kalloc_for(PAGE_USER);

  while (kalloc() != NULL)
    n++;
  assert_int_equal(n, free - 1);
  kfree(user);
  assert_ptr_equal(kalloc(), user);
  (void)pages;
}

static void pages_that_stay_are_kept_together(void **state) {
  (void)state;
  in_child(mixed_use, 12 << ORDER_MAX);
  in_child(mixed_use, (9 << ORDER_MAX) + 17);
  in_child(borrowing, 3000);
  in_child(claiming, 3000);
}

/* Anyone may take and give back the page of zeros; it stays. */
static void zeros(uint64 pages) {
  assert_true(page_zero(zero_page));
  for (int i = 0; i < 10; i++) {
    frame_get(zero_page);
    assert_true(frame_count(zero_page) > 1);
  }
  for (int i = 0; i < 30; i++)
    frame_put(zero_page);
  assert_true(frame_count(zero_page) > 1);
  assert_int_equal(pages_owned(PAGE_ZERO), 1);
  check_merged(pages);
}

static void the_page_of_zeros_is_not_counted(void **state) {
  (void)state;
  in_child(zeros, 300);
}

/* Two holders give up a page at once: both have seen the other before. */
static uchar *held_by_two;

static void put_it_too(void) { frame_put(held_by_two); }

static void last_holders(uint64 pages) {
  held_by_two = kalloc_for(PAGE_USER);
  frame_get(held_by_two);
  meanwhile = put_it_too;
  frame_put(held_by_two);
  assert_null(meanwhile);
  assert_int_equal(pages_owned(PAGE_USER), 0);
  check_merged(pages);
}

static void one_of_the_last_holders_frees(void **state) {
  (void)state;
  in_child(last_holders, 300);
}

/* --- misuse --- */

static void misuse(uint64 pages) {
  uchar *page = kalloc(), *block = kalloc_pages(2, PAGE_KERNEL);

  kfree(page);
  assert_panics("kfree", kfree(page));
  page = kalloc();
  frame_get(page); /* another holder, who goes on using it */
  assert_panics("2 holders", kfree(page));
  frame_put(page);
  frame_put(page);
  assert_panics("no page", kfree(ram - PGSIZE));
  assert_panics("no page", kfree(ram + pages * PGSIZE));
  assert_panics("no page", kfree((void *)0));
  assert_panics("no page", kfree((void *)~(PGSIZE - 1UL)));
  assert_panics("no page", kfree(block + 8));
  assert_panics("kfree", kfree(ram)); /* the image */
  assert_panics("kfree", kfree(block));
  assert_panics("kfree", kfree(block + PGSIZE));
  assert_panics("order 1", kfree_pages(block, 1));
  assert_panics("order 3", kfree_pages(block, 3));
  kfree_pages(block, 2);
  assert_panics("kfree_pages", kfree_pages(block, 2));
  assert_panics("order", kalloc_pages(-1, PAGE_KERNEL));
  assert_panics("order", kalloc_pages(ORDER_MAX + 1, PAGE_KERNEL));
  check_merged(pages);
}

static void wrong_frees_panic(void **state) {
  (void)state;
  in_child(misuse, 300);
}

/* RAM that begins in the middle of a block: what lies before is reserved, and
 * blocks are still aligned to their size in physical memory. */
static void ram_may_begin_anywhere(void **state) {
  (void)state;
  first = 3;
  in_child(start, 2047);
  in_child(misuse, 300);
  first = 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_ram_is_there_in_the_largest_blocks),
      cmocka_unit_test(ram_may_begin_anywhere),
      cmocka_unit_test(blocks_never_overlap_and_merge_again),
      cmocka_unit_test(pages_on_other_cpus_are_found),
      cmocka_unit_test(caches_are_asked_when_pages_run_out),
      cmocka_unit_test(blocks_of_superpages_are_counted),
      cmocka_unit_test(one_of_the_last_holders_frees),
      cmocka_unit_test(pages_that_stay_are_kept_together),
      cmocka_unit_test(the_page_of_zeros_is_not_counted),
      cmocka_unit_test(wrong_frees_panic),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
