/*
 * Files that are mapped and, at the same time, read, written, cut off, executed
 * and removed: a mapping and the other calls work on the same pages.
 */
#include "usertests.h"

#define PAGES 4
#define BYTES (PAGES * PGSIZE)
#define RW (PROT_READ | PROT_WRITE)

/* Map n bytes of a file and close it. */
static char *map(const char *path, int n, int rights, int flags) {
  int fd =
      open(path, rights & PROT_WRITE && flags & MAP_SHARED ? O_RDWR : O_RDONLY);
  char *p = mmap(0, n, rights, flags, fd, 0);

  CHECK(p != MAP_FAILED);
  CHECK_EQ(close(fd), 0);
  return p;
}

/* read and write whose memory is a mapping of the same file, of which nothing
 * is there yet: the page fault needs what the call has locked. */
static void mapself(void) {
  int fd;
  char *p, *q;

  make_file("f", BYTES, 1);
  fd = open("f", O_RDWR);
  p = map("f", BYTES, RW, MAP_SHARED);
  CHECK_EQ(write(fd, p, BYTES), BYTES);
  check_file("f", BYTES, 1);
  q = map("f", BYTES, RW, MAP_SHARED);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_EQ(read(fd, q, BYTES), BYTES);
  CHECK(filled(p, BYTES, 1, 0));
  CHECK_EQ(munmap(q, BYTES), 0);
  q = map("f", BYTES, RW, MAP_PRIVATE);
  CHECK_EQ(lseek(fd, PGSIZE, SEEK_SET), PGSIZE);
  CHECK_EQ(read(fd, q, BYTES), BYTES - PGSIZE);
  CHECK(filled(q, BYTES - PGSIZE, 1, PGSIZE));
  check_file("f", BYTES, 1);
  CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
  CHECK_EQ(write(fd, p + PGSIZE, 2 * PGSIZE), 2 * PGSIZE);
  CHECK(filled(q, BYTES - PGSIZE, 1, PGSIZE)); /* those pages are private */
  CHECK_EQ(munmap(p, BYTES), 0);
  CHECK_EQ(munmap(q, BYTES), 0);
  close(fd);
  remove("f");
}

/* What was written through a mapping is in the file when nobody has it open or
 * mapped any more; also after its pages were needed for others. */
static void mapkept(void) {
  char *p, name[DIRSIZ + 1];

  make_file("f", BYTES - 100, 1);
  p = map("f", BYTES, RW, MAP_SHARED);
  fill(p, BYTES - 100, 2, 0);
  fill(p + BYTES - 100, 100, 3, 0); /* goes nowhere */
  CHECK_EQ(msync(p, BYTES, MS_SYNC), 0);
  fill(p + PGSIZE, 10, 3, 0);
  fill(p + PGSIZE, 10, 2, PGSIZE);
  CHECK_EQ(munmap(p, BYTES), 0);
  for (int i = 0; i < 8; i++) {
    numbered(name, "other", i);
    make_file(name, 200000, i);
    check_file(name, 200000, i);
    remove(name);
  }
  check_file("f", BYTES - 100, 2);
  p = map("f", BYTES, PROT_READ, MAP_PRIVATE);
  CHECK(filled(p, BYTES - 100, 2, 0));
  for (int i = 0; i < 100; i++)
    CHECK_EQ(p[BYTES - 100 + i], 0);
  CHECK_EQ(munmap(p, BYTES), 0);
  remove("f");
}

#define COUNTERS 3
#define COUNTS 3000

/* Count in a place of one's own in each page, as the others do in theirs. */
static void count(void *place) {
  volatile uint *p = (uint *)map("f", BYTES, RW, MAP_SHARED);

  for (int i = 0; i < COUNTS; i++) {
    p[i % PAGES * (PGSIZE / sizeof(uint)) + (long)place]++;
    if (i % 256 == (long)place)
      CHECK_EQ(msync((void *)p, BYTES, MS_SYNC), 0);
  }
}

/* Cut the file off right behind what is counted in, and let it grow again. */
static void cut(void *go_on) {
  int fd = open("f", O_RDWR);
  char *p = map("f", 2 * BYTES, RW, MAP_SHARED);

  while (*(volatile int *)go_on) {
    CHECK_EQ(ftruncate(fd, 2 * BYTES), 0);
    CHECK_EQ(p[BYTES + PGSIZE], 0);
    p[BYTES + PGSIZE] = 1;
    CHECK_EQ(ftruncate(fd, BYTES + 10), 0);
  }
}

/* Several processes change the pages of a file while it is written back, cut off
 * and read: no count is lost. */
static void maprace(void) {
  int *go_on = mmap(0, PGSIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  uint seen[COUNTERS] = {0}, now[COUNTERS];
  int fd, pid[COUNTERS], cutter;

  CHECK(go_on != MAP_FAILED);
  *go_on = 1;
  fd = open("f", O_CREATE | O_RDWR);
  CHECK_EQ(ftruncate(fd, BYTES), 0);
  for (long i = 0; i < COUNTERS; i++)
    pid[i] = spawn(count, (void *)i);
  cutter = spawn(cut, go_on);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(lseek(fd, i % PAGES * PGSIZE, SEEK_SET), i % PAGES * PGSIZE);
    CHECK_EQ(read(fd, now, sizeof(now)), sizeof(now));
    for (int c = 0; c < COUNTERS && i % PAGES == 0; c++) {
      CHECK(now[c] >= seen[c]);
      seen[c] = now[c];
    }
  }
  for (int i = 0; i < COUNTERS; i++)
    CHECK_EQ(join(pid[i]), 0);
  *go_on = 0;
  CHECK_EQ(join(cutter), 0);
  for (int page = 0; page < PAGES; page++) {
    CHECK_EQ(lseek(fd, page * PGSIZE, SEEK_SET), page * PGSIZE);
    CHECK_EQ(read(fd, now, sizeof(now)), sizeof(now));
    for (int c = 0; c < COUNTERS; c++)
      CHECK_EQ(now[c], COUNTS / PAGES);
  }
  close(fd);
  remove("f");
}

