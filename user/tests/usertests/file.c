/*
 * Files, one process at a time: what open, read, write, lseek, ftruncate,
 * dup2 and the flags of open mean.
 */
#include "usertests.h"

/* What is there can be opened, what is not cannot. */
static void opentest(void) {
  int fd = open("/echo", O_RDONLY);

  CHECK(fd >= 0);
  CHECK_EQ(close(fd), 0);
  CHECK_FAILS(open("doesnotexist", O_RDONLY), ENOENT);
  CHECK_FAILS(open("/echo/x", O_RDONLY), ENOTDIR);
}

/* Many small writes to one descriptor, then all of it in one read. */
static void writetest(void) {
  int fd = open("small", O_CREATE | O_RDWR);

  CHECK(fd >= 0);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(write(fd, "aaaaaaaaaa", 10), 10);
    CHECK_EQ(write(fd, "bbbbbbbbbb", 10), 10);
  }
  CHECK_EQ(close(fd), 0);
  fd = open("small", O_RDONLY);
  CHECK_EQ(read(fd, scratch, 2000), 2000);
  CHECK(scratch[0] == 'a' && scratch[1999] == 'b' && scratch[1010] == 'b');
  CHECK_EQ(read(fd, scratch, 2000), 0);
  close(fd);
  remove("small");
}

/* The largest file, block by block, and not a byte more. */
static void writebig(void) {
  int fd = open("big", O_CREATE | O_RDWR);
  int blocks = 0;
  char block[BSIZE];

  CHECK(fd >= 0);
  for (uint i = 0; i < MAXFILE; i++) {
    *(uint *)block = i;
    CHECK_EQ(write(fd, block, BSIZE), BSIZE);
  }
  CHECK_FAILS(write(fd, block, 1), EFBIG);
  CHECK_FAILS(ftruncate(fd, MAXFILE * BSIZE + 1), EFBIG);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  while (read(fd, block, BSIZE) == BSIZE)
    CHECK_EQ(*(int *)block, blocks++);
  CHECK_EQ(blocks, MAXFILE);
  close(fd);
  remove("big");
}

/* Create and remove many files. */
static void createtest(void) {
  char name[DIRSIZ + 1];
  int n = quick ? 20 : 200;

  for (int i = 0; i < n; i++) {
    numbered(name, "c", i);
    make_file(name, 0, 0);
  }
  for (int i = 0; i < n; i++) {
    numbered(name, "c", i);
    remove(name);
  }
}

/* Write sizes of all kinds, across block boundaries, twice each. */
static void bigwrite(void) {
  for (int size = 499; size < 13 * BSIZE; size += 471) {
    int fd = open("bigwrite", O_CREATE | O_RDWR);
    CHECK(fd >= 0);
    for (int i = 0; i < 2; i++) {
      fill(scratch, size, 1, i * size);
      CHECK_EQ(write(fd, scratch, size), size);
    }
    close(fd);
    check_file("bigwrite", 2 * size, 1);
    remove("bigwrite");
  }
}

/* One write() far larger than a transaction of the log. */
static void hugewrite(void) {
  const int size = MAXFILE * BSIZE;
  char *all = malloc(size);
  int fd = open("huge", O_CREATE | O_RDWR);

  CHECK(all != 0);
  fill(all, size, 5, 0);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, all, size), size);
  close(fd);
  check_file("huge", size, 5);
  remove("huge");
}

/* Reads in halves of what was written. */
static void bigfile(void) {
  int fd, at = 0, n;

  make_file("bigfile", 20 * 600, 4);
  fd = open("bigfile", O_RDONLY);
  while ((n = read(fd, scratch, 300)) > 0) {
    CHECK_EQ(n, 300);
    CHECK(filled(scratch, n, 4, at));
    at += n;
  }
  CHECK_EQ(at, 20 * 600);
  close(fd);
  remove("bigfile");
}

/* A file that was unlinked lives until its last descriptor is closed. */
static void unlinkread(void) {
  int fd, other;

  make_file("u", 100, 1);
  fd = open("u", O_RDWR);
  remove("u");
  CHECK(!exists("u"));
  other = open("u", O_CREATE | O_RDWR);
  CHECK(other >= 0);
  CHECK_EQ(write(other, "yyy", 3), 3);
  close(other);
  CHECK_EQ(read(fd, scratch, 200), 100);
  CHECK(filled(scratch, 100, 1, 0));
  CHECK_EQ(write(fd, scratch, 10), 10);
  close(fd);
  remove("u");
}

