/*
 * The file system when things fail: a disk that makes no sense, requests that
 * fail, memory that runs out. Errors may come back, no more: nothing crashes or
 * hangs, and what was consistent stays so.
 */
/* sources: kernel/fs/balloc.c kernel/fs/bcache.c kernel/fs/content.c kernel/fs/dir.c kernel/fs/file.c kernel/fs/filemap.c kernel/fs/fsops.c kernel/fs/inode.c kernel/fs/log.c kernel/fs/mount.c kernel/fs/namecache.c kernel/fs/path.c kernel/fs/pipe.c kernel/dev/block.c tests/host/fs_fakes.c tests/host/fs_mkfs.c tests/host/fs_fsck.c */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#define sleep libc_sleep /* the kernel has a function of that name */
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#undef sleep

#include "fs_fakes.h"

#include <cmocka.h>

#undef printf
#undef snprintf
#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/stat.h"
#include "dev/block.h"
#include "fs/dir.h"
#include "fs/file.h"
#include "fs/inode.h"

static uchar good[DISK_BYTES]; /* an image with something on it */

/* Directories, files with and without an indirect block, links. */
static void populate(void *arg) {
  static char data[40000];

  (void)arg;
  memset(data, 'l', sizeof(data));
  CHECK_EQ(fs_mkdir(NULL, "/a"), 0);
  CHECK_EQ(fs_mkdir(NULL, "/a/b"), 0);
  CHECK_EQ(put_file("/a/large", data, sizeof(data)), 0);
  CHECK_EQ(put_file("/a/b/small", data, 10), 0);
  CHECK_EQ(fs_link(NULL, "/a/b/small", "/link"), 0);
  CHECK_EQ(fs_mknod(NULL, "/dev", 1, 0), 0);
}

static void make_good(void) {
  disk_mkfs("200K", "30");
  assert_int_equal(fs_run(populate, NULL), 0);
  memcpy(good, disk->data, disk->size);
}

static void restore(void) {
  memcpy(disk->data, good, disk->size);
  disk_reset();
}

/* Some of everything; results do not matter. */
static void use(const char *dir) {
  static char data[40000];
  char path[64], other[64];
  struct inode *ip;
  struct file *f;
  int err;

  snprintf(path, sizeof(path), "%s/x", dir);
  snprintf(other, sizeof(other), "%s/y", dir);
  put_file(path, data, 3000);
  fs_link(NULL, path, other);
  fs_rename(NULL, other, path);
  fs_mkdir(NULL, other);
  fs_rename(NULL, path, "/moved");
  fs_rename(NULL, other, "/a/b/y");
  ip = fs_directory(NULL, dir, &err);
  if (ip != NULL) {
    fs_getcwd(ip, path, sizeof(path));
    iput(ip);
  }
  f = file_open(NULL, "/a/large", O_RDWR, &err);
  if (f != NULL) {
    file_read(f, NULL, (vaddr_t)data, sizeof(data));
    file_write(f, NULL, (vaddr_t)data, 5000);
    file_truncate(f, 13000);
    file_close(f);
  }
  fs_unlink(NULL, "/a/large");
  fs_unlink(NULL, "/a/b/small");
  fs_unlink(NULL, "/link");
}

/* Visit what the directories name, a few levels deep. */
static void walk(const char *dir, int depth) {
  struct dirent e;
  char path[64];

  for (uint64 off = 0; off < 100 * sizeof(e); off += sizeof(e)) {
    if (get_file(dir, off, &e, sizeof(e)) != sizeof(e))
      return;
    if (e.inum == 0 || strlen(dir) + DIRSIZ + 2 > sizeof(path))
      continue;
    snprintf(path, sizeof(path), "%s/%.14s", dir, e.name);
    if (depth > 0)
      walk(path, depth - 1);
  }
}

static void use_all(void *arg) {
  (void)arg;
  walk("/", 3);
  use("");
  use("/a");
  use("/a/b");
  walk("/", 3);
  fs_unlink(NULL, "/a/b");
  fs_unlink(NULL, "/a");
}

/* Change bytes where they matter: in the blocks before the data, and in the
 * first data blocks (directories). */