#define FILES_MAX 16
#define FILE_BYTES 262144UL

/* Map so many files, then take all memory but half as much as they are: pages of
 * theirs must go, and come again. */
static void fill_memory(void *files) {
  long n = (long)files, spare = n * FILE_BYTES / PGSIZE / 2;
  uint64 want = (available_pages() - spare) * PGSIZE;
  char name[DIRSIZ + 1], *file[FILES_MAX], *p;

  for (int i = 0; i < n; i++) {
    numbered(name, "f", i);
    file[i] = map(name, FILE_BYTES, PROT_READ, MAP_SHARED);
    CHECK(filled(file[i], FILE_BYTES, i, 0));
  }
  p = mmap(0, want, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(p != MAP_FAILED);
  for (uint64 at = 0; at < want; at += PGSIZE)
    p[at] = 1;
  for (int i = 0; i < n; i++)
    CHECK(filled(file[i], FILE_BYTES, i, 0));
}

/* Mapped pages of files give way before a process must end. */
static void mapgiven(void) {
  long n = repeats(FILES_MAX, 4);
  char name[DIRSIZ + 1];

  for (int i = 0; i < n; i++) {
    numbered(name, "f", i);
    make_file(name, FILE_BYTES, i);
  }
  CHECK_EQ(run_child(fill_memory, (void *)n), 0);
  for (int i = 0; i < n; i++) {
    numbered(name, "f", i);
    remove(name);
  }
}

/* --- a program that runs is not written to --- */

static void copy(const char *from, const char *to) {
  int in = open(from, O_RDONLY), out = open(to, O_CREATE | O_WRONLY), n;

  CHECK(in >= 0 && out >= 0);
  while ((n = read(in, scratch, SCRATCH_SIZE)) > 0)
    CHECK_EQ(write(out, scratch, n), n);
  CHECK_EQ(close(in) + close(out), 0);
}

static struct gate in, out; /* of the program */

/* Become prog, which copies `in` to `out` until that is closed. Its status is
 * the reason if that fails. */
static void be_cat(void *unused) {
  char *argv[] = {"prog", 0};

  (void)unused;
  close(0), dup(in.fd[0]);
  close(1), dup(out.fd[1]);
  gate_close(&in);
  gate_close(&out);
  exec("prog", argv);
  exit(lasterr());
}

static void textbusy(void) {
  int pid, fd;
  char *p;

  copy("/cat", "prog");
  gate_init(&in);
  gate_init(&out);
  fd = open("prog", O_RDWR);
  CHECK_EQ(run_child(be_cat, 0), ETXTBSY);
  p = mmap(0, PGSIZE, PROT_READ, MAP_SHARED, fd, 0); /* may become writable */
  CHECK(p != MAP_FAILED);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(run_child(be_cat, 0), ETXTBSY);
  CHECK_EQ(munmap(p, PGSIZE), 0);

  pid = spawn(be_cat, 0);
  gate_open(&in);
  gate_pass(&out); /* it runs */
  CHECK_FAILS(open("prog", O_WRONLY), ETXTBSY);
  CHECK_FAILS(open("prog", O_RDWR), ETXTBSY);
  CHECK_FAILS(open("prog", O_RDONLY | O_TRUNC), ETXTBSY);
  CHECK_FAILS(open("prog", O_CREATE | O_TRUNC | O_WRONLY), ETXTBSY);
  CHECK_EQ(close(open("prog", O_RDONLY)), 0);
  remove("prog");
  gate_open(&in);
  gate_pass(&out); /* and goes on without its name */
  gate_close(&in);
  gate_close(&out);
  CHECK_EQ(join(pid), 0);
}

static void look_at_all(void *unused) {
  (void)unused;
  while (getppid() != 1) /* if the parent should fail */
    procs((struct procinfo *)scratch, SCRATCH_SIZE / sizeof(struct procinfo));
}

static void write_prog(void *unused) {
  int fd = open("prog", O_RDWR);
  volatile char *p = mmap(0, PGSIZE, RW, MAP_SHARED, fd, 0);

  (void)unused;
  CHECK(p != MAP_FAILED);
  *p = *p;
}

static void be_prog(void *unused) {
  char *argv[] = {"prog", 0};

  (void)unused;
  exec("prog", argv);
  exit(lasterr());
}

/* What a process has mapped is mapped no more when it has been waited for, even
 * if others are just looking at it. */
static void textlooked(void) {
  int looker[2];

  copy("/true", "prog");
  for (uint i = 0; i < NELEM(looker); i++)
    looker[i] = spawn(look_at_all, 0);
  for (int k = 0; k < (quick ? 50 : 100); k++) {
    CHECK_EQ(run_child(write_prog, 0), 0);
    CHECK_EQ(run_child(be_prog, 0), 0);
  }
  for (uint i = 0; i < NELEM(looker); i++) {
    kill(looker[i]);
    join(looker[i]);
  }
  remove("prog");
}

const struct test filemap_tests[] = {
    TEST(mapself),  TEST(mapkept),    TEST(maprace), TEST(mapgiven),
    TEST(textbusy), TEST(textlooked), TESTS_END};
