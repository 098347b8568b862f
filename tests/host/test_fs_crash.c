/*
 * The file system and crashes: whatever part of what was written since the last
 * flush reached the disk, each operation is there as a whole or not at all, and
 * what was there when fs_sync() returned is there.
 */
/* sources: kernel/fs/balloc.c kernel/fs/bcache.c kernel/fs/content.c kernel/fs/dir.c kernel/fs/file.c kernel/fs/filemap.c kernel/fs/fsops.c kernel/fs/inode.c kernel/fs/log.c kernel/fs/mount.c kernel/fs/namecache.c kernel/fs/path.c kernel/fs/pipe.c kernel/dev/block.c tests/host/fs_fakes.c tests/host/fs_mkfs.c tests/host/fs_fsck.c */
#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>

#include "fs_fakes.h"

#include <cmocka.h>

#undef printf
#undef snprintf
#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/mman.h"
#include "fs/file.h"
#include "fs/filemap.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "pte.h"

#define ROUNDS 12
#define SECTOR 512
#define ATOMIC_SIZE 5000 /* one write of that many bytes is one operation */

/* After how many requests was which round known to be on disk? Shared with the
 * child that does the work. */
static struct {
  uint events[ROUNDS + 1];
  int rounds;
} * synced;

static uchar base[DISK_BYTES]; /* the disk before the work */

/* Overwrite a file in one operation. */
static void overwrite(const char *path, int byte) {
  char data[ATOMIC_SIZE];
  int err;
  struct file *f = file_open(NULL, path, O_CREATE | O_WRONLY, &err);

  CHECK(f != NULL);
  memset(data, byte, sizeof(data));
  CHECK_EQ(file_write(f, NULL, (vaddr_t)data, sizeof(data)), sizeof(data));
  file_close(f);
}

/* Different in each round, so that no two transactions look alike. */
static void work(void *arg) {
  static char data[20000];
  char name[16];

  (void)arg;
  for (int round = 1; round <= ROUNDS; round++) {
    snprintf(name, sizeof(name), "/d%d", round % 4);
    if (round > 4)
      CHECK_EQ(fs_unlink(NULL, name), 0);
    CHECK_EQ(fs_mkdir(NULL, name), 0);
    if (round % 3 != 0)
      overwrite("/whole", round);
    CHECK_EQ(put_file("/varies", data, round * 7919 % sizeof(data)), 0);
    overwrite("/new", round);
    if (round % 3 == 0)
      overwrite("/whole", round);
    if (round % 5 == 0)
      CHECK_EQ(fs_unlink(NULL, "/varies"), 0);
    CHECK_EQ(fs_rename(NULL, "/new", "/current"), 0);
    CHECK_EQ(fs_sync(), 0);
    synced->events[round] = disk->nevents;
    synced->rounds = round;
  }
}

#define MAPPED_PAGES 3

/* Change a file through a mapping only; the pages have the round's number when
 * sync returns. */
static void work_mapped(void *arg) {
  struct fake_pte pte[MAPPED_PAGES] = {0};
  struct memobject *o;
  struct file *f;
  uint most;
  int err;

  (void)arg;
  f = file_open(NULL, "/mapped", O_CREATE | O_RDWR, &err);
  CHECK(f != NULL);
  CHECK_EQ(file_truncate(f, MAPPED_PAGES * PGSIZE), 0);
  CHECK_EQ(file_object(f, PROT_READ | PROT_WRITE, true, &o, &most), 0);
  for (int round = 1; round <= ROUNDS; round++) {
    overwrite("/other", round);
    for (int i = 0; i < MAPPED_PAGES; i++) {
      CHECK_EQ(fake_fault(&pte[i], o, i, true), 0);
      memset(pte[i].page, round, PGSIZE);
    }
    if (round % 4 == 0)
      CHECK_EQ(fs_unlink(NULL, "/other"), 0);
    CHECK_EQ(o->ops->sync(o, 0, MAPPED_PAGES), 0);
    synced->events[round] = disk->nevents;
    synced->rounds = round;
  }
  fake_unmap(o);
  o->ops->put(o);
  file_close(f);
}

static void examine_mapped(void *arg) {
  static uchar data[MAPPED_PAGES * PGSIZE];
  int safe = *(int *)arg;

  if (safe == 0)
    return;
  CHECK_EQ(get_file("/mapped", 0, data, sizeof(data)), sizeof(data));
  for (uint i = 0; i < sizeof(data); i++)
    CHECK(data[i] >= safe && data[i] <= ROUNDS);
}

/* Operations of several threads, with commits at any moment. */
static void *overwriter(void *path) {
  for (int i = 1; i < 60; i++) {
    overwrite(path, i);
    if (i % 7 == 0)
      fs_unlink(NULL, path);
  }
  return NULL;
}

