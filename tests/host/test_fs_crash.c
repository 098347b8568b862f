/*
 * The file system and crashes: whatever part of what was written since the last
 * flush reached the disk, each operation is there as a whole or not at all, and
 * what was there when fs_sync() returned is there. So it is when a flush fails.
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
#include "dev/block.h"
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

/* Overwrite a file in one operation: the bytes written, or an error. */
static ssize_t try_overwrite(const char *path, int byte) {
  char data[ATOMIC_SIZE];
  int err;
  struct file *f = file_open(NULL, path, O_CREATE | O_WRONLY, &err);
  ssize_t n;

  if (f == NULL)
    return err;
  memset(data, byte, sizeof(data));
  n = file_write(f, NULL, (vaddr_t)data, sizeof(data));
  file_close(f);
  return n;
}

static void overwrite(const char *path, int byte) {
  CHECK_EQ(try_overwrite(path, byte), ATOMIC_SIZE);
}

/* A new file of zeros, open, and mapped shared: *o. */
static struct file *map_new(const char *path, uint size, struct memobject **o) {
  int err;
  struct file *f = file_open(NULL, path, O_CREATE | O_RDWR, &err);
  uint most;

  CHECK(f != NULL);
  CHECK_EQ(file_truncate(f, size), 0);
  CHECK_EQ(file_object(f, PROT_READ | PROT_WRITE, true, o, &most), 0);
  return f;
}

/* With this each operation is a transaction of its own: it is committed as soon as
 * it ends (mk/run.mk puts it in the place of end_op). */
static bool commit_each;

void __real_end_op(uint blocks);
void __wrap_end_op(uint blocks);

