/*
 * Memory and fork: what is private is copied, when it is written; what is
 * shared is one.
 */
#include "mmaptest.h"

/* Start a child that waits for a byte on a pipe before it runs on. */
struct turn {
  int fd[2];
};

static void turn_init(struct turn *t) { CHECK_EQ(pipe(t->fd), 0); }

static void turn_give(struct turn *t) { CHECK_EQ(write(t->fd[1], "t", 1), 1); }

static void turn_take(struct turn *t) {
  char c;

  CHECK_EQ(read(t->fd[0], &c, 1), 1);
}

static void turn_end(struct turn *t) {
  close(t->fd[0]);
  close(t->fd[1]);
}

/* Parent and child each change their copy; neither sees the other's. */
static void private_copies(void) {
  const int pages = 32;
  char *p = map(pages * PAGE, RW, PRIVATE_ANON, -1, 0);
  struct turn child, parent;
  int pid;

  turn_init(&child);
  turn_init(&parent);
  for (int i = 0; i < pages; i += 2) /* the others stay untouched */
    fill_page(p + i * PAGE, i + 1);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    for (int i = 0; i < pages; i += 4)
      fill_page(p + i * PAGE, 100 + i);
    fill_page(p + PAGE, 7);
    turn_give(&parent);
    turn_take(&child);
    for (int i = 0; i < pages; i++)
      CHECK(page_is(p + i * PAGE, i % 4 == 0   ? 100 + i
                                  : i == 1     ? 7
                                  : i % 2 == 0 ? i + 1
                                               : 0));
    exit(0);
  }
  turn_take(&parent);
  for (int i = 0; i < pages; i++)
    CHECK(page_is(p + i * PAGE, i % 2 == 0 ? i + 1 : 0));
  for (int i = 0; i < pages; i += 3)
    fill_page(p + i * PAGE, 200 + i);
  turn_give(&child);
  CHECK_EQ(os_wait(pid), 0);
  for (int i = 0; i < pages; i++)
    CHECK(page_is(p + i * PAGE, i % 3 == 0 ? 200 + i : i % 2 == 0 ? i + 1 : 0));
  turn_end(&child);
  turn_end(&parent);
  unmap(p, pages * PAGE);
}

/* The kernel writes into a copy, too, not into what parent and child share. */
static void kernel_writes_copies(void) {
  char *p = map(2 * PAGE, RW, PRIVATE_ANON, -1, 0);
  int fd = make_file("f", 1, 50, O_RDONLY);
  int pid;

  fill_page(p, 1);
  fill_page(p + PAGE, 2);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK_EQ(read(fd, p + 100, PAGE), PAGE); /* over the edge of both */
    CHECK(!page_is(p, 1) && !page_is(p + PAGE, 2));
    exit(0);
  }
  CHECK_EQ(os_wait(pid), 0);
  CHECK(page_is(p, 1) && page_is(p + PAGE, 2));
  CHECK_EQ(read(fd, p, 10), 0); /* the child read it to its end */
  close(fd);
  remove_file("f");
  unmap(p, 2 * PAGE);
}

/* Many generations, each with a page of its own and those of its ancestors. */
static void generation(char *p, int depth) {
  for (int i = 0; i < 16; i++)
    CHECK(page_is(p + i * PAGE, i < depth ? i + 1 : 1000));
  if (depth == 16)
    return;
  fill_page(p + depth * PAGE, depth + 1);
  for (int i = 0; i < 2; i++) {
    int pid = depth % 5 < 2 || i == 0 ? fork() : -1;

    if (pid == 0) {
      generation(p, depth + 1);
      exit(0);
    }
    if (pid > 0)
      CHECK_EQ(os_wait(pid), 0);
  }
  for (int i = depth + 1; i < 16; i++)
    CHECK(page_is(p + i * PAGE, 1000));
}

static void generations(void) {
  char *p = map(16 * PAGE, RW, PRIVATE_ANON, -1, 0);

  for (int i = 0; i < 16; i++)
    fill_page(p + i * PAGE, 1000);
  generation(p, 0);
  unmap(p, 16 * PAGE);
}

/* Processes that write all at once to what they inherited. */
static void write_everything(char *p, int pages, unsigned seed) {
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < pages; i++)
      fill_page(p + i * PAGE, seed * 1000 + round * 100 + i);
  for (int i = 0; i < pages; i++)
    CHECK(page_is(p + i * PAGE, seed * 1000 + 200 + i));
  exit(0);
}

static void writers_at_once(void) {
  enum { PAGES = 64, WRITERS = 6 };
  char *p = map(PAGES * PAGE, RW, PRIVATE_ANON, -1, 0);
  int pid[WRITERS];

  for (int i = 0; i < PAGES; i++)
    fill_page(p + i * PAGE, i + 1);
  for (int w = 0; w < WRITERS; w++) {
    pid[w] = fork();
    CHECK(pid[w] >= 0);
    if (pid[w] == 0)
      write_everything(p, PAGES, w + 1);
  }
  for (int i = 0; i < PAGES; i++) {
    CHECK(page_is(p + i * PAGE, i + 1));
    p[i * PAGE] = p[i * PAGE];
  }
  for (int w = 0; w < WRITERS; w++)
    CHECK_EQ(os_wait(pid[w]), 0);
  for (int i = 0; i < PAGES; i++)
    CHECK(page_is(p + i * PAGE, i + 1));
  unmap(p, PAGES * PAGE);
}