static void *syncer(void *unused) {
  while (fs_sync() == 0)
    ;
  return unused;
}

static void work_together(void *arg) {
  pthread_t t[3];

  (void)arg;
  pthread_create(&t[0], NULL, overwriter, "/one");
  pthread_create(&t[1], NULL, overwriter, "/two");
  pthread_create(&t[2], NULL, syncer, NULL);
  pthread_join(t[0], NULL);
  pthread_join(t[1], NULL);
}

/* What must hold after the crash; *arg is the round that was safe. */
static void examine(void *arg) {
  int safe = *(int *)arg;
  short type, nlink;
  uchar first;
  uint64 size;

  if (get_file("/whole", 0, &first, 1) == 1) {
    CHECK(first >= safe);
    CHECK(file_is("/whole", ATOMIC_SIZE, first));
  } else {
    CHECK(safe == 0);
  }
  if (safe > 0) {
    CHECK_EQ(get_file("/current", 0, &first, 1), 1);
    CHECK(first >= safe);
    CHECK(file_is("/current", ATOMIC_SIZE, first));
  }
  if (safe >= 4)
    for (int i = 0; i < 4; i++) /* at most one is being made again */
      if (stat_path((char[]){'/', 'd', '0' + i, 0}, &type, &nlink, &size) == 0)
        CHECK_EQ(type, T_DIR);
  CHECK_EQ(put_file("/after", "works", 5), 0);
}

static void apply(const struct disk_event *e) {
  memcpy(disk->data + e->offset, disk->log + e->data, e->length);
}

/* The disk after `cut` requests: all of those before the last flush, and of
 * those after it the ones that `chance` lets through. */
static void crash(uint cut, uint chance, uint *seed) {
  uint flushed = 0;

  memcpy(disk->data, base, disk->size);
  for (uint i = 0; i < cut; i++)
    if (disk->event[i].length == 0)
      flushed = i;
  for (uint i = 0; i < cut; i++)
    if (i < flushed || random_below(seed, 100) < chance)
      apply(&disk->event[i]);
}

static void survive(uint cut, uint chance, uint *seed,
                    void (*examine)(void *safe)) {
  int safe = 0;

  for (int round = 1; round <= synced->rounds; round++)
    if (synced->events[round] <= cut)
      safe = round;
  crash(cut, chance, seed);
  assert_int_equal(disk_fsck(true), 0);
  assert_int_equal(fs_run(examine, &safe), 0);
  assert_int_equal(disk_fsck(true), 0);
}

