/*
 * Mapped files: that a mapping, read() and write() see the same, what is
 * written through a mapping gets to the disk, and files that are cut off, grow
 * or vanish while they are mapped.
 */
/* sources: kernel/fs/balloc.c kernel/fs/bcache.c kernel/fs/content.c kernel/fs/dir.c kernel/fs/file.c kernel/fs/filemap.c kernel/fs/fsops.c kernel/fs/inode.c kernel/fs/log.c kernel/fs/mount.c kernel/fs/namecache.c kernel/fs/path.c kernel/fs/pipe.c kernel/dev/block.c tests/host/fs_fakes.c tests/host/fs_mkfs.c tests/host/fs_fsck.c */
#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <time.h>

#include "fs_fakes.h"

#include <cmocka.h>

#undef printf
#undef snprintf
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "pte.h"

static char buf[MAXFILE * BSIZE];

/* In one mount, then what must be there in the next. */
static void run(void (*test)(void *), void (*after)(void *)) {
  static const char *const logs[] = {"64", "30"};

  for (uint i = 0; i < NELEM(logs); i++) {
    disk_mkfs("1M", logs[i]);
    assert_int_equal(fs_run(test, NULL), 0);
    assert_int_equal(disk_fsck(true), 0);
    if (after != NULL)
      assert_int_equal(fs_run(after, NULL), 0);
  }
}

static struct file *must_open(const char *path, int flags) {
  int err = 0;
  struct file *f = file_open(NULL, path, flags, &err);

  CHECK_EQ(err, 0);
  return f;
}

/* A file of n bytes of one value, open, and its object. */
static struct file *make(const char *path, size_t n, int byte,
                         struct memobject **o) {
  struct file *f = must_open(path, O_CREATE | O_TRUNC | O_RDWR);
  uint most;

  memset(buf, byte, n);
  CHECK_EQ(file_write(f, NULL, (vaddr_t)buf, n), n);
  CHECK_EQ(file_object(f, PROT_READ | PROT_WRITE, true, o, &most), 0);
  CHECK_EQ(most, PROT_READ | PROT_WRITE | PROT_EXEC);
  return f;
}

/* munmap, by the only process that maps it, and close. */
static void done(struct file *f, struct memobject *o) {
  fake_unmap(o);
  o->ops->put(o);
  file_close(f);
  CHECK_EQ(fs_sync(), 0);
  CHECK(cache_complete());
}

static bool all(const char *p, size_t n, int byte) {
  for (size_t i = 0; i < n; i++)
    if (p[i] != (char)byte)
      return false;
  return true;
}

/* All that the disk has room for; how many files that takes. */
static int fill_disk(void) {
  char name[] = "/fill-a";
  int r = 0;

  memset(buf, 'x', sizeof(buf));
  for (; r == 0; name[6]++)
    r = put_file(name, buf, sizeof(buf));
  CHECK_EQ(r, -ENOSPC);
  return name[6] - 'a';
}

static void empty_disk(int files) {
  char name[] = "/fill-a";

  for (; files > 0; files--, name[6]++)
    CHECK_EQ(fs_unlink(NULL, name), 0);
}

/* --- one cache --- */