static void mutate(uint *seed) {
  const struct superblock *sb = (void *)(good + BSIZE);
  uint first = sb->inodestart, end = sb->size - sb->nblocks + 4;
  uint n = 1 + random_below(seed, 6);

  while (n-- > 0) {
    uint b = first + random_below(seed, end - first);
    uint at = random_below(seed, 256) * (random_below(seed, 2) ? 4 : 1);
    uint value = random_below(seed, 3) ? random_below(seed, 300)
                                       : random_below(seed, ~0U);

    memcpy(disk->data + b * BSIZE + at, &value, 1 + random_below(seed, 3));
  }
}

static void test_mutated_images(void **state) {
  uint seed = 12345;

  (void)state;
  make_good();
  for (int i = 0; i < 300; i++) {
    int status;

    restore();
    mutate(&seed);
    assert_in_range(disk_fsck(false), 0, 2);
    status = fs_run(use_all, NULL);
    if (status != 0)
      assert_int_equal(status, MOUNT_FAILED);
    assert_in_range(disk_fsck(false), 0, 2);
  }
}

/* Every number of the superblock and of the log's header. */
static void test_superblock_and_log(void **state) {
  static const uint values[] = {0,   1,     2,       3,          11,        30,
                                200, 0x400, 0x10000, 0x7fffffff, 0xffffffff};

  (void)state;
  make_good();
  for (uint at = 0; at < 2 * 8; at++) {
    uint offset = at < 8 ? BSIZE + 4 * at : 2 * BSIZE + 4 * (at - 8);

    for (uint i = 0; i < NELEM(values); i++) {
      int status;

      restore();
      memcpy(disk->data + offset, &values[i], 4);
      if (at >= 8) /* a header that says that there is a transaction */
        disk->data[2 * BSIZE] |= 1;
      assert_in_range(disk_fsck(false), 0, 2);
      status = fs_run(use_all, NULL);
      if (status != 0)
        assert_int_equal(status, MOUNT_FAILED);
    }
  }
}

/* --- numbers that lie just outside of what they may be --- */

static struct superblock *superblock(void) {
  return (struct superblock *)(disk->data + BSIZE);
}

static void nothing_to_do(void *arg) { (void)arg; }

/* The disk cannot be mounted, and nothing was written to it. */
static void refused(void) {
  static uchar before[DISK_BYTES];

  memcpy(before, disk->data, disk->size);
  assert_int_equal(fs_run(nothing_to_do, NULL), MOUNT_FAILED);
  assert_memory_equal(disk->data, before, disk->size);
}

/* Regions of the disk that share a block. */
static void test_regions_overlap(void **state) {
  struct superblock *sb;

  (void)state;
  make_good();
  sb = superblock();
  sb->ninodes = (sb->bmapstart - sb->inodestart) * IPB + 1;
  refused();
  restore();
  sb->inodestart = sb->logstart + sb->nlog - 1;
  refused();
  restore();
  sb->nblocks++; /* the data begin with the bitmap */
  refused();
  restore();
  sb->logstart = 1;
  refused();
}

/* A transaction of n blocks, all to be written to `home` and behind. */
static void transaction(uint n, uint home) {
  const struct superblock *sb = superblock();
  struct logheader *h;

  restore();
  h = (struct logheader *)(disk->data + sb->logstart * BSIZE);
  assert_int_equal(h->n, 0);
  h->n = n;
  for (uint i = 0; i < n; i++)
    h->block[i] = home + i;
}

static void test_log_header_limits(void **state) {
  const struct superblock *sb;

  (void)state;
  make_good();
  sb = superblock();
  transaction(1, 1); /* the superblock */
  refused();
  transaction(1, sb->logstart);
  refused();
  transaction(1, sb->inodestart - 1); /* the log's last */
  refused();
  transaction(1, sb->size);
  refused();
  transaction(sb->nlog, sb->size - sb->nlog); /* one more than it has */
  refused();
  transaction(sb->nlog - 1, sb->size - sb->nlog);
  assert_int_equal(fs_run(nothing_to_do, NULL), 0);
}

static struct dirent *entry_named(const char *name) {
  const struct superblock *sb = (void *)(good + BSIZE);

  for (uint off = (sb->size - sb->nblocks) * BSIZE; off < disk->size;
       off += sizeof(struct dirent))
    if (strncmp((char *)disk->data + off + 2, name, DIRSIZ) == 0)
      return (struct dirent *)(disk->data + off);
  return NULL;
}