static void record_on(const char *size, const char *log_blocks,
                      void (*what)(void *)) {
  disk_mkfs(size, log_blocks);
  memcpy(base, disk->data, disk->size);
  synced = mmap(NULL, sizeof(*synced), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  disk->recording = true;
  assert_int_equal(fs_run(what, NULL), 0);
  disk->recording = false;
}

static void record(void (*what)(void *), const char *log_blocks) {
  record_on("300K", log_blocks, what);
}

static void test_crash_after_each_request(void **state) {
  uint seed = 1;

  (void)state;
  record(work, "64");
  for (uint cut = 0; cut <= disk->nevents; cut++)
    survive(cut, 100, &seed, examine);
}

static void test_crash_with_writes_lost(void **state) {
  uint seed = 2;

  (void)state;
  record(work, "30");
  for (uint cut = 1; cut <= disk->nevents; cut++)
    for (uint chance = 15; chance < 100; chance += 20)
      if (disk->event[cut - 1].length > 0) /* not right after a flush */
        survive(cut, chance, &seed, examine);
}

static void test_crash_with_a_mapping(void **state) {
  uint seed = 5;

  (void)state;
  record(work_mapped, "64");
  for (uint cut = 0; cut <= disk->nevents; cut++) {
    survive(cut, 100, &seed, examine_mapped);
    survive(cut, 50, &seed, examine_mapped);
  }
}

static void whole_or_not(void *path) {
  uchar first;

  if (get_file(path, 0, &first, 1) == 1)
    CHECK(file_is(path, ATOMIC_SIZE, first));
}

/* Between any two transactions: when the log's header has just been written. */
static void test_crash_with_threads(void **state) {
  const struct superblock *sb = (void *)(base + BSIZE);
  uint seed = 4, commits = 0;

  (void)state;
  record(work_together, "64");
  for (uint cut = 1; cut <= disk->nevents && commits < 150; cut++) {
    if (disk->event[cut - 1].offset != sb->logstart * BSIZE)
      continue;
    commits++;
    crash(cut, 100, &seed);
    assert_int_equal(disk_fsck(true), 0);
    assert_int_equal(fs_run(whole_or_not, "/one"), 0);
    assert_int_equal(fs_run(whole_or_not, "/two"), 0);
  }
}

/* A crash while the log is replayed is another crash. */
static void nothing(void *arg) { (void)arg; }

static void test_crash_in_recovery(void **state) {
  static uchar before[DISK_BYTES];
  uint cut = 0;

  (void)state;
  record(work, "64");
  for (uint i = 0; i < disk->nevents / 2; i++)
    if (disk->event[i].length == BSIZE) /* header written, nothing installed */
      cut = i + 1;
  crash(cut, 100, &(uint){3});
  memcpy(before, disk->data, disk->size);
  for (long n = 0; n < 12; n++) {
    memcpy(disk->data, before, disk->size);
    disk->fail_at = n;
    disk->fail_on = true;
    fs_run(nothing, NULL);
    disk_reset();
    assert_int_equal(disk_fsck(true), 0);
    assert_int_equal(fs_run(nothing, NULL), 0);
    assert_int_equal(disk_fsck(true), 0);
  }
}

/* A transaction that takes more block numbers than one sector has. */
#define LARGE_FILES 20
#define LARGE_BYTES (10 * BSIZE)

static void work_large(void *arg) {
  static char data[LARGE_BYTES];
  char name[24];

  (void)arg;
  for (int round = 1; round <= 2; round++) {
    memset(data, round, sizeof(data));
    for (int i = 0; i < LARGE_FILES; i++) {
      snprintf(name, sizeof(name), "/large%d", i);
      CHECK_EQ(put_file(name, data, sizeof(data)), 0);
    }
    CHECK_EQ(fs_sync(), 0);
  }
}

/* Of one request only the even sectors reached the disk, or the odd ones. */
static void tear(uint cut, uint odd) {
  const struct disk_event *e = &disk->event[cut];
  uint seed = 1;

  crash(cut, 100, &seed);
  for (uint at = odd * SECTOR; at < e->length; at += 2 * SECTOR)
    memcpy(disk->data + e->offset + at, disk->log + e->data + at, SECTOR);
}

static void test_crash_with_torn_requests(void **state) {
  (void)state;
  record_on("1M", "256", work_large);
  for (uint cut = 0; cut < disk->nevents; cut++)
    for (uint odd = 0; odd < 2; odd++) {
      tear(cut, odd);
      assert_int_equal(disk_fsck(true), 0);
      assert_int_equal(fs_run(nothing, NULL), 0);
      assert_int_equal(disk_fsck(true), 0);
    }
}

/* A mapping changes a page between its write-back and the commit, also beyond the
 * end of the file (F5). */
#define TAIL_SIZE 1300

static void work_tail(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;
  struct file *f;
  uint most;
  int err;

  (void)arg;
  f = file_open(NULL, "/tail", O_CREATE | O_RDWR, &err);
  CHECK(f != NULL);
  CHECK_EQ(file_truncate(f, TAIL_SIZE), 0);
  CHECK_EQ(file_object(f, PROT_READ | PROT_WRITE, true, &o, &most), 0);
  for (int i = 1; i < 4; i++) {
    CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
    memset(pte.page, i, PGSIZE);
    CHECK_EQ(filemap_sync(), 0);
    CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
    memset(pte.page, 10 * i, PGSIZE);
    CHECK_EQ(log_sync(), 0);
  }
  _Exit(0); /* a power cut: nothing is written back any more */
}

static void examine_tail(void *arg) {
  static uchar data[PGSIZE];
  struct file *f;
  int err;

  (void)arg;
  f = file_open(NULL, "/tail", O_RDWR, &err);
  CHECK(f != NULL);
  CHECK_EQ(file_truncate(f, PGSIZE), 0);
  file_close(f);
  CHECK_EQ(get_file("/tail", 0, data, PGSIZE), PGSIZE);
  CHECK(data[TAIL_SIZE - 1] != 0);
  for (uint i = TAIL_SIZE; i < PGSIZE; i++)
    CHECK_EQ(data[i], 0);
}

static void test_crash_with_bytes_beyond_the_end(void **state) {
  (void)state;
  record(work_tail, "64");
  assert_int_equal(disk_fsck(true), 0);
  assert_int_equal(fs_run(examine_tail, NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_crash_after_each_request),
      cmocka_unit_test(test_crash_with_writes_lost),
      cmocka_unit_test(test_crash_with_a_mapping),
      cmocka_unit_test(test_crash_with_threads),
      cmocka_unit_test(test_crash_in_recovery),
      cmocka_unit_test(test_crash_with_torn_requests),
      cmocka_unit_test(test_crash_with_bytes_beyond_the_end),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