/* Shared anonymous memory is one for parent, child and grandchild. */
static void shared_anonymous(void) {
  char *p = map(8 * PAGE, RW, SHARED_ANON, -1, 0);
  int pid;

  CHECK(is_zero(p, 8 * PAGE));
  fill_page(p, 1);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK(page_is(p, 1));
    fill_page(p + PAGE, 2);
    fill_page(p + 2 * PAGE, 3); /* touched by nobody before */
    pid = fork();
    if (pid == 0) {
      fill_page(p + 3 * PAGE, 4);
      unmap(p, 8 * PAGE); /* its own only */
      exit(0);
    }
    CHECK_EQ(os_wait(pid), 0);
    CHECK(page_is(p + 3 * PAGE, 4));
    CHECK_EQ(mprotect(p, 8 * PAGE, PROT_NONE), 0); /* its own, too */
    exit(0);
  }
  CHECK_EQ(os_wait(pid), 0);
  for (int i = 0; i < 4; i++)
    CHECK(page_is(p + i * PAGE, i + 1));
  CHECK_EQ(madvise(p, 8 * PAGE, MADV_DONTNEED), 0); /* it is not lost */
  CHECK(page_is(p + 3 * PAGE, 4));
  unmap(p, 4 * PAGE);
  CHECK(is_zero(p + 4 * PAGE, 4 * PAGE));
  unmap(p, 8 * PAGE);
}

/* Two processes count in one place, over anonymous memory and over a file that
 * each mapped for itself. */
static void count(unsigned *n, int times) {
  for (int i = 0; i < times; i++)
    __atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static void count_in_file(void *arg) {
  int fd = open_file("f", O_RDWR);
  char *p = map(PAGE, RW, MAP_SHARED, fd, PAGE);

  (void)arg;
  count((unsigned *)p, 20000);
  close(fd);
}

static void counting(void) {
  const int times = 20000;
  char *p = map(PAGE, RW, SHARED_ANON, -1, 0);
  int fd = make_file("f", 2, 1, O_RDWR), pid;
  char *q = map(2 * PAGE, RW, MAP_SHARED, fd, 0);

  *(unsigned *)(q + PAGE) = 0;
  pid = fork();

  CHECK(pid >= 0);
  count((unsigned *)p, times);
  if (pid == 0) {
    count_in_file(0);
    exit(0);
  }
  count((unsigned *)(q + PAGE), times);
  CHECK_EQ(os_wait(pid), 0);
  CHECK_EQ(*(unsigned *)p, 2 * times);
  CHECK_EQ(*(unsigned *)(q + PAGE), 2 * times);
  unmap(p, PAGE);
  unmap(q, 2 * PAGE);
  close(fd);
  remove_file("f");
}

/* Holes, rights and kinds are inherited as they are. */
static void inherited(void) {
  int fd = make_file("f", 2, 10, O_RDWR), pid;
  char *p = map(8 * PAGE, RW, PRIVATE_ANON, -1, 0);

  fill_page(p, 1);
  unmap(p + PAGE, PAGE);
  CHECK_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_READ), 0);
  map_at(p + 4 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  map_at(p + 5 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, PAGE);
  fill_page(p + 5 * PAGE, 2);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK(page_is(p, 1) && page_is(p + 5 * PAGE, 2));
    CHECK(load_kills(p + PAGE) && store_kills(p + 2 * PAGE));
    fill_page(p + 4 * PAGE, 3);
    fill_page(p + 5 * PAGE, 4);
    exit(0);
  }
  CHECK_EQ(os_wait(pid), 0);
  CHECK(page_is(p + 4 * PAGE, 3) && page_is(p + 5 * PAGE, 2));
  CHECK(file_page_is("f", 0, 3) && file_page_is("f", 1, 11));
  unmap(p, 8 * PAGE);
  close(fd);
  remove_file("f");
}

/* A page whose rights were taken and given back between forks is still not
 * shared for writing. */
static void rights_and_copies(void) {
  char *p = map(2 * PAGE, RW, PRIVATE_ANON, -1, 0);
  int pid;

  fill_page(p, 1);
  fill_page(p + PAGE, 2);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK_EQ(mprotect(p, 2 * PAGE, PROT_READ), 0);
    CHECK_EQ(mprotect(p, 2 * PAGE, RW), 0);
    fill_page(p, 3);
    CHECK(page_is(p + PAGE, 2));
    exit(0);
  }
  CHECK_EQ(mprotect(p, 2 * PAGE, PROT_NONE), 0);
  CHECK_EQ(mprotect(p, 2 * PAGE, RW), 0);
  CHECK_EQ(os_wait(pid), 0);
  CHECK(page_is(p, 1) && page_is(p + PAGE, 2));
  unmap(p, 2 * PAGE);
}

/* exec leaves all of it behind; what was shared goes on. */
static void exec_drops(void) {
  char *p = map(PAGE, RW, SHARED_ANON, -1, 0);
  char *argv[] = {(char *)self, "--exit-7", 0};
  int pid;

  map(64 * PAGE, RW, PRIVATE_ANON | MAP_POPULATE, -1, 0);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    fill_page(p, 1);
    exec(self, argv);
    exit(1);
  }
  CHECK_EQ(os_wait(pid), 7);
  CHECK(page_is(p, 1));
  unmap(p, PAGE);
}

const struct test fork_tests[] = {
    TEST(private_copies),   TEST(kernel_writes_copies),
    TEST(generations),      TEST(writers_at_once),
    TEST(shared_anonymous), TEST(counting),
    TEST(inherited),        TEST(rights_and_copies),
    TEST(exec_drops),       TESTS_END};
