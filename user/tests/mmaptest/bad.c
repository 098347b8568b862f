/*
 * Bad input: each call returns the error that POSIX gives it, or ends the one
 * process that asked for its own end.
 */
#include "mmaptest.h"

#define TOP_PAGE ((void *)(~0UL & ~(PAGE - 1)))

/* One that maps nothing: a valid address to use with wrong lengths. */
static char *room(uint64 bytes) {
  char *p = map(bytes, RW, PRIVATE_ANON, -1, 0);

  unmap(p, bytes);
  return p;
}

static void bad_mmap(void) {
  const addr huge = ~0UL & ~(PAGE - 1);
  const int fixed = PRIVATE_ANON | MAP_FIXED;
  char *p = room(PAGE);

  CHECK_FAILS(mmap(0, 0, RW, PRIVATE_ANON, -1, 0), EINVAL);
  CHECK_FAILS(mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
  CHECK_FAILS(mmap(0, huge, RW, PRIVATE_ANON, -1, 0), ENOMEM);
  CHECK_FAILS(mmap(0, ~0UL, RW, PRIVATE_ANON, -1, 0), ENOMEM);
  CHECK_FAILS(mmap(0, huge, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0),
              ENOMEM);
  CHECK_FAILS(mmap(p + 1, PAGE, RW, fixed, -1, 0), EINVAL);
  CHECK_FAILS(mmap(p, 0, RW, fixed, -1, 0), EINVAL);
  CHECK_FAILS(mmap(p, huge, RW, fixed, -1, 0), ENOMEM);
  CHECK_FAILS(mmap(TOP_PAGE, PAGE, RW, fixed, -1, 0), ENOMEM);
  CHECK_FAILS(mmap(TOP_PAGE, 2 * PAGE, RW, fixed, -1, 0), ENOMEM);
  CHECK(load_kills(p)); /* none of these mapped anything */
  p = map_at(TOP_PAGE, PAGE, RW, PRIVATE_ANON, -1, 0); /* just a wish */
  unmap(p, PAGE);
  p = map_at((void *)1, PAGE, RW, PRIVATE_ANON, -1, 0);
  unmap(p, PAGE);
}

static void bad_file_mmap(void) {
  int fd = make_file("f", 1, 10, O_RDWR), ends[2];
  char *p;

  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1), EINVAL);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE - 1), EINVAL);
  CHECK_FAILS(mmap(0, 0, PROT_READ, MAP_SHARED, fd, 0), EINVAL);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, 0, fd, 0), EINVAL);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_SHARED, 9999, 0), EBADF);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, -(long)PAGE),
              EOVERFLOW);
  /* Far beyond the end is no error; using it is. */
  p = map(2 * PAGE, PROT_READ, MAP_SHARED, fd, 0x40000000);
  CHECK(load_kills(p) && !kernel_reads(p));
  unmap(p, 2 * PAGE);
  close(fd);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
  fd = open_file("f", O_RDWR | O_TRUNC); /* a file without a byte */
  p = map(PAGE, RW, MAP_SHARED, fd, 0);
  CHECK(load_kills(p) && store_kills(p));
  unmap(p, PAGE);
  close(fd);
  remove_file("f");

  fd = open_file(".", O_RDONLY);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0), ENODEV);
  close(fd);
  fd = open(DEVICE, O_RDWR);
  if (fd >= 0) {
    CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0), ENODEV);
    close(fd);
  }
  CHECK_EQ(pipe(ends), 0);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0), ENODEV);
  close(ends[0]);
  close(ends[1]);
}

/* A failed MAP_FIXED leaves alone what it would have replaced. */
static void failed_fixed(void) {
  char *p = map(PAGE, RW, PRIVATE_ANON, -1, 0);
  int fd = make_file("f", 1, 10, O_RDONLY);

  fill_page(p, 1);
  CHECK_FAILS(mmap(p, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0), EACCES);
  CHECK_FAILS(mmap(p, PAGE, RW, MAP_SHARED | MAP_FIXED, -1, 0), EBADF);
  CHECK_FAILS(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 7), EINVAL);
  CHECK(page_is(p, 1));
  fill_page(p, 2);
  unmap(p, PAGE);
  close(fd);
  remove_file("f");
}