static void same_bytes(void *arg) {
  struct fake_pte pte = {0}, other = {0};
  struct memobject *o;
  struct file *f = make("/f", 10000, 'a', &o);

  (void)arg;
  CHECK_EQ(fake_fault(&pte, o, 1, false), 0);
  CHECK(all(pte.page, PGSIZE, 'a'));
  CHECK_EQ(file_seek(f, PGSIZE + 5, SEEK_SET), PGSIZE + 5);
  CHECK_EQ(file_write(f, NULL, (vaddr_t) "xyz", 3), 3);
  CHECK(memcmp(pte.page + 4, "axyza", 5) == 0);
  CHECK_EQ(fake_fault(&other, o, 1, true), 0);
  CHECK(other.page == pte.page);
  memcpy(other.page + 100, "mapped", 6);
  CHECK_EQ(get_file("/f", PGSIZE + 100, buf, 6), 6);
  CHECK(memcmp(buf, "mapped", 6) == 0);
  /* from the mapping to the file that it maps */
  CHECK_EQ(file_seek(f, PGSIZE + 2, SEEK_SET), PGSIZE + 2);
  CHECK_EQ(file_write(f, NULL, (vaddr_t)pte.page, 200), 200);
  CHECK(memcmp(pte.page + 102, "mapped", 6) == 0);
  /* the last page: zeros beyond the end; and nothing behind it */
  CHECK_EQ(fake_fault(&pte, o, 2, false), 0);
  CHECK(all(pte.page, 10000 % PGSIZE, 'a'));
  CHECK(all(pte.page + 10000 % PGSIZE, PGSIZE - 10000 % PGSIZE, 0));
  CHECK_EQ(fake_fault(&pte, o, 3, false), -ENXIO);
  CHECK_EQ(fake_fault(&pte, o, 3, true), -ENXIO);
  CHECK_EQ(fake_fault(&pte, o, 1ULL << 40, false), -ENXIO);
  done(f, o);
}

static void rights(void *arg) {
  struct memobject *o;
  struct file *f, *w;
  uint most;

  (void)arg;
  CHECK_EQ(put_file("/f", "x", 1), 0);
  f = must_open("/f", O_RDONLY);
  CHECK_EQ(file_object(f, PROT_READ | PROT_WRITE, true, &o, &most), -EACCES);
  CHECK_EQ(file_object(f, PROT_READ | PROT_WRITE, false, &o, &most), 0);
  CHECK_EQ(most, PROT_READ | PROT_WRITE | PROT_EXEC);
  o->ops->put(o);
  CHECK_EQ(file_object(f, PROT_READ, true, &o, &most), 0);
  CHECK_EQ(most, PROT_READ | PROT_EXEC);
  o->ops->put(o);
  file_close(f);
  f = must_open("/f", O_WRONLY);
  CHECK_EQ(file_object(f, PROT_READ, false, &o, &most), -EACCES);
  CHECK_EQ(file_object(f, 0, true, &o, &most), -EACCES);
  file_close(f);
  f = must_open("/", O_RDONLY);
  CHECK_EQ(file_object(f, PROT_READ, false, &o, &most), -ENODEV);
  file_close(f);
  CHECK_EQ(pipe_alloc(&f, &w), 0);
  CHECK_EQ(file_object(f, PROT_READ, false, &o, &most), -ENODEV);
  file_close(f);
  file_close(w);
}

/* --- writing back --- */

static void changed(void *arg) {
  struct fake_pte pte[3] = {0};
  struct memobject *o;
  struct file *f = make("/f", 10000, 'a', &o);

  (void)arg;
  CHECK_EQ(fs_sync(), 0);
  for (int i = 0; i < 3; i++)
    CHECK_EQ(fake_fault(&pte[i], o, i, true), 0);
  for (int i = 0; i < 3; i++)
    memset(pte[i].page, '1' + i, PGSIZE); /* beyond the end, too */
  CHECK_EQ(o->ops->sync(o, 1, 3), 0);
  CHECK(fake_mapped(&pte[0], true));
  CHECK(fake_mapped(&pte[1], false) && !fake_mapped(&pte[1], true));
  CHECK(fake_mapped(&pte[2], false) && !fake_mapped(&pte[2], true));
  CHECK(all(pte[2].page + 10000 % PGSIZE, PGSIZE - 10000 % PGSIZE, 0));
  CHECK_EQ(fake_fault(&pte[1], o, 1, true), 0);
  memset(pte[1].page, '5', PGSIZE);
  CHECK_EQ(fs_sync(), 0);
  CHECK(!fake_mapped(&pte[0], true) && !fake_mapped(&pte[1], true));
  CHECK_EQ(fake_fault(&pte[0], o, 0, true), 0);
  pte[0].page[7] = '7'; /* is written back by the last to unmap it */
  done(f, o);
}

