/*
 * The small operations that tests share; mmaptest.h says what each does.
 */
#include "mmaptest.h"

int run_child(void (*fn)(void *), void *arg) {
  int pid = fork();

  CHECK(pid >= 0);
  if (pid == 0) {
    fn(arg);
    exit(0);
  }
  return os_wait(pid);
}

static void load(void *p) { (void)*(volatile char *)p; }

static void store(void *p) { *(volatile char *)p = 1; }

static void jump(void *p) { ((void (*)(void))p)(); }

static int kills(void (*fn)(void *), void *p) {
  int status = run_child(fn, p);

  CHECK(status == 0 || status == -1);
  return status == -1;
}

int load_kills(const void *p) { return kills(load, (void *)p); }

int store_kills(void *p) { return kills(store, p); }

int jump_kills(void *p) { return kills(jump, p); }

int kernel_reads(const void *p) {
  int fd[2], n;

  CHECK_EQ(pipe(fd), 0);
  n = write(fd[1], p, 1);
  if (n != 1)
    CHECK_FAILS(n, EFAULT);
  close(fd[0]);
  close(fd[1]);
  return n == 1;
}

int kernel_writes(void *p) {
  int fd[2], n;

  CHECK_EQ(pipe(fd), 0);
  CHECK_EQ(write(fd[1], "w", 1), 1);
  n = read(fd[0], p, 1);
  if (n != 1)
    CHECK_FAILS(n, EFAULT);
  close(fd[0]);
  close(fd[1]);
  return n == 1;
}

char *map_at(void *at, uint64 bytes, int prot, int flags, int fd, long offset) {
  char *p = mmap(at, bytes, prot, flags, fd, offset);

  if (p == MAP_FAILED)
    printf("  mmap of %lld bytes: error %d\n", (long long)bytes, lasterr());
  CHECK(p != MAP_FAILED);
  CHECK_EQ((addr)p % PAGE, 0);
  return p;
}

char *map(uint64 bytes, int prot, int flags, int fd, long offset) {
  return map_at(0, bytes, prot, flags, fd, offset);
}

void unmap(void *p, uint64 bytes) { CHECK_EQ(munmap(p, bytes), 0); }

void fill_page(char *page, unsigned tag) {
  unsigned *word = (unsigned *)page;

  for (unsigned i = 0; i < PAGE / sizeof(*word); i++)
    word[i] = tag * (i + 1);
}

int page_is(const char *page, unsigned tag) {
  const volatile unsigned *word = (const volatile unsigned *)page;

  for (unsigned i = 0; i < PAGE / sizeof(*word); i++)
    if (word[i] != tag * (i + 1))
      return 0;
  return 1;
}

int is_zero(const char *p, long n) {
  for (long i = 0; i < n; i++)
    if (((const volatile char *)p)[i] != 0)
      return 0;
  return 1;
}

int open_file(const char *path, int flags) {
  int fd = open(path, flags);

  CHECK(fd >= 0);
  return fd;
}

int make_file(const char *path, int pages, unsigned tag, int flags) {
  static char page[PAGE] __attribute__((aligned(PAGE)));
  int fd = open_file(path, O_CREATE | O_RDWR | O_TRUNC);

  for (int i = 0; i < pages; i++) {
    fill_page(page, tag + i);
    CHECK_EQ(write(fd, page, PAGE), PAGE);
  }
  close(fd);
  return open_file(path, flags);
}

int file_page_is(const char *path, int page, unsigned tag) {
  static char buf[PAGE] __attribute__((aligned(PAGE)));
  int fd = open_file(path, O_RDONLY);

  CHECK_EQ(lseek(fd, page * PAGE, SEEK_SET), page * PAGE);
  CHECK_EQ(read(fd, buf, PAGE), PAGE);
  close(fd);
  return page_is(buf, tag);
}

void remove_file(const char *path) { CHECK_EQ(unlink(path), 0); }

long size_of(int fd) { return lseek(fd, 0, SEEK_END); }
