/*
 * A process's memory: sbrk in all its corners, what may be touched and what
 * may not. (Running out of memory is in full.c.)
 */
#include "usertests.h"

static const addr forbidden[] = FORBIDDEN_ADDRESSES;

static char *page_aligned_break(void) {
  sbrk((PGSIZE - (addr)sbrk(0) % PGSIZE) % PGSIZE);
  CHECK_EQ((addr)sbrk(0) % PGSIZE, 0);
  return sbrk(0);
}

/* sbrk moves the break byte by byte, and a child has its own. */
static void sbrkbasic(void) {
  char *a = sbrk(0);

  for (int i = 0; i < 5000; i++) {
    char *b = sbrk(1);
    CHECK(b == a);
    *b = 1;
    a = b + 1;
  }
  int pid = fork();
  CHECK(pid >= 0);
  char *c = sbrk(1);
  CHECK(c == a);
  CHECK(sbrk(1) == a + 1);
  if (pid == 0)
    exit(0);
  CHECK_EQ(join(pid), 0);
}

/* A big heap can be grown, used, given back and grown again, and is zero. */
static void sbrkmuch(void) {
  uint64 half = available_pages() / 2 * PGSIZE;
  int size = half < (100 << 20) ? (int)half : 100 << 20;
  char *a = sbrk(size);

  CHECK(a != (char *)-1);
  a[0] = 98;
  a[size - 1] = 99;
  CHECK(sbrk(-size) == a + size);
  CHECK(sbrk(0) == a);
  CHECK(sbrk(PGSIZE) == a);
  CHECK_EQ(a[0], 0);
  CHECK(sbrk(-PGSIZE) == a + PGSIZE);
}

/* Memory that was given back reads as zero when it comes again, and bytes
 * below the break survive a shrink within their page. */
static void sbrkzero(void) {
  char *a = page_aligned_break();

  sbrk(3 * PGSIZE);
  memset(a, 'z', 3 * PGSIZE);
  sbrk(-2 * PGSIZE - 100);
  for (int i = 0; i < PGSIZE - 100; i++)
    CHECK_EQ(a[i], 'z');
  sbrk(2 * PGSIZE + 100);
  for (int i = PGSIZE; i < 3 * PGSIZE; i++)
    CHECK_EQ(a[i], 0);
}

static void touch(void *addr) { *(volatile char *)addr = 1; }

static void load(void *addr) { (void)*(volatile char *)addr; }

/* Memory that was given back cannot be touched, by the program or for it. */
static void rwsbrk(void) {
  char *a = page_aligned_break();
  int fd;

  CHECK(sbrk(2 * PGSIZE) == a);
  CHECK(sbrk(-2 * PGSIZE) == a + 2 * PGSIZE);
  make_file("f", 1024, 1);
  fd = open("f", O_RDWR);
  CHECK_FAILS(write(fd, a + PGSIZE, 1024), EFAULT);
  CHECK_FAILS(read(fd, a + PGSIZE, 10), EFAULT);
  close(fd);
  remove("f");
  expect_killed(touch, a + PGSIZE);
}

/* Amounts that lead below 0 change nothing; as in xv6 that is no error. */
static void sbrkbad(void) {
  static const int amount[] = {-0x7fffffff - 1, -0x7fffffff, -0x40000000};
  char *a = sbrk(0);

  for (uint i = 0; i < NELEM(amount); i++) {
    if ((uint64) - (long long)amount[i] <= (addr)a)
      continue;
    CHECK(sbrk(amount[i]) == a);
    CHECK(sbrk(0) == a);
  }
}

static void give_all_back(void *arg) {
  sbrk(-(int)((addr)sbrk(0) - (addr)arg));
}

/* A program that gives back the memory it runs in harms only itself. */
static void sbrkbugs(void) {
  run_child(give_all_back, 0);
  run_child(give_all_back, (void *)3500);
  run_child(give_all_back, (void *)(10 * PGSIZE + 2048));
}