static void changed_on_disk(void *arg) {
  (void)arg;
  CHECK_EQ(get_file("/f", 0, buf, sizeof(buf)), 10000);
  CHECK_EQ(buf[7], '7');
  buf[7] = '1';
  CHECK(all(buf, PGSIZE, '1'));
  CHECK(all(buf + PGSIZE, PGSIZE, '5'));
  CHECK(all(buf + 2 * PGSIZE, 10000 - 2 * PGSIZE, '3'));
}

/* Nobody asks for it, and still it gets to the disk. */
static void flushed(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;
  struct file *f = make("/f", 100, 'a', &o);

  (void)arg;
  CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
  memset(pte.page, 'f', 100);
  while (fake_mapped(&pte, true))
    nanosleep(&(struct timespec){.tv_nsec = 10000000},
              NULL); /* until the thread takes W away; fs_run() has a limit */
  CHECK_EQ(get_file("/f", 0, buf, 200), 100);
  done(f, o);
}

static void flushed_on_disk(void *arg) {
  (void)arg;
  CHECK(file_is("/f", 100, 'f'));
}

/* Holes get blocks when they are written to, not when they are read. */
static void into_holes(void *arg) {
  struct fake_pte pte[4] = {0};
  struct memobject *o;
  struct file *f = make("/f", 1, 'a', &o);
  int files;

  (void)arg;
  CHECK_EQ(file_truncate(f, 100000), 0);
  CHECK_EQ(fake_fault(&pte[0], o, 10, true), 0);
  CHECK(all(pte[0].page, PGSIZE, 0));
  memset(pte[0].page, 'h', PGSIZE);
  CHECK_EQ(fake_fault(&pte[1], o, 11, false), 0);
  files = fill_disk();
  CHECK_EQ(fake_fault(&pte[1], o, 11, true), -ENOSPC);
  CHECK_EQ(fake_fault(&pte[2], o, 12, false), 0);
  CHECK_EQ(fake_fault(&pte[3], o, 10, true), 0);
  empty_disk(files);
  done(f, o);
}

static void holes_on_disk(void *arg) {
  (void)arg;
  CHECK_EQ(get_file("/f", 0, buf, sizeof(buf)), 100000);
  CHECK(all(buf + 1, 10 * PGSIZE - 1, 0));
  CHECK(all(buf + 10 * PGSIZE, PGSIZE, 'h'));
  CHECK(all(buf + 11 * PGSIZE, 100000 - 11 * PGSIZE, 0));
}

/* --- files that change their length --- */

static void cut_off(void *arg) {
  struct fake_pte pte[3] = {0};
  struct memobject *o;
  struct file *f = make("/f", 3 * PGSIZE, 'a', &o);

  (void)arg;
  for (int i = 0; i < 3; i++)
    CHECK_EQ(fake_fault(&pte[i], o, i, i > 0), 0);
  memset(pte[1].page, 'b', PGSIZE);
  CHECK_EQ(file_truncate(f, PGSIZE + 100), 0);
  CHECK(fake_mapped(&pte[0], false));
  CHECK(fake_mapped(&pte[1], false));
  CHECK(!fake_mapped(&pte[2], false));
  CHECK(all(pte[1].page, 100, 'b'));
  CHECK(all(pte[1].page + 100, PGSIZE - 100, 0));
  CHECK_EQ(fake_fault(&pte[2], o, 2, false), -ENXIO);
  CHECK_EQ(file_truncate(f, 0), 0);
  CHECK(!fake_mapped(&pte[0], false) && !fake_mapped(&pte[1], false));
  CHECK_EQ(file_truncate(f, 2 * PGSIZE), 0);
  CHECK_EQ(fake_fault(&pte[1], o, 1, false), 0);
  CHECK(all(pte[1].page, PGSIZE, 0));
  done(f, o);
}

/* A file that grows where a mapping has written beyond its end. What is in it
 * now has no blocks yet: the mapping must fault again. */