/* Where an inode is on the disk. */
static struct dinode *dinode(uint inum) {
  return (struct dinode *)(disk->data + IBLOCK(inum, *superblock()) * BSIZE) +
         inum % IPB;
}

static struct dinode *inode_named(const char *name) {
  struct dirent *e = entry_named(name);

  assert_non_null(e);
  return dinode(e->inum);
}

static void cannot_be_read(void *offset) {
  char byte;

  CHECK_EQ(get_file("/a/large", *(uint *)offset, &byte, 1), -EUCLEAN);
}

static void test_file_block_limits(void **state) {
  static const uint offsets[] = {0, NDIRECT * BSIZE};
  uint bad[4];

  (void)state;
  make_good();
  bad[0] = 1;
  bad[1] = superblock()->logstart + 1;
  bad[2] = superblock()->size - superblock()->nblocks - 1; /* the bitmap */
  bad[3] = superblock()->size;
  for (uint i = 0; i < NELEM(bad); i++)
    for (uint j = 0; j < NELEM(offsets); j++) {
      uint offset = offsets[j];

      restore();
      inode_named("large")->addrs[offset / BSIZE] = bad[i];
      assert_int_equal(fs_run(cannot_be_read, &offset), 0);
    }
}

static void test_file_size_limit(void **state) {
  uint offset = 0;

  (void)state;
  make_good();
  inode_named("large")->size = MAXFILE * BSIZE;
  assert_int_equal(fs_run(use_all, NULL), 0);
  restore();
  inode_named("large")->size = MAXFILE * BSIZE + 1;
  assert_int_equal(fs_run(cannot_be_read, &offset), 0);
}

/* Two directories that list each other, and one that lists itself. */
static void loops(void *arg) {
  char path[64];
  int err;
  struct inode *d;

  (void)arg;
  use_all(NULL);
  d = fs_directory(NULL, "/a/b", &err);
  if (d != NULL) {
    fs_getcwd(d, path, sizeof(path));
    iput(d);
  }
  fs_rename(NULL, "/a", "/a/b/c");
  fs_unlink(NULL, "/a/b/self");
  fs_rename(NULL, "/a/b/self", "/a/b/other");
  fs_rename(NULL, "/a/b/up", "/a/b/self");
  fs_link(NULL, "/README", "/a/b/self/x");
}

static void test_directory_loops(void **state) {
  struct dirent *a, *b, *e;

  (void)state;
  make_good();
  a = entry_named("a");
  b = entry_named("b");
  e = entry_named("small");
  assert_true(a != NULL && b != NULL && e != NULL);
  *e = (struct dirent){.inum = b->inum, .name = "self"};
  e[1] = (struct dirent){.inum = a->inum, .name = "up"};
  e[-1].inum = b->inum; /* ".." of b */
  assert_int_equal(disk_fsck(false), 1);
  assert_int_equal(fs_run(loops, NULL), 0);
}

/* A file whose indirect block is a directory's block, too: what is made there
 * changes a number that the file has, after its block was written. */
#define SHARED_ENTRY 2 /* behind "." and ".." */

static void change_shared_map(void *arg) {
  uint slot = SHARED_ENTRY * sizeof(struct dirent) / sizeof(uint) + 1;
  struct file *f;
  int err;

  (void)arg;
  f = file_open(NULL, "/a/large", O_RDWR, &err);
  CHECK(f != NULL);
  file_seek(f, (NDIRECT + slot) * BSIZE, SEEK_SET);
  CHECK_EQ(file_write(f, NULL, (vaddr_t) "written", 7), 7);
  file_close(f);
  CHECK_EQ(fs_mknod(NULL, "/a/b/nonumberofany", 1, 0), 0);
  CHECK_EQ(fs_unlink(NULL, "/a/large"), 0);
}

static void test_file_shares_map(void **state) {
  struct dinode *large;
  struct dirent *shared;
  uint b;

  (void)state;
  make_good();
  large = inode_named("large");
  b = inode_named("b")->addrs[0];
  shared = (struct dirent *)(disk->data + b * BSIZE) + SHARED_ENTRY;
  memset(shared, 0, sizeof(*shared));
  memcpy(&shared->name[2], &large->addrs[0], sizeof(uint)); /* its 2nd word */
  large->addrs[NDIRECT] = b;
  assert_int_equal(fs_run(change_shared_map, NULL), 0);
  assert_memory_equal(disk->data, good, BSIZE); /* block 0 */
  assert_int_equal(fs_run(nothing_to_do, NULL), 0);
}