static void bad_munmap(void) {
  char *p = map(2 * PAGE, RW, PRIVATE_ANON, -1, 0);
  const addr huge = ~0UL & ~(PAGE - 1);

  fill_page(p, 1);
  CHECK_FAILS(munmap(p + 1, PAGE), EINVAL);
  CHECK_FAILS(munmap(p, 0), EINVAL);
  CHECK_FAILS(munmap(p, huge), EINVAL);
  CHECK_FAILS(munmap(p, ~0UL), EINVAL);
  CHECK_FAILS(munmap(TOP_PAGE, PAGE), EINVAL);
  CHECK_FAILS(munmap(TOP_PAGE, 2 * PAGE), EINVAL);
  CHECK(page_is(p, 1));
  unmap(p, 2 * PAGE);
}

static void bad_mprotect(void) {
  char *p = map(3 * PAGE, RW, PRIVATE_ANON, -1, 0);
  const addr huge = ~0UL & ~(PAGE - 1);

  fill_page(p, 1);
  CHECK_FAILS(mprotect(p + 1, PAGE, RW), EINVAL);
  CHECK_FAILS(mprotect(p, PAGE, 0x100), EINVAL);
  CHECK_FAILS(mprotect(p, huge, RW), ENOMEM);
  CHECK_FAILS(mprotect(TOP_PAGE, PAGE, RW), ENOMEM);
  unmap(p + PAGE, PAGE);
  CHECK_FAILS(mprotect(p, 3 * PAGE, RW), ENOMEM);
  CHECK_FAILS(mprotect(p + PAGE, PAGE, PROT_READ), ENOMEM);
  CHECK_EQ(mprotect(p, PAGE, RW), 0);
  CHECK(page_is(p, 1));
  unmap(p, 3 * PAGE);
}