static void grown(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;
  struct file *f = make("/f", 100, 'a', &o);

  (void)arg;
  CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
  memset(pte.page, 'm', PGSIZE);
  CHECK_EQ(file_truncate(f, 3000), 0);
  CHECK_EQ(get_file("/f", 0, buf, sizeof(buf)), 3000);
  CHECK(all(buf, 100, 'm'));
  CHECK(all(buf + 100, 2900, 0));
  CHECK(fake_mapped(&pte, false) && !fake_mapped(&pte, true));
  CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
  pte.page[2999] = 'n';
  memset(pte.page + 3000, 'm', PGSIZE - 3000);
  CHECK_EQ(file_seek(f, 3500, SEEK_SET), 3500);
  CHECK_EQ(file_write(f, NULL, (vaddr_t) "w", 1), 1);
  CHECK(!fake_mapped(&pte, true));
  CHECK_EQ(get_file("/f", 2999, buf, 1000), 502);
  CHECK_EQ(buf[0], 'n');
  CHECK(all(buf + 1, 500, 0));
  CHECK_EQ(buf[501], 'w');
  done(f, o);
}

static void grown_on_disk(void *arg) {
  (void)arg;
  CHECK_EQ(get_file("/f", 0, buf, sizeof(buf)), 3501);
  CHECK(all(buf, 100, 'm'));
  CHECK(all(buf + 100, 2899, 0));
  CHECK_EQ(buf[2999], 'n');
  CHECK(all(buf + 3000, 500, 0));
  CHECK_EQ(buf[3500], 'w');
}

/* --- who is told that something cannot be written --- */

/* A file grows over a page that mappings write to, and there is no room for the
 * holes: the store is refused, so that no write-back later must lose it. */
static void grown_when_full(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;
  struct file *f = make("/f", 3, 'a', &o);
  int files;

  (void)arg;
  CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
  pte.page[0] = 'A';
  CHECK_EQ(file_truncate(f, PGSIZE), 0);
  files = fill_disk();
  CHECK(!fake_mapped(&pte, true));
  CHECK_EQ(fake_fault(&pte, o, 0, true), -ENOSPC);
  CHECK(!fake_mapped(&pte, true));
  CHECK_EQ(o->ops->sync(o, 0, 1), 0); /* the first block has its place */
  empty_disk(files);
  CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
  pte.page[2000] = 'Z';
  CHECK_EQ(o->ops->sync(o, 0, 1), 0);
  done(f, o);
}

static void refused_on_disk(void *arg) {
  (void)arg;
  CHECK_EQ(get_file("/f", 0, buf, sizeof(buf)), PGSIZE);
  CHECK_EQ(buf[0], 'A');
  CHECK_EQ(buf[2000], 'Z');
  buf[0] = buf[1] = buf[2] = buf[2000] = 0;
  CHECK(all(buf, PGSIZE, 0));
}

/* The same while the fault has found the page and not made its entry. */
static struct file *meant;

static void grow(void) { CHECK_EQ(file_truncate(meant, PGSIZE), 0); }

static void grown_between(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;
  int files;

  (void)arg;
  meant = make("/f", 3, 'a', &o);
  files = fill_disk();
  fake_fault_meanwhile = grow;
  CHECK_EQ(fake_fault(&pte, o, 0, true), -ENOSPC);
  empty_disk(files);
  done(meant, o);
}

/* When the log has failed, each who asks is told, each time: also for what an
 * unmapping or the thread had to write. */
static void log_failed(void *arg) {
  struct fake_pte pte[2] = {0};
  struct memobject *o, *other;
  struct file *f = make("/f", PGSIZE, 'a', &o);
  struct file *g = make("/g", PGSIZE, 'a', &other);

  (void)arg;
  CHECK_EQ(fs_sync(), 0);
  CHECK_EQ(fake_fault(&pte[0], o, 0, true), 0);
  CHECK_EQ(fake_fault(&pte[1], other, 0, true), 0);
  disk->fail_at = 0;
  disk->fail_on = true;
  CHECK_EQ(other->ops->sync(other, 0, 1), -EIO);
  CHECK(fake_mapped(&pte[0], true)); /* still dirty, and nobody can write it */
  fake_unmap(other);
  other->ops->put(other);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(o->ops->sync(o, 0, 1), -EIO);
    CHECK_EQ(fs_sync(), -EIO);
  }
  CHECK_EQ(fake_fault(&pte[0], o, 0, true), -EROFS);
  fake_unmap(o);
  o->ops->put(o);
  CHECK_EQ(fs_sync(), -EIO);
  file_close(f);
  file_close(g);
}