/* A directory whose indirect block names a block of inodes: with the directory
 * goes the damage, and what was changed in that block stays so. */
static void many_inodes(void *arg) {
  char name[DIRSIZ];

  (void)arg;
  for (uint i = 0; i < IPB; i++) {
    snprintf(name, sizeof(name), "/dev%u", i);
    CHECK_EQ(fs_mknod(NULL, name, 1, 0), 0);
  }
  CHECK_EQ(fs_mkdir(NULL, "/late"), 0);
}

static void remove_late(void *arg) {
  (void)arg;
  CHECK_EQ(fs_unlink(NULL, "/late"), 0);
}

static void test_directory_names_inodes(void **state) {
  uint map, inodes;

  (void)state;
  make_good();
  assert_int_equal(fs_run(many_inodes, NULL), 0);
  map = superblock()->size - 1; /* free: it stays so */
  inodes = IBLOCK(ROOTINO, *superblock());
  assert_true(entry_named("late")->inum >= IPB); /* not in that block */
  inode_named("late")->addrs[NDIRECT] = map;
  memset(disk->data + map * BSIZE, 0, BSIZE);
  memcpy(disk->data + map * BSIZE, &inodes, sizeof(inodes));
  assert_int_equal(disk_fsck(false), 1);
  assert_int_equal(fs_run(remove_late, NULL), 0);
  assert_int_equal(disk_fsck(true), 0);
}

/* Without links, the root is no file that was open when the system stopped. */
static void test_root_without_links(void **state) {
  (void)state;
  make_good();
  dinode(ROOTINO)->nlink = 0;
  assert_int_equal(disk_fsck(false), 1);
  refused();
}

/* A bitmap that has lost bits: nothing is written any more. */
static void refuse(void *arg) {
  char byte;

  (void)arg;
  CHECK_EQ(put_file("/new", "n", 1), -EROFS);
  CHECK_EQ(fs_mkdir(NULL, "/newdir"), -EROFS);
  CHECK_EQ(get_file("/link", 0, &byte, 1), 1);
  CHECK_EQ(fs_sync(), 0);
}

static void test_bitmap_lost(void **state) {
  const struct superblock *sb = (void *)(good + BSIZE);
  uint lost[3];

  (void)state;
  make_good();
  lost[0] = 0;                      /* the boot block */
  lost[1] = sb->bmapstart;          /* the bitmap itself */
  lost[2] = sb->size - sb->nblocks; /* the root directory */
  for (uint i = 0; i < NELEM(lost); i++) {
    restore();
    disk->data[sb->bmapstart * BSIZE + lost[i] / 8] &= ~(1 << lost[i] % 8);
    assert_int_equal(fs_run(refuse, NULL), 0);
  }
  restore();
  memset(disk->data + sb->bmapstart * BSIZE, 0, BSIZE);
  assert_int_equal(fs_run(refuse, NULL), 0);
  restore();
  assert_int_equal(disk_fsck(false), 0);
}

/* A directory whose ".." names one that it is not in: its path is not found, and
 * that is damage. */
static void lost_parent(void *arg) {
  char path[64];
  int err;
  struct inode *d = fs_directory(NULL, "/a/b", &err);

  (void)arg;
  CHECK(d != NULL);
  CHECK_EQ(fs_getcwd(d, path, sizeof(path)), -EUCLEAN);
  iput(d);
}

static void test_lost_parent(void **state) {
  struct dirent *a, *b, *e;

  (void)state;
  make_good();
  a = entry_named("a");
  b = entry_named("b");
  e = entry_named("small");
  assert_true(a != NULL && b != NULL && e != NULL);
  e[-1].inum = b->inum; /* ".." of b is b */
  assert_int_equal(fs_run(lost_parent, NULL), 0);
  restore();
  e[-1].inum = ROOTINO; /* or the root */
  assert_int_equal(fs_run(lost_parent, NULL), 0);
  restore();
  memset(&e[-1], 0, sizeof(*e)); /* or there is none */
  assert_int_equal(fs_run(lost_parent, NULL), 0);
}

/* fsck names blocks that the size of a file has no use for; some are what a
 * write that was cut short leaves. */