/* The break may stop anywhere in a page, and start a new page by one byte. */
static void sbrklast(void) {
  char *top = page_aligned_break();
  int fd;

  sbrk(PGSIZE);
  sbrk(10);
  sbrk(-20);
  top = sbrk(0);
  top[-64] = 'x';
  top[-63] = 0;
  fd = open(top - 64, O_RDWR | O_CREATE);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, top - 64, 1), 1);
  close(fd);
  remove(top - 64);
}

static void grow_to_the_top(void *arg) {
  const int step = 0x40000000;
  char *a;

  (void)arg;
  for (int i = 0; i < 1000; i++) {
    a = sbrk(0);
    if (sys_sbrk(step, SBRK_LAZY) == (char *)-1)
      break;
  }
  if ((USER_TOP_NOW - (addr)a) / step > 0)
    return; /* too far to go */
  CHECK(sbrk(0) == a);
  CHECK((addr)a <= USER_TOP_NOW);
  CHECK(sys_sbrk(0x7fffffff, SBRK_LAZY) == (char *)-1);
}

/* The heap ends before the kernel's pages at the top of the address space. */
static void sbrktop(void) { CHECK_EQ(run_child(grow_to_the_top, 0), 0); }

/* Lazily provided memory is zero, works as a system call's buffer before it
 * is touched, is inherited, and goes back. */
static void lazy(void) {
  const int size = 64 * PGSIZE;
  char *a = page_aligned_break();
  int fd;

  CHECK(sys_sbrk(size, SBRK_LAZY) == a);
  make_file("f", 3 * PGSIZE, 1);
  fd = open("f", O_RDWR);
  CHECK_EQ(read(fd, a + 10 * PGSIZE + 5, 3 * PGSIZE), 3 * PGSIZE);
  CHECK(filled(a + 10 * PGSIZE + 5, 3 * PGSIZE, 1, 0));
  CHECK_EQ(write(fd, a + 20 * PGSIZE, PGSIZE), PGSIZE);
  close(fd);
  int pid = fork();
  CHECK(pid >= 0);
  for (int i = 30 * PGSIZE; i < size; i += PGSIZE) {
    CHECK_EQ(a[i], 0);
    a[i] = pid ? 1 : 2;
  }
  CHECK(filled(a + 10 * PGSIZE + 5, 3 * PGSIZE, 1, 0));
  if (pid == 0)
    exit(0);
  CHECK_EQ(join(pid), 0);
  CHECK_EQ(a[40 * PGSIZE], 1);
  CHECK(sbrk(-size) == a + size);
  expect_killed(touch, a + PGSIZE);
  remove("f");
}

/* Loading from or storing to what is the kernel's ends the program. */
static void kernmem(void) {
  for (uint i = 0; i < NELEM(forbidden); i++) {
    expect_killed(load, (void *)forbidden[i]);
    if (i % 4 == 0)
      expect_killed(touch, (void *)forbidden[i]);
  }
}

static void jump(void *addr) { ((void (*)(void))addr)(); }

/* So does executing there, or in memory that is not code. */
static void badjump(void) {
  expect_killed(jump, (void *)KERNBASE);
  expect_killed(jump, (void *)TRAMPOLINE);
  expect_killed(jump, (void *)TRAPFRAME);
  expect_killed(jump, (void *)MAXVA);
  expect_killed(jump, (void *)(~0UL << PGSHIFT));
  if (machine_denies(VM_EXEC)) {
    expect_killed(jump, scratch);
    expect_killed(jump, (void *)stack_pointer());
    expect_killed(jump, sbrk(PGSIZE));
  }
}

/* The program's text cannot be written, its constants included. */
static void textwrite(void) {
  expect_killed(touch, (void *)textwrite);
  expect_killed(touch, (void *)0);
  expect_killed(touch, (void *)"a constant");
}