static void test_log_failed(void **state) {
  (void)state;
  disk_mkfs("1M", "30");
  assert_int_equal(fs_run(log_failed, NULL), 0);
  disk_reset();
}

/* The blocks of a file's second half cannot be looked up, or none be taken: who
 * would write to them is told. */
static void hole_unreadable(void *n) {
  struct fake_pte pte = {0};
  struct memobject *o;
  struct file *f = must_open("/f", O_RDWR);
  uint most;
  int r;

  CHECK_EQ(file_object(f, PROT_READ | PROT_WRITE, true, &o, &most), 0);
  disk->fail_at = *(long *)n;
  r = fake_fault(&pte, o, 4, true);
  disk->fail_at = -1;
  CHECK(r == 0 || r == -EIO);
  CHECK_EQ(fake_mapped(&pte, true), r == 0);
  CHECK_EQ(fake_fault(&pte, o, 4, true), 0); /* it failed once only */
  memset(pte.page, 'z', PGSIZE);
  done(f, o);
}

static void make_sparse(void *arg) {
  struct memobject *o;
  struct file *f = make("/f", 13 * BSIZE, 'a', &o);

  (void)arg;
  CHECK_EQ(file_truncate(f, 5 * PGSIZE), 0);
  done(f, o);
}

static void sparse_on_disk(void *arg) {
  (void)arg;
  CHECK_EQ(get_file("/f", 4 * PGSIZE, buf, sizeof(buf)), PGSIZE);
  CHECK(all(buf, PGSIZE, 'z'));
}

static void test_hole_unreadable(void **state) {
  (void)state;
  for (long n = 0; n < 6; n++) {
    disk_mkfs("1M", "30");
    assert_int_equal(fs_run(make_sparse, NULL), 0);
    assert_int_equal(fs_run(hole_unreadable, &n), 0);
    disk_reset();
    assert_int_equal(disk_fsck(true), 0);
    assert_int_equal(fs_run(sparse_on_disk, NULL), 0);
  }
}

/* --- what comes between finding a page and mapping it --- */

static void write_all_back(void) { CHECK_EQ(fs_sync(), 0); }

static void cut_all_off(void) {
  CHECK_EQ(file_truncate(meant, 0), 0);
  CHECK(cache_complete()); /* with the page that the fault has */
}

static void between(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;

  (void)arg;
  meant = make("/f", 2 * PGSIZE, 'a', &o);
  fake_fault_meanwhile = write_all_back;
  CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
  memset(pte.page, 'b', PGSIZE);
  CHECK_EQ(fs_sync(), 0);
  CHECK(!fake_mapped(&pte, true)); /* or the change would be lost */
  CHECK_EQ(file_write(meant, NULL, (vaddr_t) "end", 3), 3);
  fake_fault_meanwhile = cut_all_off;
  CHECK_EQ(fake_fault(&pte, o, 1, false), -ENXIO);
  CHECK(!fake_mapped(&pte, false));
  done(meant, o);
}

/* --- pages that stay --- */

/* Reading more than the cache holds evicts no page that is mapped. */
static void evicting(void *arg) {
  struct fake_pte pte[2] = {0}, again = {0};
  struct memobject *o;
  struct file *f = make("/f", 2 * PGSIZE, 'a', &o);

  (void)arg;
  CHECK_EQ(fake_fault(&pte[0], o, 0, true), 0);
  CHECK_EQ(fake_fault(&pte[1], o, 1, false), 0);
  memset(pte[0].page, 'b', PGSIZE);
  for (int i = 0; i < 6; i++) {
    char name[] = {'/', 'f', '0' + i % 3, 0};

    memset(buf, 'x', 200000);
    CHECK_EQ(put_file(name, buf, 200000), 0);
    CHECK(file_is(name, 200000, 'x'));
    CHECK_EQ(fs_sync(), 0);
  }
  CHECK_EQ(fake_fault(&again, o, 1, false), 0);
  CHECK(again.page == pte[1].page);
  CHECK(all(pte[0].page, PGSIZE, 'b'));
  CHECK(all(pte[1].page, PGSIZE, 'a'));
  done(f, o);
}