static void test_blocks_beyond_size(void **state) {
  struct dinode *d;

  (void)state;
  make_good();
  d = inode_named("large");
  assert_int_equal(d->size, 40000); /* 40 blocks */
  d->size = 36 * BSIZE;
  assert_int_equal(disk_fsck(true), 0);
  d->size = 35 * BSIZE;
  assert_int_equal(disk_fsck(false), 1);
  d->size = 10;
  assert_int_equal(disk_fsck(false), 1);
}

/* The n-th request fails, and all after it if `on`. */
static void fail_requests(bool on) {
  long total;

  make_good();
  restore();
  assert_int_equal(fs_run(use_all, NULL), 0);
  total = disk->requests;
  for (long n = 0; n <= total; n++) {
    int status;

    restore();
    disk->fail_at = n;
    disk->fail_on = on;
    status = fs_run(use_all, NULL);
    if (status != 0)
      assert_int_equal(status, MOUNT_FAILED);
    disk_reset();
    assert_int_equal(disk_fsck(true), 0);
    assert_int_equal(fs_run(use_all, NULL), 0);
    assert_int_equal(disk_fsck(true), 0);
  }
}

static void test_one_request_fails(void **state) {
  (void)state;
  fail_requests(false);
}

static void test_disk_dies(void **state) {
  (void)state;
  fail_requests(true);
}

/* A read that fails says so, whichever it is; and what it should have read is not
 * taken to be there. */
static void read_again(void *n) {
  static char data[40000], expected[sizeof(data)];
  ssize_t got;

  memset(expected, 'l', sizeof(expected));
  disk->fail_at = *(long *)n;
  got = get_file("/a/large", 0, data, sizeof(data));
  disk->fail_at = -1;
  if (got < 0)
    CHECK_EQ(got, -EIO);
  else
    CHECK(got > 0 && memcmp(data, expected, got) == 0);
  CHECK_EQ(get_file("/a/large", 0, data, sizeof(data)), sizeof(data));
  CHECK(memcmp(data, expected, sizeof(data)) == 0);
}

static void test_read_fails_once(void **state) {
  (void)state;
  make_good();
  for (long n = 0; n < 20; n++) {
    restore();
    assert_int_equal(fs_run(read_again, &n), 0);
  }
}

/* The same on a disk that fails from the n-th request on: trying again does not
 * help, and the reader must not take it for the end of the file. */
static void read_dying(void *n) {
  static char data[40000];
  ssize_t got;

  disk->fail_at = *(long *)n;
  disk->fail_on = true;
  got = get_file("/a/large", 0, data, sizeof(data));
  CHECK(got != 0);
  if (got > 0 && (size_t)got < sizeof(data))
    got = get_file("/a/large", got, data, sizeof(data) - got);
  CHECK(got == -EIO || got == (ssize_t)sizeof(data));
}

static void test_read_fails_for_good(void **state) {
  (void)state;
  make_good();
  for (long n = 0; n < 20; n++) {
    restore();
    assert_int_equal(fs_run(read_dying, &n), 0);
  }
}

/* A write that needs what cannot be read says how much of it is there, or that it
 * failed: what it says is there is, and no more. */
struct write_dying {
  long n;      /* the read that fails, */
  bool on;     /* and all after it */
  uint offset; /* where it writes */
};

static void write_dying(void *arg) {
  static char data[5000], got[40000], expected[sizeof(got)];
  struct write_dying *w = arg;
  struct file *f;
  ssize_t n;
  int err;

  memset(data, 'w', sizeof(data));
  memset(expected, 'l', sizeof(expected));
  f = file_open(NULL, "/a/large", O_RDWR, &err);
  CHECK(f != NULL);
  file_seek(f, w->offset, SEEK_SET);
  disk->fail_op = BIO_READ;
  disk->fail_on = w->on;
  disk->fail_at = w->n;
  n = file_write(f, NULL, (vaddr_t)data, sizeof(data));
  disk->fail_at = -1;
  CHECK(n == -EIO || (n > 0 && (size_t)n <= sizeof(data)));
  if (disk->failed == 0) /* the rest is tried again after a short write */
    CHECK_EQ(n, sizeof(data));
  if (disk->failed > 0 && w->on)
    CHECK(n < (ssize_t)sizeof(data));
  if (n > 0)
    memset(expected + w->offset, 'w', n);
  CHECK_EQ(get_file("/a/large", 0, got, sizeof(got)), sizeof(got));
  CHECK(memcmp(got, expected, sizeof(got)) == 0);
  file_close(f);
}

