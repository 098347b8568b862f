/*
 * Translations that other CPUs remember: when one thread takes memory away, the
 * others, which run all the time on other CPUs and never enter the kernel, must
 * not go on using it. With one CPU these tests show little.
 */
#include "abi/mman.h"
#include "user/thread.h"

#include "usertests.h"

#define WRITERS 3
#define SECOND 1000000000ULL
#define PATIENCE (20 * SECOND)
#define LOOKS 20000 /* long enough for a writer on another CPU */

static uint stop; /* [a] */

static void *map(uint pages) {
  char *p = mmap(0, pages * PGSIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  CHECK(p != (char *)-1);
  return p;
}

/* Write to one word as fast as possible. */
static int write_word(void *arg) {
  volatile uint *word = arg;

  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
    *word = *word + 1;
  return 0;
}

/* Wait until the word changes. */
static void await_change(const volatile uint *word) {
  uint64 start = clock();

  for (uint old = *word; *word == old;)
    CHECK(clock() - start < PATIENCE);
}

static int changes(const volatile uint *word) {
  uint old = *word;

  for (int i = 0; i < LOOKS; i++)
    if (*word != old)
      return 1;
  return 0;
}

static void start_writers(struct thread *t[WRITERS], volatile uint *words) {
  __atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
  for (int i = 0; i < WRITERS; i++)
    CHECK((t[i] = thread_create(write_word, (void *)&words[i])) != 0);
  for (int i = 0; i < WRITERS; i++)
    await_change(&words[i]);
}

static void end_writers(struct thread *t[WRITERS]) {
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < WRITERS; i++)
    CHECK_EQ(thread_join(t[i]), 0);
}

#define FRESH_PAGES 8

/* Pages that were just mapped are zeros, and stay so. */
static void check_fresh_pages(void) {
  volatile uint *fresh = map(FRESH_PAGES);
  const uint words = PGSIZE / sizeof(*fresh);

  for (uint i = 0; i < FRESH_PAGES; i++)
    fresh[i * words + words - 1] = 1; /* the pages are there */
  for (int n = 0; n < LOOKS / 100; n++)
    for (uint i = 0; i < FRESH_PAGES; i++)
      for (uint w = 0; w < WRITERS; w++)
        CHECK_EQ(fresh[i * words + w], 0);
  CHECK_EQ(munmap((void *)fresh, FRESH_PAGES * PGSIZE), 0);
}

/* A page is taken away from writers, who get another one as soon as they
 * notice. What becomes of the first they must not see, nor write to. */
static void tlb_unmap(void) {
  volatile uint *words = map(1);
  struct thread *t[WRITERS];

  start_writers(t, words);
  for (int n = 0; n < (quick ? 10 : 100); n++) {
    CHECK_EQ(madvise((void *)words, PGSIZE, MADV_DONTNEED), 0);
    check_fresh_pages();
    if (n % 4 == 0)
      await_change(&words[n % WRITERS]);
  }
  end_writers(t);
  CHECK_EQ(munmap((void *)words, PGSIZE), 0);
}

#define STATUS_CHANGES 90 /* what tests never exit with otherwise */

static void take_right_to_write(void *arg) {
  volatile uint *words = map(1);
  struct thread *t[WRITERS];

  (void)arg;
  start_writers(t, words);
  CHECK_EQ(mprotect((void *)words, PGSIZE, PROT_READ), 0);
  for (int i = 0; i < WRITERS; i++)
    if (changes(&words[i]))
      exit(STATUS_CHANGES);
  pause(1000); /* until the writers' fault ends us */
}

/* After mprotect() has returned nobody writes. */
static void tlb_protect(void) {
  for (int n = 0; n < (quick ? 2 : 10); n++)
    CHECK_EQ(run_child(take_right_to_write, 0), STATUS_KILLED);
}

static void look_at_copies(volatile uint *words) {
  for (int i = 0; i < WRITERS; i++)
    if (changes(&words[i]))
      exit(STATUS_CHANGES);
  exit(0);
}

/* A child's copy is as it was at the moment of fork(), though its parent's
 * other threads go on writing. */
static void tlb_fork(void) {
  volatile uint *words = map(1);
  struct thread *t[WRITERS];

  start_writers(t, words);
  for (int n = 0; n < (quick ? 4 : 40); n++) {
    int pid = fork();

    if (pid == 0)
      look_at_copies(words);
    CHECK(pid > 0);
    CHECK_EQ(join(pid), 0);
    await_change(&words[n % WRITERS]);
  }
  end_writers(t);
  CHECK_EQ(munmap((void *)words, PGSIZE), 0);
}

static uint64 shootdowns(void) {
  struct sysinfo s;

  CHECK_EQ(sysinfo(&s), 0);
  return s.shootdowns;
}

static void map_and_unmap(uint rounds) {
  for (uint i = 0; i < rounds; i++) {
    volatile char *p = map(2);

    p[0] = p[PGSIZE] = 1;
    CHECK_EQ(munmap((void *)p, 2 * PGSIZE), 0);
  }
}

/* A process that has no other threads disturbs no other CPU, after those that
 * it was on have left it. */
static void tlb_alone(void) {
  const uint rounds = 200;
  uint64 before;

  map_and_unmap(1);
  before = shootdowns();
  map_and_unmap(rounds);
  CHECK(shootdowns() - before < rounds / 4);
}

const struct test tlb_tests[] = {TEST(tlb_unmap), TEST(tlb_protect),
                                 TEST(tlb_fork), TEST(tlb_alone), TESTS_END};