static void evicted_on_disk(void *arg) {
  (void)arg;
  CHECK_EQ(get_file("/f", 0, buf, PGSIZE), PGSIZE);
  CHECK(all(buf, PGSIZE, 'b'));
}

/* A mapping keeps a file without a name, as an open descriptor does; with the
 * last of them its blocks are free (fsck finds no orphan). */
static void unlinked(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;
  struct file *f;

  (void)arg;
  for (int i = 0; i < 20; i++) { /* more than the disk holds at once */
    f = make("/u", 200000, 'u', &o);
    CHECK_EQ(fs_unlink(NULL, "/u"), 0);
    file_close(f);
    CHECK_EQ(fake_fault(&pte, o, 30, true), 0);
    CHECK(all(pte.page, PGSIZE, 'u'));
    memset(pte.page, 'v', PGSIZE);
    CHECK_EQ(fs_sync(), 0);
    CHECK(all(pte.page, PGSIZE, 'v'));
    fake_unmap(o);
    o->ops->put(o);
    CHECK(cache_complete());
  }
}

/* --- programs that run --- */

static int open_error(const char *path, int flags) {
  int err = 0;

  CHECK(file_open(NULL, path, flags, &err) == NULL);
  return err;
}

static void running(void *arg) {
  struct fake_pte pte = {0};
  struct memobject *o;
  struct inode *ip;
  struct file *f;
  int err;

  (void)arg;
  CHECK_EQ(put_file("/p", "code", 4), 0);
  ip = namei(NULL, "/p", &err);
  CHECK_EQ(inode_deny_write(ip), 0);
  CHECK_EQ(inode_deny_write(ip), 0);
  CHECK_EQ(open_error("/p", O_WRONLY), -ETXTBSY);
  CHECK_EQ(open_error("/p", O_RDWR), -ETXTBSY);
  CHECK_EQ(open_error("/p", O_RDONLY | O_TRUNC), -ETXTBSY);
  CHECK_EQ(open_error("/p", O_CREATE | O_TRUNC | O_WRONLY), -ETXTBSY);
  file_close(must_open("/p", O_RDONLY));
  inode_allow_write(ip);
  CHECK_EQ(open_error("/p", O_WRONLY), -ETXTBSY);
  inode_allow_write(ip);
  f = must_open("/p", O_RDWR);
  CHECK_EQ(inode_deny_write(ip), -ETXTBSY);
  file_close(must_open("/p", O_WRONLY));
  file_close(must_open("/p", O_RDONLY | O_TRUNC));
  CHECK_EQ(inode_deny_write(ip), -ETXTBSY);
  file_close(f);
  f = make("/p", 100, 'p', &o);
  file_close(f);
  CHECK_EQ(fake_fault(&pte, o, 0, true), 0);
  CHECK_EQ(inode_deny_write(ip), -ETXTBSY);
  fake_unmap(o);
  CHECK_EQ(inode_deny_write(ip), 0);
  o->ops->put(o);
  CHECK_EQ(fs_unlink(NULL, "/p"), 0);
  inode_allow_write(ip);
  iput(ip);
}

/* --- at once --- */

#define FILE_PAGES 4
#define MAPPERS 3
#define STEPS 3000

static struct memobject *shared;
static struct file *shared_file;
static uint left; /* mappers that have not finished */

/* Counts in its own place of each page, through a mapping that others take
 * away from it and write back; no step may be lost. The store is made as a CPU
 * would: only while the entry allows it. */
static void count_up(struct fake_pte *pte, uint page, uint place) {
  bool done = false;

  while (!done) {
    CHECK_EQ(fake_fault(pte, shared, page, true), 0);
    done = fake_store(pte, place * sizeof(uint));
  }
}