/* O_TRUNC empties; a descriptor opened before sees it. */
static void truncate1(void) {
  char buf[32];
  int writer, reader, again;

  make_file("t", 0, 0);
  writer = open("t", O_WRONLY | O_TRUNC);
  CHECK_EQ(write(writer, "abcd", 4), 4);
  reader = open("t", O_RDONLY);
  CHECK_EQ(read(reader, buf, 32), 4);
  writer = (close(writer), open("t", O_WRONLY | O_TRUNC));
  again = open("t", O_RDONLY);
  CHECK_EQ(read(reader, buf, 32), 0);
  CHECK_EQ(read(again, buf, 32), 0);
  CHECK_EQ(write(writer, "abcdef", 6), 6);
  CHECK_EQ(read(reader, buf, 32), 2);
  CHECK(buf[0] == 'e' && buf[1] == 'f');
  CHECK_EQ(read(again, buf, 32), 6);
  close(writer);
  close(reader);
  close(again);
  remove("t");
}

/* A writer whose file was emptied under it goes on at its own offset; what
 * lies before reads as zeros. (xv6 fails here, POSIX does not.) */
static void truncate2(void) {
  char buf[8];
  int writer = open("t", O_CREATE | O_TRUNC | O_WRONLY);
  int other;

  CHECK_EQ(write(writer, "abcd", 4), 4);
  other = open("t", O_TRUNC | O_RDWR);
  int n = write(writer, "x", 1);
  CHECK(n == 1 || n == -1);
  if (n == 1) {
    CHECK_EQ(read(other, buf, 8), 5);
    CHECK(memcmp(buf, "\0\0\0\0x", 5) == 0);
  }
  close(writer);
  close(other);
  remove("t");
}

/* One process empties the file again and again, another writes to it. */
static void truncate3(void) {
  int rounds = quick ? 20 : 150;

  make_file("t", 0, 0);
  int pid = fork();
  CHECK(pid >= 0);
  for (int i = 0; i < rounds; i++) {
    int fd = open("t", pid ? O_RDWR | O_TRUNC : O_RDWR);
    CHECK(fd >= 0);
    int n = write(fd, "0123456789", 10);
    CHECK_EQ(n, 10);
    CHECK(read(fd, scratch, 32) >= 0);
    close(fd);
  }
  if (pid == 0)
    exit(0);
  CHECK_EQ(join(pid), 0);
  remove("t");
}

/* A descriptor does only what it was opened for. */
static void modes(void) {
  int fd;

  make_file("m", 10, 1);
  fd = open("m", O_RDONLY);
  CHECK_FAILS(write(fd, "x", 1), EBADF);
  CHECK_EQ(ftruncate(fd, 0), -1);
  close(fd);
  fd = open("m", O_WRONLY);
  CHECK_FAILS(read(fd, scratch, 1), EBADF);
  close(fd);
  check_file("m", 10, 1);
  remove("m");
}

/* Descriptors that are not open, or no descriptors at all. */
static void badfd(void) {
  static const int fds[] = {-1,  -2,   3,          511,
                            512, 1000, 0x7fffffff, -0x7fffffff - 1};
  struct stat st;

  CHECK_EQ(lowest_fd(), 3);
  for (uint i = 0; i < NELEM(fds); i++) {
    CHECK_FAILS(read(fds[i], scratch, 1), EBADF);
    CHECK_FAILS(write(fds[i], scratch, 1), EBADF);
    CHECK_FAILS(close(fds[i]), EBADF);
    CHECK_FAILS(dup(fds[i]), EBADF);
    CHECK_FAILS(dup2(fds[i], 0), EBADF);
    CHECK_FAILS(fstat(fds[i], &st), EBADF);
    CHECK_FAILS(lseek(fds[i], 0, SEEK_SET), EBADF);
    CHECK_FAILS(ftruncate(fds[i], 0), EBADF);
    CHECK_FAILS(ttyctl(fds[i], TTY_GETMODE, 0), EBADF);
  }
}

