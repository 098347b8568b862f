/*
 * Anonymous memory of one process: where it comes, what may be done with it,
 * and what a part of it can be turned into.
 */
#include "mmaptest.h"

/* It is zero, keeps what is written, and is gone when it was unmapped. */
static void zeros(void) {
  char *p = map(10 * PAGE, RW, PRIVATE_ANON, -1, 0);

  CHECK(is_zero(p, 10 * PAGE));
  for (int i = 0; i < 10; i++)
    fill_page(p + i * PAGE, i);
  for (int i = 0; i < 10; i++)
    CHECK(page_is(p + i * PAGE, i));
  unmap(p, 10 * PAGE);
  for (int i = 0; i < 10; i += 9) {
    CHECK(load_kills(p + i * PAGE));
    CHECK(!kernel_reads(p + i * PAGE));
  }
  p = map(10 * PAGE, RW, PRIVATE_ANON, -1, 0);
  CHECK(is_zero(p, 10 * PAGE));
  unmap(p, 10 * PAGE);
}

/* A length is rounded up to pages. */
static void rounding(void) {
  char *p = map(PAGE + 1, RW, PRIVATE_ANON, -1, 0);

  p[2 * PAGE - 1] = 1;
  unmap(p, 1);
  CHECK(load_kills(p));
  CHECK_EQ(p[2 * PAGE - 1], 1);
  unmap(p + PAGE, PAGE - 7);
  CHECK(load_kills(p + PAGE));
}

/* Without MAP_FIXED an address is a wish; what is there is left alone. */
static void hints(void) {
  char *p = map(4 * PAGE, RW, PRIVATE_ANON, -1, 0), *q;

  fill_page(p, 1);
  q = map_at(p, 4 * PAGE, RW, PRIVATE_ANON, -1, 0);
  CHECK(q + 4 * PAGE <= p || q >= p + 4 * PAGE);
  CHECK(page_is(p, 1));
  unmap(q, 4 * PAGE);
  unmap(p, 4 * PAGE);
  q = map_at(p, 4 * PAGE, RW, PRIVATE_ANON, -1, 0);
  CHECK(q == p);
  unmap(q, 4 * PAGE);
  q = map_at(p + 123, PAGE, RW, PRIVATE_ANON, -1, 0);
  unmap(q, PAGE);
}

/* MAP_FIXED takes the place of what was there, and of no more. */
static void fixed(void) {
  char *p = map(6 * PAGE, RW, PRIVATE_ANON, -1, 0);

  for (int i = 0; i < 6; i++)
    fill_page(p + i * PAGE, i + 1);
  CHECK(map_at(p + 2 * PAGE, 2 * PAGE, PROT_READ, PRIVATE_ANON | MAP_FIXED, -1,
               0) == p + 2 * PAGE);
  CHECK(is_zero(p + 2 * PAGE, 2 * PAGE));
  CHECK(store_kills(p + 2 * PAGE));
  for (int i = 0; i < 6; i++)
    CHECK(i == 2 || i == 3 || page_is(p + i * PAGE, i + 1));
  unmap(p + PAGE, 4 * PAGE);
  CHECK(page_is(p, 1) && page_is(p + 5 * PAGE, 6));
  unmap(p, 6 * PAGE);
}

static void fixed_noreplace(void) {
  const int flags = PRIVATE_ANON | MAP_FIXED_NOREPLACE;
  char *p = map(4 * PAGE, RW, PRIVATE_ANON, -1, 0);

  fill_page(p + PAGE, 1);
  unmap(p, PAGE);
  CHECK_FAILS(mmap(p, 2 * PAGE, RW, flags, -1, 0), EEXIST);
  CHECK(page_is(p + PAGE, 1));
  CHECK(map_at(p, PAGE, RW, flags, -1, 0) == p);
  CHECK(is_zero(p, PAGE));
  unmap(p, 4 * PAGE);
}

/* Holes: unmapping splits, may meet nothing, and may go over several. */
static void holes(void) {
  char *p = map(16 * PAGE, RW, PRIVATE_ANON, -1, 0);

  for (int i = 0; i < 16; i++)
    fill_page(p + i * PAGE, i + 1);
  for (int i = 1; i < 16; i += 2)
    unmap(p + i * PAGE, PAGE);
  for (int i = 0; i < 16; i++) {
    CHECK_EQ(kernel_reads(p + i * PAGE), i % 2 == 0);
    CHECK(i % 2 || page_is(p + i * PAGE, i + 1));
  }
  CHECK(load_kills(p + PAGE) && store_kills(p + 15 * PAGE));
  unmap(p + PAGE, PAGE); /* a hole already */
  unmap(p + 3 * PAGE, 7 * PAGE);
  CHECK(page_is(p + 2 * PAGE, 3) && page_is(p + 10 * PAGE, 11));
  CHECK(!kernel_reads(p + 4 * PAGE));
  unmap(p, 16 * PAGE);
  unmap(p, 16 * PAGE);
}

