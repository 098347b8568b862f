/*
 * Much to go through: more page-table entries, empty tables, mappings of one
 * page, pages of files in use or processes than the debug kernel lets anybody look
 * at under one spin lock. A plain kernel only takes its time.
 */
#include "usertests.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
/* One page in each such stretch has a table of its own, on any machine. */
#define STRETCH (4UL << 20)
#define SPARSE ((sizeof(addr) == 8 ? 1024UL : 384UL) * STRETCH)
#define DENSE (512UL << 20)

static struct vmregion region[32];
static struct ptentry entry[64];

/* All ways through the tables of this process that there are. */
static void go_through(char *p, addr size) {
  struct procinfo *all;
  int n;

  CHECK(vmregions(getpid(), region, NELEM(region)) > 0);
  CHECK(ptdump(getpid(), 0, entry, NELEM(entry)) > 0);
  CHECK(ptdump(getpid(), (addr)p + 4096, entry, NELEM(entry)) >= 0);
  all = all_procs(&n);
  CHECK(all != 0 && n > 0);
  free(all);
  CHECK_EQ(mprotect(p, size, PROT_READ | PROT_EXEC), 0);
  CHECK_EQ(mprotect(p, size, PROT_NONE), 0);
  CHECK_EQ(mprotect(p, size, PROT_READ), 0);
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0)
    exit(0);
  CHECK_EQ(join(pid), 0);
}

static uint64 resident_at(const void *p) {
  int n = vmregions(getpid(), region, NELEM(region));

  for (int i = 0; i < n; i++)
    if (region[i].start <= (addr)p && (addr)p < region[i].end)
      return region[i].resident;
  return 0;
}

/* Far apart: as many tables as pages, and then tables of nothing. */
static void sparsetables(void) {
  volatile char *p = mmap(0, SPARSE, PROT_READ, ANON | MAP_NORESERVE, -1, 0);

  CHECK(p != MAP_FAILED);
  for (addr at = 0; at < SPARSE; at += STRETCH / 2)
    CHECK_EQ(p[at], 0);
  CHECK_EQ(resident_at((char *)p), SPARSE / (STRETCH / 2) * 4096);
  go_through((char *)p, SPARSE);
  CHECK_EQ(resident_at((char *)p), SPARSE / (STRETCH / 2) * 4096);
  CHECK_EQ(madvise((char *)p, SPARSE, MADV_DONTNEED), 0);
  CHECK_EQ(resident_at((char *)p), 0);
  CHECK_EQ(madvise((char *)p, SPARSE, MADV_DONTNEED), 0);
  go_through((char *)p, SPARSE);
  CHECK_EQ(munmap((char *)p, SPARSE), 0);
}

/* Side by side. */
static void manyentries(void) {
  char *p = mmap(0, DENSE, PROT_READ, ANON | MAP_POPULATE, -1, 0);

  CHECK(p != MAP_FAILED);
  CHECK_EQ(resident_at(p), DENSE);
  go_through(p, DENSE);
  CHECK_EQ(madvise(p, DENSE, MADV_DONTNEED), 0);
  CHECK_EQ(resident_at(p), 0);
  CHECK_EQ(munmap(p, DENSE), 0);
}

/* One page of a file, mapped very often in several spaces, is lost everywhere
 * when the file is cut. */
static void manymappings(void) {
  enum { mappings = 6000, children = 3 };
  static char *at[mappings];
  struct gate cut;
  int fd = open("much", O_CREATE | O_RDWR), pid[children];

  gate_init(&cut);
  CHECK_EQ(ftruncate(fd, 4096), 0);
  for (int i = 0; i < mappings; i++) {
    at[i] = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at[i] != MAP_FAILED);
    at[i][0] = 1;
  }
  for (int i = 0; i < children; i++) {
    pid[i] = fork();
    CHECK(pid[i] >= 0);
    if (pid[i] == 0) {
      gate_pass(&cut);
      for (int k = 0; k < mappings; k++) /* all zeros again */
        CHECK_EQ(at[k][0], 0);
      exit(0);
    }
  }
  CHECK_EQ(msync(at[0], 4096, MS_SYNC), 0);
  CHECK_EQ(ftruncate(fd, 0), 0);
  CHECK_EQ(ftruncate(fd, 4096), 0);
  for (int i = 0; i < children; i++)
    gate_open(&cut);
  for (int i = 0; i < children; i++)
    CHECK_EQ(join(pid[i]), 0);
  for (int i = 0; i < mappings; i++)
    CHECK_EQ(at[i][0], 0);
  for (int i = 0; i < mappings; i++)
    CHECK_EQ(munmap(at[i], 4096), 0);
  close(fd);
  gate_close(&cut);
  CHECK_EQ(unlink("much"), 0);
}

/* Memory runs out, and the cache of files can give nothing back, since all of its
 * pages are mapped. They are holes and take no room on the disk. Where there is
 * much memory this does not use it up. */
static void mappedfiles(void) {
  enum { most = 900, bytes = MAXFILE * BSIZE };
  addr pages = (bytes + PGSIZE - 1) / PGSIZE;
  addr n = available_pages() / pages + 10;
  static char *at[most];
  char name[DIRSIZ + 1];

  n = n < most ? n : most;
  for (addr i = 0; i < n; i++) {
    int fd;

    numbered(name, "hole", i);
    fd = open(name, O_CREATE | O_RDWR);
    CHECK_EQ(ftruncate(fd, bytes), 0);
    at[i] = mmap(0, bytes, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(at[i] != MAP_FAILED);
    for (addr page = 0; page < pages; page++)
      CHECK_EQ(at[i][page * PGSIZE], 0);
    CHECK_EQ(close(fd), 0);
  }
  for (addr i = 0; i < n; i++) {
    CHECK_EQ(munmap(at[i], bytes), 0);
    numbered(name, "hole", i);
    remove(name);
  }
}

/* More than there is: this process must end. */
static void take_all_memory(void *arg) {
  addr size = (available_pages() + (64 << 8)) * PGSIZE;
  volatile char *p =
      mmap(0, size, PROT_READ | PROT_WRITE, ANON | MAP_NORESERVE, -1, 0);

  (void)arg;
  CHECK(p != MAP_FAILED);
  for (addr i = 0; i < size; i += PGSIZE)
    p[i] = 1;
}

/* Who must end as memory runs out is chosen from many. */
static void manyprocesses(void) {
  enum { most = 480, pages_each = 60 };
  addr n = available_pages() / pages_each;
  static int pid[most];
  struct procinfo *all;
  struct gate gate;
  int found;

  n = n < most ? n : most;
  gate_init(&gate);
  for (addr i = 0; i < n; i++)
    pid[i] = spawn((void (*)(void *))gate_pass, &gate);
  all = all_procs(&found);
  CHECK(all != 0 && found > (int)n);
  free(all);
  expect_killed(take_all_memory, 0);
  for (addr i = 0; i < n; i++)
    gate_open(&gate);
  for (addr i = 0; i < n; i++)
    CHECK_EQ(join(pid[i]), 0);
  gate_close(&gate);
}

const struct test sparse_tests[] = {
    SLOW_TEST(sparsetables), SLOW_TEST(manyentries),   SLOW_TEST(manymappings),
    SLOW_TEST(mappedfiles),  SLOW_TEST(manyprocesses), TESTS_END};