static void bad_msync(void) {
  char *p = map(3 * PAGE, RW, SHARED_ANON, -1, 0);

  CHECK_EQ(msync(p, 3 * PAGE, MS_SYNC), 0);
  CHECK_EQ(msync(p, 0, MS_SYNC), 0);
  CHECK_FAILS(msync(p + 1, PAGE, MS_SYNC), EINVAL);
  CHECK_FAILS(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
  CHECK_FAILS(msync(p, PAGE, 0x100), EINVAL);
  unmap(p + PAGE, PAGE);
  CHECK_FAILS(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
  CHECK_FAILS(msync(p + PAGE, PAGE, MS_ASYNC), ENOMEM);
  CHECK_FAILS(msync(TOP_PAGE, PAGE, MS_SYNC), ENOMEM);
  unmap(p, 3 * PAGE);
}

static void bad_madvise(void) {
  char *p = map(3 * PAGE, RW, PRIVATE_ANON, -1, 0);

  fill_page(p, 1);
  CHECK_FAILS(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
  CHECK_FAILS(madvise(p, PAGE, 9999), EINVAL);
  CHECK_FAILS(madvise(p, PAGE, -1), EINVAL);
  CHECK_EQ(madvise(p, ~0UL, MADV_DONTNEED), -1);
  CHECK(lasterr() == EINVAL || lasterr() == ENOMEM); /* Linux, POSIX */
  CHECK(page_is(p, 1));
  unmap(p + PAGE, PAGE);
  CHECK_FAILS(madvise(p + PAGE, PAGE, MADV_WILLNEED), ENOMEM);
  unmap(p, 3 * PAGE);
}

/* Each of these ends the process that does it, and harms no other. */
static void unmap_stack(void *arg) {
  volatile char here = 0;

  (void)arg;
  munmap((void *)((addr)&here & ~(PAGE - 1)), PAGE);
  here = 1;
}

static void unmap_stack_all(void *arg) {
  volatile char here = 0;

  (void)arg;
  munmap((void *)(((addr)&here & ~(PAGE - 1)) - 8 * PAGE), 64 * PAGE);
  here = 1;
}

static void unmap_text(void *arg) {
  (void)arg;
  munmap((void *)((addr)unmap_text & ~(PAGE - 1)), 2 * PAGE);
  exit(0);
}

static void hide_text(void *arg) {
  (void)arg;
  mprotect((void *)((addr)hide_text & ~(PAGE - 1)), 2 * PAGE, PROT_NONE);
  exit(0);
}

static void replace_text(void *arg) {
  (void)arg;
  mmap((void *)((addr)replace_text & ~(PAGE - 1)), 2 * PAGE, PROT_NONE,
       PRIVATE_ANON | MAP_FIXED, -1, 0);
  exit(0);
}

static void unmap_everything(void *arg) {
  (void)arg;
  for (int bit = 8 * sizeof(addr) - 1; bit > 12; bit--)
    munmap(0, (1UL << bit) - PAGE);
  exit(0);
}

static void own_end(void) {
  CHECK_EQ(run_child(unmap_stack, 0), -1);
  CHECK_EQ(run_child(unmap_stack_all, 0), -1);
  CHECK_EQ(run_child(unmap_text, 0), -1);
  CHECK_EQ(run_child(hide_text, 0), -1);
  CHECK_EQ(run_child(replace_text, 0), -1);
  CHECK_EQ(run_child(unmap_everything, 0), -1);
}

/* The program's own text can be made writable: the change is its own. */
static int seven(void) { return 7; }

static void change_text(void *arg) {
  char *page = (char *)((addr)seven & ~(PAGE - 1));
  volatile char *p = (volatile char *)seven;

  (void)arg;
  CHECK_EQ(mprotect(page, 2 * PAGE, RW | PROT_EXEC), 0);
  for (int i = 0; i < 2; i++)
    p[i] = (char)~p[i];
}

static void text_is_private(void) {
  char before = *(volatile char *)seven;
  int fd = open_file(self, O_RDONLY), pid;
  char *argv[] = {(char *)self, "--exit-7", 0};

  CHECK_EQ(run_child(change_text, 0), 0);
  CHECK_EQ(*(volatile char *)seven, before);
  pid = fork();
  if (pid == 0)
    exec(self, argv);
  CHECK_EQ(os_wait(pid), 7);
  CHECK_EQ(seven(), 7);
  close(fd);
}

/* Nothing is mapped near the top, where the machine keeps its own. */
static void machine_pages(void) {
  for (int bit = 30; bit < (int)(8 * sizeof(addr)); bit++)
    for (int i = -2; i < 2; i++) {
      addr at = (1UL << bit) + i * PAGE;
      char *p =
          mmap((void *)at, PAGE, RW, PRIVATE_ANON | MAP_FIXED_NOREPLACE, -1, 0);

      if (p != MAP_FAILED) { /* free for all: then it works as such */
        CHECK(is_zero(p, 64));
        fill_page(p, bit);
        CHECK(page_is(p, bit));
        unmap(p, PAGE);
      } else {
        CHECK(lasterr() == ENOMEM || lasterr() == EEXIST);
        munmap((void *)at, ON_LINUX ? 0 : PAGE);
        mprotect((void *)at, ON_LINUX ? 0 : PAGE, RW);
      }
    }
}

/* More than there is: at once an error, and nothing is lost by it. */
static void absurd(void) {
  const addr bytes = os_absurd();
  char *p;

  if (bytes / 2 + bytes / 2 > ~0UL / 4 && !ON_LINUX)
    return; /* this machine has more memory than addresses */
  CHECK_FAILS(mmap(0, bytes, RW, PRIVATE_ANON, -1, 0), ENOMEM);
  for (int i = 0; i < 20; i++)
    CHECK(sbrk(0x7ffff000) == (char *)-1 || ON_LINUX);
  p = map(MB, RW, PRIVATE_ANON, -1, 0);
  memset(p, 1, MB);
  unmap(p, MB);
  /* Without the right to write, or with leave, it is only addresses. */
  p = map(bytes, PROT_READ, PRIVATE_ANON, -1, 0);
  CHECK(is_zero(p + bytes / 2, 64));
  unmap(p, bytes);
  p = map(bytes, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
  fill_page(p + bytes - PAGE, 1);
  CHECK(page_is(p + bytes - PAGE, 1));
  unmap(p, bytes);
}

const struct test bad_tests[] = {
    TEST(bad_mmap),      TEST(bad_file_mmap), TEST(failed_fixed),
    TEST(bad_munmap),    TEST(bad_mprotect),  TEST(bad_msync),
    TEST(bad_madvise),   TEST(own_end),       TEST(text_is_private),
    TEST(machine_pages), TEST(absurd),        TESTS_END};