/* Rights can go and come; the content stays. */
static void rights(void) {
  char *p = map(3 * PAGE, RW, PRIVATE_ANON, -1, 0);

  for (int i = 0; i < 3; i++)
    fill_page(p + i * PAGE, i + 1);
  CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
  CHECK(page_is(p + PAGE, 2));
  CHECK(store_kills(p + PAGE) && !kernel_writes(p + PAGE));
  CHECK(!store_kills(p) && !store_kills(p + 2 * PAGE));
  CHECK_EQ(mprotect(p, 3 * PAGE, PROT_NONE), 0);
  for (int i = 0; i < 3; i++)
    CHECK(load_kills(p + i * PAGE) && !kernel_reads(p + i * PAGE));
  CHECK_EQ(mprotect(p, 3 * PAGE, RW), 0);
  for (int i = 0; i < 3; i++)
    CHECK(page_is(p + i * PAGE, i + 1));
  fill_page(p + PAGE, 7);
  CHECK(page_is(p + PAGE, 7));
  CHECK_EQ(mprotect(p, 0, PROT_NONE), 0);
  CHECK(page_is(p, 1));
  unmap(p, 3 * PAGE);
}

/* Rights that were there from the start, touched and untouched. */
static void all_rights(void) {
  for (int prot = 0; prot < 8; prot++) {
    char *p = map(2 * PAGE, RW, PRIVATE_ANON, -1, 0);
    char *q = map(PAGE, prot, PRIVATE_ANON, -1, 0);

    p[0] = 0;
    CHECK_EQ(mprotect(p, 2 * PAGE, prot), 0);
    for (int i = 0; i < 3; i++) {
      char *page = i < 2 ? p + i * PAGE : q;

      if (prot == PROT_NONE || (prot & PROT_READ))
        CHECK_EQ(load_kills(page), prot == PROT_NONE);
      CHECK_EQ(store_kills(page), !(prot & PROT_WRITE));
      CHECK_EQ(kernel_writes(page), (prot & PROT_WRITE) != 0);
      if (os_denies_exec() && !(prot & PROT_EXEC))
        CHECK(jump_kills(page));
    }
    unmap(p, 2 * PAGE);
    unmap(q, PAGE);
  }
}

static int answer(void) { return 42; }

/* Code that a program writes runs once it is given the right to. */
static void written_code(void) {
  const int bytes = 64; /* more than answer() takes */

  for (int i = 0; i < 3; i++) {
    char *p = map(PAGE, RW, PRIVATE_ANON, -1, 0);

    memcpy(p, (void *)answer, bytes);
    if (os_denies_exec())
      CHECK(jump_kills(p));
    CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
    CHECK_EQ(((int (*)(void))p)(), 42);
    unmap(p, PAGE);
  }
}

/* Neighbours of one kind are one region again: half a million splits and
 * merges would else be seen in memory or time. */
static void split_and_merge(void) {
  char *p = map(64 * PAGE, RW, PRIVATE_ANON, -1, 0);

  for (int i = 0; i < 64; i++)
    fill_page(p + i * PAGE, i + 1);
  for (int n = 0; n < repeats(2000, 20); n++) {
    char *page = p + n * 7 % 64 * PAGE;

    CHECK_EQ(mprotect(page, PAGE, PROT_READ), 0);
    CHECK_EQ(mprotect(page, PAGE, RW), 0);
    page[0] = page[0];
  }
  for (int i = 0; i < 64; i++)
    CHECK(page_is(p + i * PAGE, i + 1));
  unmap(p, 64 * PAGE);
}

/* Thousands of regions that cannot merge. */
static void many_regions(void) {
  const int n = repeats(4000, 40), middle = n / 2;
  char *p = map(n * PAGE, PROT_NONE, PRIVATE_ANON, -1, 0);

  for (int i = 0; i < n; i += 2)
    CHECK_EQ(mprotect(p + i * PAGE, PAGE, RW), 0);
  for (int i = 0; i < n; i += 20)
    *(int *)(p + i * PAGE) = i;
  for (int i = 0; i < n; i += 20)
    CHECK_EQ(*(int *)(p + i * PAGE), i);
  CHECK(!kernel_reads(p + (middle + 1) * PAGE));
  CHECK(kernel_reads(p + (middle + 2) * PAGE));
  /* away in an order that is none */
  for (int i = 0; i < n; i++)
    unmap(p + (i * 1237L % n) * PAGE, PAGE);
  CHECK(!kernel_reads(p) && !kernel_reads(p + (n - 2) * PAGE));
}

