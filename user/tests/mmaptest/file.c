/*
 * Files in memory: read, write and mappings see one content.
 */
#include "mmaptest.h"

/* A mapping shows the file, outlives the descriptor and the name. */
static void content(void) {
  int fd = make_file("f", 4, 10, O_RDONLY);
  char *p = map(4 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  char *q = map(2 * PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);

  close(fd);
  remove_file("f");
  for (int i = 0; i < 4; i++)
    CHECK(page_is(p + i * PAGE, 10 + i));
  CHECK(page_is(q, 12) && page_is(q + PAGE, 13));
  CHECK(store_kills(p) && store_kills(q));
  unmap(p + PAGE, PAGE);
  CHECK(page_is(p, 10) && page_is(p + 2 * PAGE, 12));
  unmap(p, 4 * PAGE);
  CHECK(page_is(q, 12));
  unmap(q, 2 * PAGE);
}

/* What is written to a private mapping stays there. */
static void private_writes(void) {
  int fd = make_file("f", 3, 10, O_RDONLY);
  char *p = map(3 * PAGE, RW, MAP_PRIVATE, fd, 0);

  fill_page(p, 1); /* without a read before */
  CHECK(page_is(p + PAGE, 11));
  fill_page(p + PAGE, 2); /* with one */
  CHECK(kernel_writes(p + 2 * PAGE));
  CHECK(page_is(p, 1) && page_is(p + PAGE, 2));
  CHECK_EQ(p[2 * PAGE], 'w');
  for (int i = 0; i < 3; i++)
    CHECK(file_page_is("f", i, 10 + i));
  CHECK_EQ(msync(p, 3 * PAGE, MS_SYNC), 0);
  CHECK(file_page_is("f", 0, 10));
  CHECK_EQ(madvise(p, 3 * PAGE, MADV_DONTNEED), 0);
  for (int i = 0; i < 3; i++)
    CHECK(page_is(p + i * PAGE, 10 + i));
  unmap(p, 3 * PAGE);
  close(fd);
  remove_file("f");
}

/* Shared: a store is what read() sees, a write() is what a load sees, and
 * other mappings of the file too. */
static void shared_writes(void) {
  int fd = make_file("f", 3, 10, O_RDWR);
  char *p = map(3 * PAGE, RW, MAP_SHARED, fd, 0);
  char *q = map(PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
  char *r = map(PAGE, RW, MAP_PRIVATE, fd, PAGE);

  fill_page(p + PAGE, 1);
  CHECK(page_is(q, 1) && page_is(r, 1));
  CHECK(file_page_is("f", 1, 1));
  CHECK_EQ(lseek(fd, PAGE + 4, SEEK_SET), PAGE + 4);
  CHECK_EQ(write(fd, "abcd", 4), 4);
  CHECK(memcmp(p + PAGE + 4, "abcd", 4) == 0);
  CHECK(memcmp(q + 4, "abcd", 4) == 0);
  fill_page(p + PAGE, 2);
  CHECK_EQ(msync(p, 3 * PAGE, MS_SYNC), 0);
  CHECK_EQ(msync(p, 3 * PAGE, MS_ASYNC), 0);
  CHECK_EQ(msync(p, 3 * PAGE, MS_SYNC | MS_INVALIDATE), 0);
  fill_page(p + PAGE, 3); /* after write-back, it is noticed again */
  unmap(p, 3 * PAGE);
  unmap(r, PAGE);
  CHECK(page_is(q, 3));
  CHECK(file_page_is("f", 0, 10) && file_page_is("f", 1, 3));
  unmap(q, PAGE);
  close(fd);
  sync();
  CHECK(file_page_is("f", 1, 3) && file_page_is("f", 2, 12));
  remove_file("f");
}

/* A mapping of a file opened for reading and writing outlives its close, and
 * what it changed is not lost when the process just ends. */
static void change_and_leave(void *arg) {
  int fd = open_file("f", O_RDWR);
  char *p = map(2 * PAGE, RW, MAP_SHARED, fd, 0);

  (void)arg;
  close(fd);
  fill_page(p + PAGE, 5);
}

static void exit_keeps_changes(void) {
  close(make_file("f", 2, 10, O_RDONLY));
  CHECK_EQ(run_child(change_and_leave, 0), 0);
  CHECK(file_page_is("f", 0, 10) && file_page_is("f", 1, 5));
  remove_file("f");
}

/* The last page: zeros behind the end of the file; what is stored there never
 * gets into it. The page after that is none. */
static void end_of_file(void) {
  int fd = make_file("f", 2, 10, O_RDWR);
  char *p;

  CHECK_EQ(ftruncate(fd, PAGE + 100), 0);
  p = map(4 * PAGE, RW, MAP_SHARED, fd, 0);
  CHECK(page_is(p, 10));
  CHECK(is_zero(p + PAGE + 100, PAGE - 100));
  CHECK(load_kills(p + 2 * PAGE) && store_kills(p + 3 * PAGE));
  CHECK(!kernel_reads(p + 2 * PAGE) && !kernel_writes(p + 2 * PAGE));
  memset(p + PAGE + 90, 'x', 20);
  CHECK_EQ(msync(p, 2 * PAGE, MS_SYNC), 0);
  CHECK_EQ(size_of(fd), PAGE + 100);
  unmap(p, 4 * PAGE);
  close(fd);
  sync();
  fd = open_file("f", O_RDWR);
  CHECK_EQ(size_of(fd), PAGE + 100);
  close(fd);
  remove_file("f");
}

/* The file grows under a mapping: what was beyond its end is there now. */
static void file_grows(void) {
  int fd = make_file("f", 1, 10, O_RDWR);
  char *p = map(4 * PAGE, RW, MAP_SHARED, fd, 0);
  static char page[PAGE];

  CHECK(load_kills(p + PAGE));
  fill_page(page, 4);
  CHECK_EQ(lseek(fd, PAGE, SEEK_SET), PAGE);
  CHECK_EQ(write(fd, page, PAGE), PAGE);
  CHECK(page_is(p + PAGE, 4));
  CHECK_EQ(ftruncate(fd, 4 * PAGE), 0); /* a hole of two pages */
  CHECK(is_zero(p + 2 * PAGE, 2 * PAGE));
  fill_page(p + 3 * PAGE, 6);
  CHECK(file_page_is("f", 2, 0) && file_page_is("f", 3, 6));
  unmap(p, 4 * PAGE);
  close(fd);
  remove_file("f");
}

/* The file is cut under mappings: the pages are gone, private copies too, and
 * come back as zeros when it grows. */
static void file_shrinks(void) {
  int fd = make_file("f", 4, 10, O_RDWR);
  char *p = map(4 * PAGE, RW, MAP_SHARED, fd, 0);
  char *q = map(4 * PAGE, RW, MAP_PRIVATE, fd, 0);

  for (int i = 0; i < 4; i++)
    CHECK(page_is(p + i * PAGE, 10 + i));
  fill_page(p + 2 * PAGE, 1);
  fill_page(q + 3 * PAGE, 2);
  CHECK(page_is(q, 10));
  CHECK_EQ(ftruncate(fd, PAGE + 8), 0);
  CHECK(page_is(p, 10) && page_is(q, 10));
  CHECK(is_zero(p + PAGE + 8, PAGE - 8));
  CHECK(load_kills(p + 2 * PAGE) && load_kills(q + 2 * PAGE));
  CHECK(store_kills(p + 3 * PAGE) && store_kills(q + 3 * PAGE));
  CHECK(!kernel_reads(q + 3 * PAGE));
  CHECK_EQ(ftruncate(fd, 4 * PAGE), 0);
  CHECK(is_zero(p + PAGE + 8, 3 * PAGE - 8));
  CHECK(is_zero(q + 2 * PAGE, 2 * PAGE));
  fill_page(p + 3 * PAGE, 7);
  CHECK(page_is(q + 3 * PAGE, 7));
  unmap(p, 4 * PAGE);
  unmap(q, 4 * PAGE);
  close(fd);
  remove_file("f");
}

/* Opened again with O_TRUNC, too. */
static void file_emptied(void) {
  int fd = make_file("f", 2, 10, O_RDWR);
  char *p = map(2 * PAGE, RW, MAP_SHARED, fd, 0);

  fill_page(p, 3);
  close(open_file("f", O_RDWR | O_TRUNC));
  CHECK(load_kills(p) && store_kills(p + PAGE));
  CHECK_EQ(msync(p, 2 * PAGE, MS_SYNC), 0);
  unmap(p, 2 * PAGE);
  close(fd);
  remove_file("f");
}

/* System calls whose buffers are mappings, of the very same file even. */
static void mapped_buffers(void) {
  int fd = make_file("f", 4, 10, O_RDWR);
  char *p = map(4 * PAGE, RW, MAP_SHARED, fd, 0);
  char *q = map(4 * PAGE, RW, MAP_PRIVATE, fd, 0);

  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0); /* page 2 is written to page 0 */
  CHECK_EQ(write(fd, p + 2 * PAGE, PAGE), PAGE);
  CHECK(page_is(p, 12));
  CHECK_EQ(read(fd, p + 3 * PAGE, PAGE), PAGE); /* page 1 is read to page 3 */
  CHECK(page_is(p + 3 * PAGE, 11));
  CHECK(file_page_is("f", 3, 11));
  CHECK_EQ(lseek(fd, PAGE, SEEK_SET), PAGE); /* a page to itself */
  CHECK_EQ(write(fd, p + PAGE, PAGE), PAGE);
  CHECK_EQ(lseek(fd, PAGE, SEEK_SET), PAGE);
  CHECK_EQ(read(fd, p + PAGE, PAGE), PAGE);
  CHECK(page_is(p + PAGE, 11));
  CHECK_EQ(lseek(fd, PAGE, SEEK_SET), PAGE); /* to a private copy */
  CHECK_EQ(read(fd, q + 2 * PAGE, 2 * PAGE), 2 * PAGE);
  CHECK(page_is(q + 2 * PAGE, 11) && page_is(q + 3 * PAGE, 12));
  CHECK(file_page_is("f", 2, 12));
  CHECK_EQ(lseek(fd, 0, SEEK_END), 4 * PAGE); /* it grows from its own pages */
  CHECK_EQ(write(fd, p, 4 * PAGE), 4 * PAGE);
  CHECK_EQ(size_of(fd), 8 * PAGE);
  CHECK(file_page_is("f", 4, 12) && file_page_is("f", 7, 11));
  unmap(p, 4 * PAGE);
  unmap(q, 4 * PAGE);
  close(fd);
  remove_file("f");
}

/* Who opened for reading may map for reading and privately. */
static void access_modes(void) {
  int fd = make_file("f", 1, 10, O_RDONLY);
  char *p;

  CHECK_FAILS(mmap(0, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
  CHECK_FAILS(mmap(0, PAGE, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
  p = map(PAGE, PROT_READ, MAP_SHARED, fd, 0);
  CHECK_FAILS(mprotect(p, PAGE, RW), EACCES);
  CHECK(page_is(p, 10));
  CHECK(store_kills(p));
  unmap(p, PAGE);
  p = map(PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  CHECK_EQ(mprotect(p, PAGE, RW), 0);
  fill_page(p, 1);
  unmap(p, PAGE);
  CHECK(file_page_is("f", 0, 10));
  close(fd);

  fd = open_file("f", O_WRONLY);
  CHECK_FAILS(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
  CHECK_FAILS(mmap(0, PAGE, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
  close(fd);

  fd = open_file("f", O_RDWR);
  p = map(PAGE, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  CHECK_EQ(mprotect(p, PAGE, RW), 0); /* it was opened for that */
  fill_page(p, 2);
  unmap(p, PAGE);
  CHECK(file_page_is("f", 0, 2));
  remove_file("f");
}

/* Rights of a file mapping can be taken away and given back. */
static void rights_of_file(void) {
  int fd = make_file("f", 4, 10, O_RDWR);
  char *p = map(4 * PAGE, RW, MAP_SHARED, fd, 0);

  fill_page(p + PAGE, 1);
  CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
  CHECK(store_kills(p + PAGE) && !kernel_writes(p + PAGE));
  CHECK(page_is(p + PAGE, 1));
  CHECK_EQ(mprotect(p, 2 * PAGE, PROT_NONE), 0);
  CHECK(load_kills(p));
  CHECK_EQ(mprotect(p, 4 * PAGE, RW), 0);
  CHECK(page_is(p, 10) && page_is(p + PAGE, 1));
  fill_page(p, 2);
  unmap(p, 4 * PAGE);
  CHECK(file_page_is("f", 0, 2) && file_page_is("f", 1, 1));
  close(fd);
  remove_file("f");
}

/* Blocks that appear by a store only: a file of holes. */
static void holes_are_filled(void) {
  const int pages = 60;
  int fd = open_file("f", O_CREATE | O_RDWR);
  char *p;

  CHECK_EQ(ftruncate(fd, pages * PAGE), 0);
  p = map(pages * PAGE, RW, MAP_SHARED, fd, 0);
  for (int i = 0; i < pages; i += 3)
    fill_page(p + i * PAGE, i + 1);
  for (int i = 0; i < pages; i++)
    CHECK(page_is(p + i * PAGE, i % 3 == 0 ? i + 1 : 0));
  unmap(p, pages * PAGE);
  close(fd);
  sync();
  for (int i = 0; i < pages; i += 11)
    CHECK(file_page_is("f", i, i % 3 == 0 ? i + 1 : 0));
  remove_file("f");
}

/* The file has no name any more, and is written to. */
static void unlinked(void) {
  int fd = make_file("f", 8, 10, O_RDWR);
  char *p = map(8 * PAGE, RW, MAP_SHARED, fd, 0);

  remove_file("f");
  close(fd);
  for (int i = 0; i < 8; i += 2)
    fill_page(p + i * PAGE, i);
  sync();
  CHECK_EQ(msync(p, 8 * PAGE, MS_SYNC), 0);
  for (int i = 0; i < 8; i++)
    CHECK(page_is(p + i * PAGE, i % 2 ? 10 + i : i));
  unmap(p, 8 * PAGE);
}

/* Rename and a new file of the old name change nothing. */
static void replaced(void) {
  int fd = make_file("f", 1, 10, O_RDWR);
  char *p = map(PAGE, RW, MAP_SHARED, fd, 0);

  close(fd);
  close(make_file("g", 1, 20, O_RDONLY));
  CHECK_EQ(rename("g", "f"), 0);
  CHECK(page_is(p, 10));
  fill_page(p, 1);
  CHECK(file_page_is("f", 0, 20));
  unmap(p, PAGE);
  remove_file("f");
}

/* A program that runs is not written to; one that is written to is not run. */
static void busy_text(void) {
  char *argv[] = {(char *)self, "nothing", 0};
  int fd;

  CHECK_FAILS(open(self, O_WRONLY), ETXTBSY);
  CHECK_FAILS(open(self, O_RDWR | O_TRUNC), ETXTBSY);
  fd = open_file(self, O_RDONLY);
  CHECK_FAILS(mmap(0, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
  close(fd);
  close(make_file("f", 1, 10, O_RDONLY));
  fd = open_file("f", O_WRONLY);
  argv[0] = "f";
  CHECK_FAILS(exec("f", argv), ETXTBSY);
  close(fd);
  CHECK_FAILS(exec("f", argv), ENOEXEC);
  close(open_file("f", O_RDWR)); /* the failed exec let go of it */
  remove_file("f");
}

const struct test file_tests[] = {
    TEST(content),      TEST(private_writes), TEST(shared_writes),
    TEST(end_of_file),  TEST(file_grows),     TEST(exit_keeps_changes),
    TEST(file_shrinks), TEST(file_emptied),   TEST(mapped_buffers),
    TEST(access_modes), TEST(rights_of_file), TEST(holes_are_filled),
    TEST(unlinked),     TEST(replaced),       TEST(busy_text),
    TESTS_END};