static void test_write_fails(void **state) {
  /* in its first blocks, and in those that the indirect block names */
  static const uint offsets[] = {1000, 20000};

  (void)state;
  make_good();
  for (uint i = 0; i < 2 * NELEM(offsets); i++) {
    struct write_dying w = {.on = i % 2, .offset = offsets[i / 2]};

    do {
      restore();
      assert_int_equal(fs_run(write_dying, &w), 0);
      w.n++;
    } while (disk->failed > 0);
    assert_true(w.n > 2); /* at least one per page */
    assert_int_equal(disk_fsck(true), 0);
  }
}

static void use_with_little_memory(void *n) {
  fail_alloc_at = *(long *)n;
  use_all(NULL);
  fail_alloc_at = -1;
  use_all(NULL);
}

static void test_memory_runs_out(void **state) {
  (void)state;
  make_good();
  for (long n = 0; n < 120; n++) {
    restore();
    assert_int_equal(fs_run(use_with_little_memory, &n), 0);
    assert_int_equal(disk_fsck(true), 0);
  }
}

/* After a write failed, reading goes on and changing is refused. */
static void lose_disk(void *arg) {
  char byte;

  (void)arg;
  CHECK_EQ(put_file("/before", "b", 1), 0);
  disk->fail_at = 0;
  disk->fail_on = true;
  CHECK_EQ(fs_sync(), -EIO);
  CHECK_EQ(put_file("/after", "a", 1), -EROFS);
  CHECK_EQ(fs_unlink(NULL, "/link"), -EROFS);
  CHECK_EQ(get_file("/before", 0, &byte, 1), 1);
  CHECK_EQ(byte, 'b');
}

static void test_read_only_after_failure(void **state) {
  (void)state;
  make_good();
  assert_int_equal(fs_run(lose_disk, NULL), 0);
}

/* A tool that ends in the middle, in its child, does not end as its parent would
 * (a fuzzer takes that for a crash). */
static pid_t tester; /* the parent */

static void parents_end(void) {
  if (getpid() != tester)
    _exit(77);
}

static void test_tool_ends_by_itself(void **state) {
  (void)state;
  tester = getpid();
  assert_int_equal(atexit(parents_end), 0);
  make_good();
  disk->data[BSIZE] ^= 1; /* the magic number */
  assert_int_equal(disk_fsck(false), 2);
}

/* Signals to who waits for the child are no failure of it. */
static void nothing(int signal) { (void)signal; }

static void disturb(void *arg) {
  (void)arg;
  for (int i = 0; i < 200; i++) {
    kill(tester, SIGUSR1);
    sched_yield();
  }
}

static void test_signals_while_waiting(void **state) {
  struct sigaction action = {.sa_handler = nothing}; /* no SA_RESTART */

  (void)state;
  tester = getpid();
  make_good();
  assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
  assert_int_equal(fs_run(disturb, NULL), 0);
  signal(SIGUSR1, SIG_DFL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mutated_images),
      cmocka_unit_test(test_superblock_and_log),
      cmocka_unit_test(test_regions_overlap),
      cmocka_unit_test(test_log_header_limits),
      cmocka_unit_test(test_file_block_limits),
      cmocka_unit_test(test_file_size_limit),
      cmocka_unit_test(test_directory_loops),
      cmocka_unit_test(test_file_shares_map),
      cmocka_unit_test(test_directory_names_inodes),
      cmocka_unit_test(test_root_without_links),
      cmocka_unit_test(test_bitmap_lost),
      cmocka_unit_test(test_lost_parent),
      cmocka_unit_test(test_blocks_beyond_size),
      cmocka_unit_test(test_one_request_fails),
      cmocka_unit_test(test_read_fails_once),
      cmocka_unit_test(test_read_fails_for_good),
      cmocka_unit_test(test_write_fails),
      cmocka_unit_test(test_disk_dies),
      cmocka_unit_test(test_memory_runs_out),
      cmocka_unit_test(test_read_only_after_failure),
      cmocka_unit_test(test_tool_ends_by_itself),
      cmocka_unit_test(test_signals_while_waiting),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