static void illegal(void *arg) {
  (void)arg;
  illegal_instruction();
}

static void privileged(void *arg) {
  (void)arg;
  privileged_instruction();
}

static void breakpoint(void *arg) {
  (void)arg;
  breakpoint_instruction();
}

/* Instructions that are not the program's to execute. */
static void badinstruction(void) {
  expect_killed(illegal, 0);
  expect_killed(privileged, 0);
  expect_killed(breakpoint, 0);
}

static volatile addr bottom = ~0UL; /* never reached */

static addr dig(addr depth) {
  volatile char frame[512];

  if (depth == bottom)
    return 0;
  frame[0] = (char)depth;
  return dig(depth + 1) + (addr)frame[0];
}

static void overflow(void *arg) { dig((addr)arg); }

/* Below the stack is a page that stops it. */
static void stackguard(void) {
  struct vmregion stack = region_named("stack");
  struct vmregion guard = region_named("guard");

  CHECK(stack_pointer() >= stack.start && stack_pointer() < stack.end);
  CHECK_EQ(guard.end, stack.start);
  expect_killed(load, (void *)(addr)(stack.start - 1));
  expect_killed(touch, (void *)(addr)(stack.start - PGSIZE));
  expect_killed(overflow, 0);
}

static char uninitialized[10000];

/* bss is zero. */
static void bsstest(void) {
  for (uint i = 0; i < sizeof(uninitialized); i++)
    CHECK_EQ(uninitialized[i], 0);
}

/* A child's memory is its own, and the parent's is unchanged. */
static void forkmemory(void) {
  char *a = sbrk(40 * PGSIZE);

  fill(a, 40 * PGSIZE, 1, 0);
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK(filled(a, 40 * PGSIZE, 1, 0));
    fill(a, 40 * PGSIZE, 2, 0);
    CHECK(filled(a, 40 * PGSIZE, 2, 0));
    exit(0);
  }
  CHECK_EQ(join(pid), 0);
  CHECK(filled(a, 40 * PGSIZE, 1, 0));
}

/* A load across a page boundary at an odd address gives the right bytes. */
static void oddload(void) {
  char *a = page_aligned_break();
  uint64 value;

  sbrk(2 * PGSIZE);
  fill(a, 2 * PGSIZE, 3, 0);
  value = *(volatile uint64 *)(a + PGSIZE - 3);
  CHECK_EQ(memcmp(&value, a + PGSIZE - 3, sizeof(value)), 0);
}

/* malloc gives aligned, separate memory, and reuses what free() returns. */
static void mallocs(void) {
  static char *block[200];
  uint64 seed = 1;

  for (int i = 0; i < 3000; i++) {
    uint k = random_next(&seed) % NELEM(block);
    if (block[k]) {
      CHECK(filled(block[k] + 4, *(uint *)block[k], k, 0));
      free(block[k]);
      block[k] = 0;
      continue;
    }
    uint n = random_next(&seed) % 2000;
    block[k] = malloc(n + 4);
    CHECK(block[k] != 0);
    CHECK_EQ((addr)block[k] % 16, 0);
    *(uint *)block[k] = n;
    fill(block[k] + 4, n, k, 0);
  }
  for (uint k = 0; k < NELEM(block); k++)
    free(block[k]);
  CHECK((addr)sbrk(0) - (addr)region_named("heap").start < 2 << 20);
}

const struct test mem_tests[] = {
    TEST(sbrkbasic),      TEST(sbrkmuch),   TEST(sbrkzero), TEST(rwsbrk),
    TEST(sbrkbad),        TEST(sbrkbugs),   TEST(sbrklast), TEST(sbrktop),
    TEST(lazy),           TEST(kernmem),    TEST(badjump),  TEST(textwrite),
    TEST(badinstruction), TEST(stackguard), TEST(bsstest),  TEST(forkmemory),
    TEST(oddload),        TEST(mallocs),    TESTS_END};