/* Every descriptor can be used, one more is an error, all come back. */
static void fdlimit(void) {
  int first = lowest_fd();
  int fd, last = -1;
  int p[2];

  while ((fd = open("/echo", O_RDONLY)) >= 0)
    last = fd;
  CHECK_EQ(lasterr(), EMFILE);
  CHECK(last >= 15); /* xv6's NOFILE */
  CHECK_FAILS(dup(0), EMFILE);
  CHECK_FAILS(pipe(p), EMFILE);
  close(last);
  CHECK_FAILS(pipe(p), EMFILE);
  CHECK_EQ(dup(0), last);
  CHECK_EQ(dup2(0, 1000000), -1);
  for (fd = first; fd <= last; fd++)
    CHECK_EQ(close(fd), 0);
  CHECK_EQ(lowest_fd(), first);
}

/* dup shares the offset; dup2 replaces a descriptor, and itself not at all. */
static void dups(void) {
  int fd, copy;

  make_file("d", 100, 1);
  fd = open("d", O_RDWR);
  copy = dup(fd);
  CHECK_EQ(read(fd, scratch, 10), 10);
  CHECK_EQ(lseek(copy, 0, SEEK_CUR), 10);
  CHECK_EQ(dup2(fd, copy), copy);
  CHECK_EQ(dup2(fd, fd), fd);
  CHECK_EQ(dup2(fd, 20), 20);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(read(20, scratch, 5), 5);
  CHECK_EQ(lseek(copy, 0, SEEK_CUR), 15);
  CHECK_FAILS(dup2(copy, -1), EBADF);
  close(copy);
  close(20);
  remove("d");
}

/* lseek from start, current place and end, and where it must not go. */
static void seek(void) {
  char c;
  int fd;

  make_file("s", 3000, 2);
  fd = open("s", O_RDWR);
  CHECK_EQ(lseek(fd, 1500, SEEK_SET), 1500);
  CHECK_EQ(read(fd, scratch, 10), 10);
  CHECK(filled(scratch, 10, 2, 1500));
  CHECK_EQ(lseek(fd, -10, SEEK_CUR), 1500);
  CHECK_EQ(lseek(fd, -1, SEEK_END), 2999);
  CHECK_EQ(read(fd, &c, 1), 1);
  CHECK_EQ(read(fd, &c, 1), 0);
  CHECK_FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
  CHECK_FAILS(lseek(fd, -3001, SEEK_END), EINVAL);
  CHECK_FAILS(lseek(fd, 0, 3), EINVAL);
  CHECK_EQ(lseek(fd, ~0UL >> 1, SEEK_CUR), -1);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3000);
  CHECK_EQ(lseek(fd, 5000, SEEK_SET), 5000);
  CHECK_EQ(read(fd, &c, 1), 0);
  close(fd);
  remove("s");
}

/* Writing beyond the end leaves a hole of zeros. */
static void holes(void) {
  const int far = 100 * BSIZE + 17;
  int fd = open("h", O_CREATE | O_RDWR);

  CHECK(fd >= 0);
  CHECK_EQ(lseek(fd, far, SEEK_SET), far);
  CHECK_EQ(write(fd, "end", 3), 3);
  CHECK_EQ(size_of("h"), far + 3);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  for (int at = 0; at < far; at += BSIZE) {
    int n = far - at < BSIZE ? far - at : BSIZE;
    memset(scratch, 1, n);
    CHECK_EQ(read(fd, scratch, n), n);
    for (int i = 0; i < n; i++)
      CHECK_EQ(scratch[i], 0);
  }
  CHECK_EQ(read(fd, scratch, 10), 3);
  CHECK_EQ(lseek(fd, 50 * BSIZE, SEEK_SET), 50 * BSIZE);
  CHECK_EQ(write(fd, "middle", 6), 6);
  CHECK_EQ(lseek(fd, 0x40000000, SEEK_SET), 0x40000000);
  CHECK_FAILS(write(fd, "x", 1), EFBIG);
  close(fd);
  remove("h");
}