static void advice(void) {
  char *p = map(4 * PAGE, RW, PRIVATE_ANON, -1, 0);

  for (int i = 0; i < 4; i++)
    fill_page(p + i * PAGE, i + 1);
  CHECK_EQ(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
  CHECK(page_is(p, 1) && page_is(p + 3 * PAGE, 4));
  CHECK(is_zero(p + PAGE, 2 * PAGE));
  fill_page(p + PAGE, 9);
  CHECK(page_is(p + PAGE, 9));
  CHECK_EQ(madvise(p, 4 * PAGE, MADV_WILLNEED), 0);
  CHECK_EQ(madvise(p, 4 * PAGE, MADV_NORMAL), 0);
  CHECK_EQ(madvise(p, 4 * PAGE, MADV_RANDOM), 0);
  CHECK_EQ(madvise(p, 4 * PAGE, MADV_SEQUENTIAL), 0);
  CHECK_EQ(madvise(p, 0, MADV_DONTNEED), 0);
  CHECK(page_is(p, 1) && page_is(p + PAGE, 9));
  unmap(p, 4 * PAGE);
}

static void populate(void) {
  char *p = map(8 * PAGE, RW, PRIVATE_ANON | MAP_POPULATE, -1, 0);

  CHECK(is_zero(p, 8 * PAGE));
  fill_page(p + 7 * PAGE, 1);
  CHECK(page_is(p + 7 * PAGE, 1));
  unmap(p, 8 * PAGE);
}

/* Memory that was only read is zero until it is written, for loads as for
 * the kernel. */
static void read_first(void) {
  char *p = map(8 * PAGE, RW, PRIVATE_ANON, -1, 0);

  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 8; i++)
      CHECK(is_zero(p + i * PAGE, 16));
  fill_page(p + 2 * PAGE, 5);
  CHECK(kernel_writes(p + 3 * PAGE + 1));
  CHECK_EQ(p[3 * PAGE], 0);
  CHECK_EQ(p[3 * PAGE + 1], 'w');
  for (int i = 0; i < 8; i++)
    CHECK(i == 3 || page_is(p + i * PAGE, i == 2 ? 5 : 0));
  unmap(p, 8 * PAGE);
}

/* The heap ends where something else begins. */
static void heap_meets_mapping(void) {
  char *top = sbrk(0), *page;

  top = sbrk((int)(PAGE - (addr)top % PAGE)) + (PAGE - (addr)top % PAGE);
  page = map_at(top + 2 * PAGE, PAGE, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);
  fill_page(page, 1);
  CHECK(sbrk(4 * PAGE) == (char *)-1);
  CHECK(sbrk(0) == top);
  if (!ON_LINUX) { /* which keeps a gap between the two */
    CHECK(sbrk(2 * PAGE) == top);
    CHECK(is_zero(top, 2 * PAGE));
    fill_page(top + PAGE, 2);
    CHECK(sbrk(1) == (char *)-1);
    CHECK(page_is(page, 1));
    CHECK(sbrk(-2 * (int)PAGE) == top + 2 * PAGE);
    CHECK(load_kills(top));
  }
  CHECK(page_is(page, 1));
  unmap(page, PAGE);
  CHECK(sbrk(4 * PAGE) == top);
  CHECK(is_zero(top, 4 * PAGE));
}

static long dig(long depth) {
  volatile char frame[1000];
  addr at = (addr)depth % sizeof(frame); /* not 0: clang kept one byte */

  frame[at] = (char)depth;
  if (depth == 0)
    return frame[at];
  frame[at] = (char)dig(depth - 1); /* stored: so it is no loop */
  return frame[at];
}

static void dig_deep(void *arg) { dig(*(long *)arg); }

static void read_far_below(void *arg) {
  char buf[512 * 1024];
  int fd = open_file("f", O_RDONLY);

  (void)arg;
  CHECK_EQ(read(fd, buf, 2 * PAGE), 2 * PAGE);
  CHECK(memcmp(buf, "\0\0\0\0", 4) == 0 || buf[0] == 1);
  close(fd);
}

/* The stack grows as far as it may, by the program's hand and the kernel's. */
static void stack_grows(void) {
  long deep = 600, too_deep = 40 * 1024; /* kilobytes, about */

  CHECK_EQ(run_child(dig_deep, &deep), 0);
  CHECK_EQ(run_child(dig_deep, &too_deep), -1);
  close(make_file("f", 2, 1, O_RDONLY));
  CHECK_EQ(run_child(read_far_below, 0), 0);
  remove_file("f");
}

const struct test anon_tests[] = {TEST(zeros),
                                  TEST(rounding),
                                  TEST(hints),
                                  TEST(fixed),
                                  TEST(fixed_noreplace),
                                  TEST(holes),
                                  TEST(rights),
                                  TEST(all_rights),
                                  TEST(written_code),
                                  TEST(advice),
                                  TEST(split_and_merge),
                                  TEST(many_regions),
                                  TEST(populate),
                                  TEST(read_first),
                                  TEST(heap_meets_mapping),
                                  TEST(stack_grows),
                                  TESTS_END};