static void *mapper(void *arg) {
  static struct fake_pte pte[MAPPERS][FILE_PAGES];
  uint me = (long)arg;

  for (int step = 0; step < STEPS; step++)
    count_up(&pte[me][step % FILE_PAGES], step % FILE_PAGES, me);
  __atomic_fetch_sub(&left, 1, __ATOMIC_RELEASE);
  return NULL;
}

/* Writes all back, and uses so many other pages that what is not in use goes. */
static void *disturber(void *unused) {
  static char other[100000];

  while (__atomic_load_n(&left, __ATOMIC_ACQUIRE) > 0) {
    CHECK_EQ(shared->ops->sync(shared, 0, FILE_PAGES), 0);
    CHECK_EQ(put_file("/other", other, sizeof(other)), 0);
    CHECK(get_file("/other", 0, other, sizeof(other)) == sizeof(other));
    fake_unmap(shared);
  }
  return unused;
}

/* Cuts the file off behind the pages that count, and lets it grow again. */
static void *cutter(void *unused) {
  struct fake_pte pte = {0};

  while (__atomic_load_n(&left, __ATOMIC_ACQUIRE) > 0) {
    int r;

    CHECK_EQ(file_truncate(shared_file, (FILE_PAGES + 2) * PGSIZE), 0);
    CHECK_EQ(fake_fault(&pte, shared, FILE_PAGES + 1, true), 0);
    fake_store(&pte, 0);
    CHECK_EQ(file_truncate(shared_file, FILE_PAGES * PGSIZE + 10), 0);
    r = fake_fault(&pte, shared, FILE_PAGES + 1, false);
    CHECK_EQ(r, -ENXIO);
  }
  return unused;
}

static void at_once(void *arg) {
  pthread_t t[MAPPERS + 2];

  (void)arg;
  shared_file = make("/f", FILE_PAGES * PGSIZE, 0, &shared);
  left = MAPPERS;
  for (long i = 0; i < MAPPERS; i++)
    pthread_create(&t[i], NULL, mapper, (void *)i);
  pthread_create(&t[MAPPERS], NULL, disturber, NULL);
  pthread_create(&t[MAPPERS + 1], NULL, cutter, NULL);
  for (int i = 0; i < MAPPERS + 2; i++)
    pthread_join(t[i], NULL);
  done(shared_file, shared);
}

static void counted_on_disk(void *arg) {
  uint counts[MAPPERS];

  (void)arg;
  for (int page = 0; page < FILE_PAGES; page++) {
    CHECK_EQ(get_file("/f", page * PGSIZE, counts, sizeof(counts)),
             sizeof(counts));
    for (int i = 0; i < MAPPERS; i++)
      CHECK_EQ(counts[i], STEPS / FILE_PAGES);
  }
}

#define TEST(name, after) \
  static void test_##name(void **state) { (void)state, run(name, after); }
TEST(same_bytes, NULL)
TEST(rights, NULL)
TEST(changed, changed_on_disk)
TEST(flushed, flushed_on_disk)
TEST(into_holes, holes_on_disk)
TEST(cut_off, NULL)
TEST(grown, grown_on_disk)
TEST(grown_when_full, refused_on_disk)
TEST(grown_between, NULL)
TEST(between, NULL)
TEST(evicting, evicted_on_disk)
TEST(unlinked, NULL)
TEST(running, NULL)
TEST(at_once, counted_on_disk)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_bytes),
      cmocka_unit_test(test_rights),
      cmocka_unit_test(test_changed),
      cmocka_unit_test(test_flushed),
      cmocka_unit_test(test_into_holes),
      cmocka_unit_test(test_cut_off),
      cmocka_unit_test(test_grown),
      cmocka_unit_test(test_between),
      cmocka_unit_test(test_grown_when_full),
      cmocka_unit_test(test_grown_between),
      cmocka_unit_test(test_log_failed),
      cmocka_unit_test(test_hole_unreadable),
      cmocka_unit_test(test_evicting),
      cmocka_unit_test(test_unlinked),
      cmocka_unit_test(test_running),
      cmocka_unit_test(test_at_once),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