/* ftruncate cuts and extends; what was cut off does not come back. */
static void ftruncates(void) {
  int fd;

  make_file("t", 20 * BSIZE, 6);
  fd = open("t", O_RDWR);
  CHECK_EQ(ftruncate(fd, 5 * BSIZE + 100), 0);
  check_file("t", 5 * BSIZE + 100, 6);
  CHECK_EQ(ftruncate(fd, 20 * BSIZE), 0);
  CHECK_EQ(size_of("t"), 20 * BSIZE);
  CHECK_EQ(read(fd, scratch, 5 * BSIZE + 100), 5 * BSIZE + 100);
  CHECK(filled(scratch, 5 * BSIZE + 100, 6, 0));
  while (read(fd, scratch, 100) == 100)
    for (int i = 0; i < 100; i++)
      CHECK_EQ(scratch[i], 0);
  CHECK_FAILS(ftruncate(fd, -1), EINVAL);
  CHECK_EQ(ftruncate(fd, 0), 0);
  CHECK_EQ(size_of("t"), 0);
  close(fd);
  remove("t");
}

/* O_APPEND writes at the end, wherever the offset is. */
static void append(void) {
  int a, b;

  make_file("a", 10, 1);
  a = open("a", O_WRONLY | O_APPEND);
  b = open("a", O_WRONLY | O_APPEND);
  CHECK_EQ(lseek(a, 0, SEEK_SET), 0);
  CHECK_EQ(write(a, "12", 2), 2);
  CHECK_EQ(write(b, "34", 2), 2);
  CHECK_EQ(write(a, "56", 2), 2);
  close(a);
  close(b);
  a = open("a", O_RDONLY);
  CHECK_EQ(read(a, scratch, 100), 16);
  CHECK(memcmp(scratch + 10, "123456", 6) == 0);
  close(a);
  remove("a");
}

/* Writes with a bad address at the end lose no blocks, many times over. */
static void badwrite(void) {
  int rounds = quick ? 100 : 600;

  for (int i = 0; i < rounds; i++) {
    int fd = open("junk", O_CREATE | O_WRONLY);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, (char *)0xffffffffffL, 1), -1);
    close(fd);
    remove("junk");
  }
}

/* Names longer than a directory entry holds are cut, as on xv6. */
static void fourteen(void) {
  CHECK_EQ(mkdir("12345678901234"), 0);
  CHECK_EQ(mkdir("12345678901234/123456789012345"), 0);
  int fd = open("123456789012345/123456789012345/123456789012345", O_CREATE);
  CHECK(fd >= 0);
  close(fd);
  fd = open("12345678901234/12345678901234/12345678901234", O_RDONLY);
  CHECK(fd >= 0);
  close(fd);
  CHECK_EQ(mkdir("12345678901234/12345678901234"), -1);
  CHECK_EQ(mkdir("123456789012345/12345678901234"), -1);
  remove("12345678901234/12345678901234/12345678901234");
  remove("12345678901234/12345678901234");
  remove("12345678901234");
}

/* Devices are made by mknod; one that does not exist cannot be used. */
static void devices(void) {
  struct stat st;
  int fd;

  CHECK_EQ(mknod("con", 1, 0), 0);
  CHECK_EQ(stat("con", &st), 0);
  CHECK_EQ(st.type, T_DEVICE);
  fd = open("con", O_RDWR);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, "", 0), 0);
  close(fd);
  remove("con");
  CHECK_EQ(mknod("nodev", 15, 3), 0);
  fd = open("nodev", O_RDWR);
  if (fd >= 0) {
    CHECK_EQ(read(fd, scratch, 1), -1);
    CHECK_EQ(write(fd, scratch, 1), -1);
    close(fd);
  }
  remove("nodev");
  fd = mknod("odd", -1, -1);
  if (fd == 0) {
    fd = open("odd", O_RDWR);
    if (fd >= 0)
      close(fd);
    remove("odd");
  }
}

/* What was written is there after sync, and sync can be called at any time. */
static void syncs(void) {
  for (int i = 0; i < 5; i++) {
    make_file("s", 5000 * i, i);
    CHECK_EQ(sync(), 0);
    check_file("s", 5000 * i, i);
  }
  remove("s");
  CHECK_EQ(sync(), 0);
}

const struct test file_tests[] = {
    TEST(opentest),  TEST(writetest),  TEST(writebig),  TEST(createtest),
    TEST(bigwrite),  TEST(hugewrite),  TEST(bigfile),   TEST(unlinkread),
    TEST(truncate1), TEST(truncate2),  TEST(truncate3), TEST(modes),
    TEST(badfd),     TEST(fdlimit),    TEST(dups),      TEST(seek),
    TEST(holes),     TEST(ftruncates), TEST(append),    TEST(badwrite),
    TEST(fourteen),  TEST(devices),    TEST(syncs),     TESTS_END};