void __wrap_end_op(uint blocks) {
  __real_end_op(blocks);
  if (commit_each)
    CHECK_EQ(log_sync(), 0);
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
  struct file *f = map_new("/mapped", MAPPED_PAGES * PGSIZE, &o);

  (void)arg;
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

/* Has the log's header just been written: between two transactions? */
static bool commits_at(uint cut) {
  const struct superblock *sb = (void *)(base + BSIZE);

  return disk->event[cut - 1].length > 0 &&
         disk->event[cut - 1].offset == sb->logstart * BSIZE;
}

static void test_crash_with_threads(void **state) {
  uint seed = 4, commits = 0;

  (void)state;
  record(work_together, "64");
  for (uint cut = 1; cut <= disk->nevents && commits < 150; cut++) {
    if (!commits_at(cut))
      continue;
    commits++;
    crash(cut, 100, &seed);
    assert_int_equal(disk_fsck(true), 0);
    assert_int_equal(fs_run(whole_or_not, "/one"), 0);
    assert_int_equal(fs_run(whole_or_not, "/two"), 0);
  }
}

/* The same after each operation: what takes two transactions is seen in between. */
static void test_crash_between_operations(void **state) {
  uint seed = 6, commits = 0;

  (void)state;
  commit_each = true;
  record(work, "64");
  commit_each = false;
  for (uint cut = 1; cut <= disk->nevents; cut++) {
    if (!commits_at(cut))
      continue;
    commits++;
    survive(cut, 100, &seed, examine);
  }
  assert_true(commits >= 2 * 5 * ROUNDS); /* operations of a round, at least */
}

/* A crash while the log is replayed is another crash. */
static void nothing(void *arg) { (void)arg; }

/* A disk whose log has a transaction of which nothing is at home. */
static void crash_after_commit(void) {
  uint cut = 0;

  record(work, "64");
  for (uint i = 0; i < disk->nevents / 2; i++)
    if (disk->event[i].length == SECTOR && commits_at(i + 1) &&
        *(uint *)(disk->log + disk->event[i].data) > 0)
      cut = i + 1;
  assert_true(cut > 0);
  crash(cut, 100, &(uint){3});
}

static void test_crash_in_recovery(void **state) {
  static uchar before[DISK_BYTES];

  (void)state;
  crash_after_commit();
  memcpy(before, disk->data, disk->size);
  for (long n = 0; n < 24; n++) {
    memcpy(disk->data, before, disk->size);
    disk->fail_at = n / 2;
    disk->fail_on = n % 2;
    fs_run(nothing, NULL);
    disk_reset();
    assert_int_equal(disk_fsck(true), 0);
    assert_int_equal(fs_run(nothing, NULL), 0);
    assert_int_equal(disk_fsck(true), 0);
  }
}

/* If a request fails, too, the log stays as long as it is needed: a read of it that
 * fails leaves all as it was. */
static void test_read_fails_in_recovery(void **state) {
  static uchar before[DISK_BYTES], after[DISK_BYTES];
  bool failed = true;
  long refused = 0;

  (void)state;
  crash_after_commit();
  memcpy(before, disk->data, disk->size);
  assert_int_equal(fs_run(nothing, NULL), 0);
  memcpy(after, disk->data, disk->size);
  assert_memory_not_equal(before, after, disk->size);
  for (long n = 0; failed; n++) {
    int status;

    memcpy(disk->data, before, disk->size);
    disk_reset();
    disk->fail_op = BIO_READ;
    disk->fail_at = n;
    status = fs_run(nothing, NULL);
    failed = disk->failed > 0;
    if (memcmp(disk->data, before, disk->size) == 0) {
      assert_int_equal(status, MOUNT_FAILED);
      refused++;
    } else {
      assert_memory_equal(disk->data, after, disk->size);
    }
  }
  /* the superblock, the log's header, the log: more than one request has */
  assert_in_range(refused, 3, 10);
}

/* Rounds of changes, each synced, until the n-th flush fails: then sync says so,
 * and nothing is written any more. */
#define FLUSHES 12 /* of three commits */

static struct {
  long n;
  bool mapped; /* it is msync, after a change through a mapping */
} flushing;

static int sync_round(struct memobject *o, struct fake_pte *pte, int round) {
  if (!flushing.mapped)
    return fs_sync();
  CHECK_EQ(fake_fault(pte, o, 0, true), 0);
  memset(pte->page, round, PGSIZE);
  return o->ops->sync(o, 0, 1);
}

static void refuses_to_write(struct memobject *o) {
  uint written = disk->nevents;
  uchar first;

  CHECK_EQ(try_overwrite("/whole", ROUNDS + 1), -EROFS);
  CHECK_EQ(fs_sync(), -EIO);
  if (flushing.mapped)
    CHECK_EQ(o->ops->sync(o, 0, 1), -EIO);
  CHECK_EQ(get_file("/whole", 0, &first, 1), 1);
  CHECK(first <= ROUNDS);
  CHECK_EQ(disk->nevents, written);
}

static void work_until_flush_fails(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;

  (void)arg;
  map_new("/mapped", PGSIZE, &o);
  CHECK_EQ(fs_sync(), 0);
  disk->fail_op = BIO_FLUSH;
  disk->fail_at = flushing.n;
  for (int round = 1; disk->failed == 0; round++) {
    ssize_t n = try_overwrite("/whole", round);
    int r = sync_round(o, &pte, round);

    CHECK(round <= ROUNDS);
    if (disk->failed == 0) {
      CHECK_EQ(n, ATOMIC_SIZE);
      CHECK_EQ(r, 0);
      synced->events[round] = disk->nevents;
      synced->rounds = round;
    } else {
      CHECK(n == ATOMIC_SIZE || n == -EROFS); /* a commit may begin early */
      CHECK_EQ(r, -EIO);
    }
  }
  refuses_to_write(o);
  _Exit(0);
}

static void examine_flushed(void *arg) {
  static uchar data[PGSIZE];
  int safe = *(int *)arg;
  uchar first;

  if (get_file("/whole", 0, &first, 1) == 1) {
    CHECK(first >= safe && first <= ROUNDS);
    CHECK(file_is("/whole", ATOMIC_SIZE, first));
  } else {
    CHECK(safe == 0);
  }
  CHECK_EQ(get_file("/mapped", 0, data, PGSIZE), PGSIZE);
  for (uint i = 0; i < PGSIZE; i++)
    CHECK(flushing.mapped ? data[i] >= safe : data[i] == 0);
}

/* What the flush should have made safe may be lost, or in part. */
static void test_flush_fails(void **state) {
  uint seed = 7;

  (void)state;
  for (long n = 0; n < 2 * FLUSHES; n++) {
    flushing.n = n / 2;
    flushing.mapped = n % 2;
    record(work_until_flush_fails, "64");
    assert_int_equal(disk->failed, 1);
    for (uint chance = 0; chance <= 100; chance += 50)
      survive(disk->nevents, chance, &seed, examine_flushed);
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

  (void)arg;
  map_new("/tail", TAIL_SIZE, &o);
  for (int i = 1; i < 4; i++) {
    CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
    memset(pte.page, i, PGSIZE);
    filemap_sync();
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
      cmocka_unit_test(test_crash_between_operations),
      cmocka_unit_test(test_crash_in_recovery),
      cmocka_unit_test(test_read_fails_in_recovery),
      cmocka_unit_test(test_flush_fails),
      cmocka_unit_test(test_crash_with_torn_requests),
      cmocka_unit_test(test_crash_with_bytes_beyond_the_end),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
