/*
 * Large regions: superpages, where the machine has them, must be invisible
 * to the program, and a sparse region costs what is touched.
 */
#include "mmaptest.h"

#define BIG (16 * MB)

static unsigned tag_of(addr offset) { return (unsigned)(offset / PAGE) + 1; }

/* One word in every page tells which page it is. */
static void mark(char *p, addr bytes) {
  for (addr at = 0; at < bytes; at += PAGE)
    *(unsigned *)(p + at) = tag_of(at);
}

static int marked(char *p, addr bytes) {
  for (addr at = 0; at < bytes; at += PAGE)
    if (*(volatile unsigned *)(p + at) != tag_of(at))
      return 0;
  return 1;
}

/* Parts are unmapped, protected, replaced: the rest stays what it was. */
static void cut(void) {
  char *p = map(BIG, RW, PRIVATE_ANON, -1, 0);

  mark(p, BIG);
  unmap(p + 5 * MB + PAGE, PAGE);
  CHECK_EQ(mprotect(p + 9 * MB, PAGE, PROT_READ), 0);
  map_at(p + 13 * MB, PAGE, PROT_READ, PRIVATE_ANON | MAP_FIXED, -1, 0);
  CHECK(load_kills(p + 5 * MB + PAGE));
  CHECK(store_kills(p + 9 * MB) && !store_kills(p + 9 * MB + PAGE));
  CHECK(is_zero(p + 13 * MB, PAGE));
  for (addr at = 0; at < BIG; at += PAGE)
    CHECK(at == 5 * MB + PAGE || at == 13 * MB ||
          *(unsigned *)(p + at) == tag_of(at));
  CHECK_EQ(madvise(p + 2 * MB, 3 * PAGE, MADV_DONTNEED), 0);
  CHECK(is_zero(p + 2 * MB, 3 * PAGE));
  CHECK(marked(p, 2 * MB));
  CHECK_EQ(*(unsigned *)(p + 2 * MB + 3 * PAGE), tag_of(2 * MB + 3 * PAGE));
  unmap(p, BIG);
}

/* Copied by fork, changed on both sides, page by page and by the kernel. */
static void copied(void) {
  char *p = map(BIG, RW, PRIVATE_ANON, -1, 0);
  int pid;

  mark(p, BIG);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK(marked(p, BIG));
    for (addr at = 0; at < BIG; at += 3 * MB)
      *(unsigned *)(p + at) = 0;
    CHECK(kernel_writes(p + 5 * MB));
    CHECK(marked(p + PAGE, 0) && *(unsigned *)(p + PAGE) == tag_of(PAGE));
    unmap(p + MB, 2 * MB);
    CHECK_EQ(*(unsigned *)(p + 4 * MB), tag_of(4 * MB));
    exit(0);
  }
  CHECK_EQ(os_wait(pid), 0);
  CHECK(marked(p, BIG));
  for (addr at = 0; at < BIG; at += PAGE)
    *(unsigned *)(p + at) = tag_of(at); /* the last owner writes */
  CHECK(marked(p, BIG));
  unmap(p, BIG);
}

/* Several children at once, of which each changes a page in each megabyte. */
static void copied_at_once(void) {
  char *p = map(BIG, RW, PRIVATE_ANON, -1, 0);
  int pid[4];

  mark(p, BIG);
  for (int c = 0; c < 4; c++) {
    pid[c] = fork();
    CHECK(pid[c] >= 0);
    if (pid[c] != 0)
      continue;
    for (addr at = c * PAGE; at < BIG; at += MB)
      *(unsigned *)(p + at) = 1000000 + c;
    for (addr at = 0; at < BIG; at += PAGE)
      CHECK_EQ(*(unsigned *)(p + at),
               at % MB == c * PAGE ? 1000000U + c : tag_of(at));
    exit(0);
  }
  for (addr at = 8 * PAGE; at < BIG; at += MB)
    *(unsigned *)(p + at) = 5;
  for (int c = 0; c < 4; c++)
    CHECK_EQ(os_wait(pid[c]), 0);
  for (addr at = 0; at < BIG; at += PAGE)
    CHECK_EQ(*(unsigned *)(p + at), at % MB == 8 * PAGE ? 5 : tag_of(at));
  unmap(p, BIG);
}

/* The heap, grown at once and in steps, and given back in steps that are no
 * multiples of anything. */
static void heap(void) {
  char *p = sbrk(0);
  const int step = 3 * MB + 5000;

  for (int round = 0; round < 2; round++) {
    CHECK(sbrk(BIG) == p);
    CHECK(is_zero(p + 7 * MB, 3 * PAGE));
    memset(p, 0x5a, BIG);
    for (addr left = BIG; left > (addr)step; left -= step) {
      CHECK(sbrk(-step) == p + left);
      CHECK_EQ(p[left - step - 1], 0x5a);
      CHECK(!kernel_reads(p + left - step + PAGE));
    }
    CHECK(sbrk(-(int)((addr)sbrk(0) - (addr)p)) != (char *)-1);
  }
  CHECK(sbrk(0) == p);
}

/* A gigabyte costs nothing until touched, and then what is touched. */
static void sparse(void) {
  const addr bytes = 1024 * MB;
  char *p = map(bytes, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

  for (addr at = 0; at < bytes; at += 200 * MB)
    CHECK(is_zero(p + at, 8));
  for (addr at = MB; at < bytes; at += 300 * MB)
    fill_page(p + at, at / MB);
  for (addr at = MB; at < bytes; at += 300 * MB)
    CHECK(page_is(p + at, at / MB));
  CHECK_EQ(madvise(p, bytes, MADV_DONTNEED), 0);
  CHECK(is_zero(p + MB, PAGE));
  unmap(p, bytes);
}

/* Map, touch and unmap again and again: nothing stays behind. */
static void again(void) {
  for (int i = 0; i < 30; i++) {
    char *p = map(4 * MB + i * PAGE, RW, PRIVATE_ANON, -1, 0);

    for (addr at = 0; at < 4 * MB; at += 64 * PAGE)
      p[at + i] = 1;
    unmap(p, 4 * MB + i * PAGE);
  }
}

const struct test large_tests[] = {
    TEST(cut),   TEST(copied), TEST(copied_at_once), TEST(heap), TEST(sparse),
    TEST(again), TESTS_END};
