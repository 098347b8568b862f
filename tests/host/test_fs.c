/*
 * The file system: what its operations do, alone and many at once.
 */
/* sources: kernel/fs/balloc.c kernel/fs/bcache.c kernel/fs/content.c kernel/fs/dir.c kernel/fs/file.c kernel/fs/filemap.c kernel/fs/fsops.c kernel/fs/inode.c kernel/fs/log.c kernel/fs/mount.c kernel/fs/namecache.c kernel/fs/path.c kernel/fs/pipe.c kernel/dev/block.c tests/host/fs_fakes.c tests/host/fs_mkfs.c tests/host/fs_fsck.c */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <string.h>

#include "fs_fakes.h"

#include <cmocka.h>

#include "abi/fcntl.h"
#include "fs/balloc.h"
#include "fs/bcache.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/mount.h"
#undef printf
#undef snprintf

static char buf[MAXFILE * BSIZE];

static void run(void (*test)(void *)) {
  disk_mkfs("1M", "64");
  assert_int_equal(fs_run(test, NULL), 0);
  assert_int_equal(disk_fsck(true), 0);
  disk_mkfs("1M", "30"); /* the log of xv6's own images */
  assert_int_equal(fs_run(test, NULL), 0);
  assert_int_equal(disk_fsck(true), 0);
}

static struct file *must_open(const char *path, int flags) {
  int err = 0;
  struct file *f = file_open(NULL, path, flags, &err);

  CHECK_EQ(err, 0);
  CHECK(f != NULL);
  return f;
}

static int open_error(const char *path, int flags) {
  int err = 0;
  struct file *f = file_open(NULL, path, flags, &err);

  CHECK(f == NULL);
  return err;
}

/* --- files --- */

static void content(void *arg) {
  (void)arg;
  for (size_t n = 0; n < 5000; n += 513) {
    memset(buf, 'a' + n % 26, n);
    CHECK_EQ(put_file("/f", buf, n), 0);
    CHECK(file_is("/f", n, 'a' + n % 26));
  }
  CHECK_EQ(get_file("README", 0, buf, 2), 2);
  CHECK_EQ(buf[0], '#');
}

static void largest(void *arg) {
  struct file *f = must_open("/big", O_CREATE | O_RDWR);

  (void)arg;
  memset(buf, 'x', sizeof(buf));
  CHECK_EQ(file_write(f, NULL, (vaddr_t)buf, sizeof(buf)), sizeof(buf));
  CHECK_EQ(file_write(f, NULL, (vaddr_t)buf, 1), -EFBIG);
  CHECK(file_is("/big", sizeof(buf), 'x'));
  CHECK_EQ(file_seek(f, -3, SEEK_END), sizeof(buf) - 3);
  CHECK_EQ(file_write(f, NULL, (vaddr_t)buf, 10), 3);
  CHECK_EQ(file_truncate(f, sizeof(buf) + 1), -EFBIG);
  file_close(f);
  CHECK_EQ(fs_unlink(NULL, "/big"), 0);
}

static void holes(void *arg) {
  struct file *f = must_open("/h", O_CREATE | O_RDWR);

  (void)arg;
  memset(buf, 'x', 3000);
  CHECK_EQ(file_write(f, NULL, (vaddr_t)buf, 3000), 3000);
  CHECK_EQ(file_truncate(f, 100), 0);
  CHECK_EQ(file_truncate(f, 200000), 0);
  CHECK_EQ(get_file("/h", 0, buf, sizeof(buf)), 200000);
  for (int i = 0; i < 200000; i++)
    CHECK_EQ(buf[i], i < 100 ? 'x' : 0);
  CHECK_EQ(file_seek(f, 150000, SEEK_SET), 150000);
  CHECK_EQ(file_write(f, NULL, (vaddr_t) "y", 1), 1);
  CHECK_EQ(get_file("/h", 149999, buf, 3), 3);
  CHECK(memcmp(buf, "\0y", 3) == 0);
  CHECK_EQ(file_write(f, NULL, 8, 2000), -EFAULT);
  CHECK_EQ(file_seek(f, 250000, SEEK_SET), 250000);
  CHECK_EQ(file_write(f, NULL, 8, 2000), -EFAULT);
  CHECK_EQ(file_truncate(f, 260000), 0);
  CHECK_EQ(get_file("/h", 249000, buf, 9000), 9000);
  for (int i = 0; i < 9000; i++)
    CHECK_EQ(buf[i], 0);
  file_close(f);
}

static void append(void *arg) {
  struct file *a = must_open("/log", O_CREATE | O_WRONLY | O_APPEND);
  struct file *b = must_open("/log", O_WRONLY | O_APPEND);

  (void)arg;
  for (int i = 0; i < 100; i++)
    CHECK_EQ(file_write(i % 2 ? a : b, NULL, (vaddr_t) "zzzz", 4), 4);
  CHECK(file_is("/log", 400, 'z'));
  CHECK_EQ(file_read(a, NULL, (vaddr_t)buf, 1), -EBADF);
  file_close(a);
  file_close(b);
  a = must_open("/log", O_RDONLY);
  CHECK_EQ(file_write(a, NULL, (vaddr_t)buf, 1), -EBADF);
  CHECK_EQ(file_truncate(a, 0), -EBADF);
  file_close(a);
}

/* What is read to or written from is often not there yet. */
static void absent(void *arg) {
  static char data[30000], back[sizeof(data)];
  struct file *f = must_open("/f", O_CREATE | O_RDWR);

  (void)arg;
  for (uint i = 0; i < sizeof(data); i++)
    data[i] = i * 7 / 5;
  for (absent_every = 2; absent_every < 9; absent_every++) {
    CHECK_EQ(file_seek(f, 0, SEEK_SET), 0);
    CHECK_EQ(file_write(f, NULL, (vaddr_t)data, sizeof(data)), sizeof(data));
    CHECK_EQ(file_seek(f, 123, SEEK_SET), 123);
    memset(back, 0, sizeof(back));
    CHECK_EQ(file_read(f, NULL, (vaddr_t)back, sizeof(back)),
             sizeof(data) - 123);
    CHECK(memcmp(back, data + 123, sizeof(data) - 123) == 0);
    CHECK_EQ(file_read(f, NULL, (vaddr_t)back, sizeof(back)), 0);
  }
  absent_every = 0;
  file_close(f);
}

/* A name is gone at once, the file when the last descriptor is closed. */
static void unlinked_but_open(void *arg) {
  struct file *f;
  struct stat st;

  (void)arg;
  CHECK_EQ(put_file("/u", "hello", 5), 0);
  f = must_open("/u", O_RDWR);
  CHECK_EQ(fs_unlink(NULL, "/u"), 0);
  CHECK_EQ(open_error("/u", O_RDONLY), -ENOENT);
  CHECK_EQ(file_read(f, NULL, (vaddr_t)buf, 10), 5);
  CHECK_EQ(file_stat(f, &st), 0);
  CHECK_EQ(st.nlink, 0);
  file_close(f);
}

/* --- names --- */

static void names(void *arg) {
  short type, nlink;
  uint64 size;

  (void)arg;
  CHECK_EQ(open_error("", O_RDWR), -EISDIR); /* it is the root */
  CHECK_EQ(open_error("", O_CREATE), -ENOENT);
  CHECK_EQ(open_error("/nothing", O_RDONLY), -ENOENT);
  CHECK_EQ(open_error("/README/x", O_RDONLY), -ENOTDIR);
  CHECK_EQ(open_error("/", O_RDWR), -EISDIR);
  CHECK_EQ(open_error("/", O_CREATE), -EISDIR);
  CHECK_EQ(open_error("//", O_CREATE), -EISDIR);
  CHECK_EQ(open_error(".", O_CREATE), -EISDIR);
  CHECK_EQ(fs_mkdir(NULL, "/d"), 0);
  CHECK_EQ(fs_mkdir(NULL, "/d"), -EEXIST);
  CHECK_EQ(open_error("/d", O_CREATE | O_RDWR), -EISDIR);
  CHECK_EQ(put_file("/d/averylongname15", "1", 1), 0);
  CHECK_EQ(stat_path("/d/averylongname1X", &type, &nlink, &size), 0);
  CHECK_EQ(fs_unlink(NULL, "/d"), -ENOTEMPTY);
  CHECK_EQ(fs_unlink(NULL, "/d/."), -EINVAL);
  CHECK_EQ(fs_unlink(NULL, "/d/.."), -EINVAL);
  CHECK_EQ(fs_unlink(NULL, "/"), -EISDIR);
  CHECK_EQ(fs_link(NULL, "/d", "/e"), -EPERM);
  CHECK_EQ(fs_link(NULL, "/README", "/d"), -EEXIST);
  CHECK_EQ(fs_link(NULL, "/README", "/d/r"), 0);
  CHECK_EQ(stat_path("/README", &type, &nlink, &size), 0);
  CHECK_EQ(nlink, 2);
  CHECK_EQ(fs_unlink(NULL, "/d/r"), 0);
  CHECK_EQ(fs_unlink(NULL, "/d/averylongname1"), 0);
  CHECK_EQ(fs_unlink(NULL, "///d///"), 0);
  CHECK_EQ(stat_path("/", &type, &nlink, &size), 0);
  CHECK_EQ(nlink, 1);
}

static void renames(void *arg) {
  short type, nlink;
  uint64 size;

  (void)arg;
  CHECK_EQ(fs_mkdir(NULL, "a"), 0);
  CHECK_EQ(fs_mkdir(NULL, "a/b"), 0);
  CHECK_EQ(fs_mkdir(NULL, "a/b/c"), 0);
  CHECK_EQ(fs_mkdir(NULL, "z"), 0);
  CHECK_EQ(put_file("f", "1", 1), 0);
  CHECK_EQ(put_file("g", "22", 2), 0);
  CHECK_EQ(fs_rename(NULL, "a", "a/b/x"), -EINVAL);
  CHECK_EQ(fs_rename(NULL, "a", "a/x"), -EINVAL);
  CHECK_EQ(fs_rename(NULL, "a/b/c", "a/b"), -ENOTEMPTY);
  CHECK_EQ(fs_rename(NULL, "a/b/c", "a/b/c"), 0);
  CHECK_EQ(fs_rename(NULL, "z", "a"), -ENOTEMPTY);
  CHECK_EQ(fs_rename(NULL, "f", "z"), -EISDIR);
  CHECK_EQ(fs_rename(NULL, "z", "f"), -ENOTDIR);
  CHECK_EQ(fs_rename(NULL, "nothing", "f"), -ENOENT);
  CHECK_EQ(fs_rename(NULL, ".", "f"), -EINVAL);
  CHECK_EQ(fs_rename(NULL, "f", "g"), 0);
  CHECK_EQ(stat_path("g", &type, &nlink, &size), 0);
  CHECK_EQ(size, 1);
  CHECK_EQ(stat_path("f", &type, &nlink, &size), -ENOENT);
  CHECK_EQ(fs_rename(NULL, "a/b", "z/moved"), 0);
  CHECK_EQ(stat_path("a", &type, &nlink, &size), 0);
  CHECK_EQ(nlink, 1);
  CHECK_EQ(stat_path("z/moved/..", &type, &nlink, &size), 0);
  CHECK_EQ(nlink, 2);
  CHECK_EQ(fs_rename(NULL, "a", "z/moved/c"), 0);
  CHECK_EQ(fs_link(NULL, "g", "h"), 0);
  CHECK_EQ(fs_rename(NULL, "g", "h"), 0);
  CHECK_EQ(stat_path("g", &type, &nlink, &size), 0);
}

static uint64 size_of(const char *path) {
  short type, nlink;
  uint64 size = 0;

  CHECK_EQ(stat_path(path, &type, &nlink, &size), 0);
  return size;
}

/* What was taken out of a directory is room for others, in whatever order: it does
 * not grow. */
static void room(void *arg) {
  static const char *const files[] = {"/d/0", "/d/1", "/d/2", "/d/3"};
  const uint n = sizeof(files) / sizeof(files[0]);
  const uint64 full = (2 + n) * sizeof(struct dirent); /* . and .. */

  (void)arg;
  CHECK_EQ(fs_mkdir(NULL, "/d"), 0);
  for (uint i = 0; i < n; i++)
    CHECK_EQ(put_file(files[i], "", 0), 0);
  CHECK_EQ(size_of("/d"), full);
  for (uint i = 0; i < n; i++) {
    for (uint k = 1; k < n; k++) {
      const char *one = files[i], *two = files[(i + k) % n];

      CHECK_EQ(fs_unlink(NULL, one), 0);
      CHECK_EQ(fs_unlink(NULL, two), 0);
      CHECK_EQ(put_file(one, "", 0), 0);
      CHECK_EQ(put_file(two, "", 0), 0);
      CHECK_EQ(size_of("/d"), full);
    }
  }
}

static void getcwd_removed(void *arg) {
  struct inode *d;
  char path[100];
  int err;

  (void)arg;
  CHECK_EQ(fs_getcwd(NULL, path, sizeof(path)), 0);
  CHECK(strcmp(path, "/") == 0);
  CHECK_EQ(fs_mkdir(NULL, "one"), 0);
  CHECK_EQ(fs_mkdir(NULL, "one/two"), 0);
  d = fs_directory(NULL, "one/two", &err);
  CHECK(d != NULL);
  CHECK_EQ(fs_getcwd(d, path, sizeof(path)), 0);
  CHECK(strcmp(path, "/one/two") == 0);
  CHECK_EQ(fs_getcwd(d, path, 9), 0);
  CHECK_EQ(fs_getcwd(d, path, 8), -ERANGE);
  CHECK_EQ(fs_unlink(NULL, "one/two"), 0);
  CHECK_EQ(fs_getcwd(d, path, sizeof(path)), -ENOENT);
  CHECK_EQ(fs_mkdir(d, "x"), -ENOENT);
  CHECK(namei(d, "..", &err) == NULL);
  iput(d);
}

/* --- running out --- */

/* Write a file block by block until that fails: how. */
static int fill(const char *name) {
  struct file *f = must_open(name, O_CREATE | O_WRONLY);
  ssize_t r;

  do
    r = file_write(f, NULL, (vaddr_t)buf, BSIZE);
  while (r == BSIZE);
  file_close(f);
  return r;
}

static void full(void *arg) {
  char name[] = "/full-a";
  int r = -EFBIG;

  (void)arg;
  memset(buf, 'x', sizeof(buf));
  CHECK_EQ(put_file("/small", buf, BSIZE), 0);
  for (; r == -EFBIG; name[6]++)
    r = fill(name);
  CHECK_EQ(r, -ENOSPC); /* the last block was whole */
  CHECK_EQ(put_file("/more", buf, 1), -ENOSPC);
  /* looking for one more after a free one, it comes to the end of the disk */
  CHECK_EQ(fs_unlink(NULL, "/small"), 0);
  CHECK_EQ(fill("/more"), -ENOSPC);
  CHECK_EQ(fs_sync(), 0);
  while (--name[6] >= 'a')
    CHECK_EQ(fs_unlink(NULL, name), 0);
  CHECK_EQ(fs_unlink(NULL, "/more"), 0);
  CHECK_EQ(put_file("/again", buf, sizeof(buf)), 0);
}

static void out_of_inodes(void *arg) {
  char name[DIRSIZ + 1];
  int n = 0, r = 0;

  (void)arg;
  while (r == 0) {
    snprintf(name, sizeof(name), "/i%d", n);
    r = n % 3 ? put_file(name, "", 0) : fs_mkdir(NULL, name);
    n += r == 0;
  }
  CHECK_EQ(r, -ENOSPC);
  CHECK_EQ(n, 200 - 3); /* number 0, the root and README */
  while (n-- > 0) {
    snprintf(name, sizeof(name), "/i%d", n);
    CHECK_EQ(fs_unlink(NULL, name), 0);
  }
}

/* Link a file into a directory until that fails: how. */
static int link_all(const char *file, const char *directory, uint *n) {
  char name[24];
  int r = 0;

  for (*n = 0; r == 0; *n += r == 0) {
    snprintf(name, sizeof(name), "%s/%x", directory, *n);
    r = fs_link(NULL, file, name);
  }
  return r;
}

/* A directory has no more names than a file has room for, and a file no more
 * links than can be counted. */
static void most_links(void *arg) {
  short type, nlink;
  uint64 size;
  uint n, more;

  (void)arg;
  CHECK_EQ(put_file("/file", "", 0), 0);
  CHECK_EQ(fs_mkdir(NULL, "/d"), 0);
  CHECK_EQ(fs_mkdir(NULL, "/e"), 0);
  CHECK_EQ(link_all("/file", "/d", &n), -ENOSPC);
  CHECK_EQ(n, MAXFILE * BSIZE / sizeof(struct dirent) - 2); /* . and .. */
  CHECK_EQ(link_all("/file", "/e", &more), -EMLINK);
  CHECK_EQ(1 + n + more, INT16_MAX);
  CHECK_EQ(stat_path("/file", &type, &nlink, &size), 0);
  CHECK_EQ(nlink, INT16_MAX);
}

static void test_most_links(void **state) {
  (void)state;
  disk_mkfs("1M", "64");
  assert_int_equal(fs_run(most_links, NULL), 0);
  assert_int_equal(disk_fsck(true), 0);
}

/* --- many at once --- */

#define WORKERS 4
#define STEPS 400

/* Each worker has files of its own to check, and names that all fight for. */
static void *worker(void *arg) {
  uint seed = 77 + (uint)(long)arg;
  char own[16], path[2][24], data[6000];
  struct inode *d;

  snprintf(own, sizeof(own), "/own%ld", (long)arg);
  for (int step = 0; step < STEPS; step++) {
    uint size = random_below(&seed, sizeof(data));

    for (int i = 0; i < 2; i++)
      snprintf(path[i], sizeof(path[i]), "/%s%u",
               random_below(&seed, 2) ? "d1/f" : "d2/f",
               random_below(&seed, 4));
    memset(data, 'a' + step % 26, size);
    switch (random_below(&seed, 8)) {
      case 0:
        fs_rename(NULL, path[0], path[1]);
        break;
      case 1:
        fs_unlink(NULL, path[0]);
        break;
      case 2:
        fs_link(NULL, path[0], path[1]);
        break;
      case 3:
        put_file(path[0], data, size);
        break;
      case 4:
        fs_mkdir(NULL, path[0]);
        break;
      case 5:
        fs_rename(NULL, "/d1", "/d3");
        fs_rename(NULL, "/d3", "/d1");
        break;
      case 6:
        if ((d = namei(NULL, path[0], &(int){0})) != NULL)
          iput(d);
        break;
      default:
        CHECK_EQ(put_file(own, data, size), 0);
        CHECK(get_file(own, 0, data, sizeof(data)) == (ssize_t)size);
        if (size > 0)
          CHECK_EQ(data[size - 1], 'a' + step % 26);
    }
  }
  return NULL;
}

static void many(void *arg) {
  pthread_t t[WORKERS];

  (void)arg;
  CHECK_EQ(fs_mkdir(NULL, "/d1"), 0);
  CHECK_EQ(fs_mkdir(NULL, "/d2"), 0);
  for (long i = 0; i < WORKERS; i++)
    pthread_create(&t[i], NULL, worker, (void *)i);
  for (int i = 0; i < WORKERS; i++)
    pthread_join(t[i], NULL);
}

/* --- transactions --- */

static int inside; /* an operation, and that for some time */

static void stay_inside(void) {
  for (int i = 0; i < 20000; i++)
    sched_yield();
  __atomic_store_n(&inside, false, __ATOMIC_SEQ_CST);
}

static void *must_sync(void *arg) {
  CHECK_EQ(fs_sync(), 0);
  CHECK(!__atomic_load_n(&inside, __ATOMIC_SEQ_CST));
  return arg;
}

static void *must_begin(void *arg) {
  CHECK_EQ(begin_op(1), 0);
  CHECK(!__atomic_load_n(&inside, __ATOMIC_SEQ_CST));
  end_op(1);
  return arg;
}

static void *must_read(void *arg) {
  struct buf *b;

  CHECK_EQ(bread(fs.sb.bmapstart, &b), 0);
  CHECK(!__atomic_load_n(&inside, __ATOMIC_SEQ_CST));
  brelse(b);
  return arg;
}

/* A transaction is not over while an operation is under way, and nobody else
 * gets the room in the log that one has asked for, nor the block that one works
 * on. */
static void operations(void *arg) {
  pthread_t t;
  struct buf *b;

  (void)arg;
  CHECK_EQ(begin_op(1), 0);
  CHECK_EQ(bread(fs.sb.bmapstart, &b), 0);
  log_write(b);
  brelse(b);
  inside = true;
  pthread_create(&t, NULL, must_sync, NULL);
  stay_inside();
  end_op(1);
  pthread_join(t, NULL);

  CHECK_EQ(begin_op(log_capacity()), 0);
  inside = true;
  pthread_create(&t, NULL, must_begin, NULL);
  stay_inside();
  end_op(log_capacity());
  pthread_join(t, NULL);

  CHECK_EQ(bread(fs.sb.bmapstart, &b), 0);
  inside = true;
  pthread_create(&t, NULL, must_read, NULL);
  stay_inside();
  brelse(b);
  pthread_join(t, NULL);
}

#define REUSES 40
#define REUSED_BLOCKS 5

static int put_blocks(const char *path, uint n, int byte) {
  memset(buf, byte, n * BSIZE);
  return put_file(path, buf, n * BSIZE);
}

/* Blocks that are written, freed, and another file's, all in one transaction and
 * in any order. */
static void use_again(void *arg) {
  char name[24];
  uint seed = 4711;

  (void)arg;
  for (int i = 0; i < REUSES; i++) {
    snprintf(name, sizeof(name), "/again%d", i);
    CHECK_EQ(put_blocks("/gone1", 1 + random_below(&seed, 4), 'x'), 0);
    CHECK_EQ(put_blocks("/gone2", 1 + random_below(&seed, 4), 'y'), 0);
    CHECK_EQ(fs_unlink(NULL, i % 2 ? "/gone1" : "/gone2"), 0);
    CHECK_EQ(put_blocks("/gone3", 1 + random_below(&seed, 4), 'z'), 0);
    CHECK_EQ(fs_unlink(NULL, i % 2 ? "/gone2" : "/gone1"), 0);
    CHECK_EQ(fs_unlink(NULL, "/gone3"), 0);
    CHECK_EQ(fs_mkdir(NULL, "/gone3"), 0);
    CHECK_EQ(fs_unlink(NULL, "/gone3"), 0);
    CHECK_EQ(put_blocks(name, REUSED_BLOCKS, 'A' + i), 0);
  }
}

static void find_again(void *arg) {
  char name[24];

  (void)arg;
  for (int i = 0; i < REUSES; i++) {
    snprintf(name, sizeof(name), "/again%d", i);
    CHECK(file_is(name, REUSED_BLOCKS * BSIZE, 'A' + i));
  }
}

static void test_blocks_used_again(void **state) {
  uchar boot[BSIZE]; /* whose number is that of a block that is gone */

  (void)state;
  disk_mkfs("1M", "64");
  memcpy(boot, disk->data, BSIZE);
  assert_int_equal(fs_run(use_again, NULL), 0);
  assert_memory_equal(disk->data, boot, BSIZE);
  assert_int_equal(fs_run(find_again, NULL), 0);
}

static uint taken; /* the block that another was given */

static void take_block(void) {
  struct buf *b;

  CHECK_EQ(balloc(&taken), 0);
  CHECK_EQ(bnew(taken, &b), 0);
  memset(b->data, 'y', BSIZE);
  log_write(b);
  brelse(b);
}

/* A directory's block is given to another as soon as it is free, while who
 * frees it is not yet done: what the other writes gets to the disk. */
static void free_and_taken(void *arg) {
  (void)arg;
  CHECK_EQ(fs_mkdir(NULL, "/d"), 0);
  fake_released = (struct fake_released){"balloc", take_block};
  CHECK_EQ(fs_unlink(NULL, "/d"), 0);
  CHECK(taken != 0);
  CHECK_EQ(fs_sync(), 0);
  for (uint i = 0; i < BSIZE; i++)
    CHECK_EQ(disk->data[taken * BSIZE + i], 'y');
  CHECK_EQ(begin_op(1), 0);
  CHECK_EQ(bfree(taken, NULL), 0);
  end_op(1);
}

/* --- pipes --- */

#define STREAM 200000

static void *pipe_writer(void *arg) {
  static char data[STREAM];

  for (int i = 0; i < STREAM; i++)
    data[i] = i % 251;
  CHECK_EQ(file_write(arg, NULL, (vaddr_t)data, STREAM), STREAM);
  file_close(arg);
  return NULL;
}

static void pipes(void *arg) {
  struct file *r, *w;
  ssize_t n, total = 0;
  pthread_t t;

  (void)arg;
  CHECK_EQ(pipe_alloc(&r, &w), 0);
  CHECK_EQ(file_read(w, NULL, (vaddr_t)buf, 1), -EBADF);
  pthread_create(&t, NULL, pipe_writer, w);
  while ((n = file_read(r, NULL, (vaddr_t)buf, 777)) > 0)
    for (ssize_t i = 0; i < n; i++)
      CHECK_EQ((uchar)buf[i], total++ % 251);
  CHECK_EQ(n, 0);
  CHECK_EQ(total, STREAM);
  pthread_join(t, NULL);
  file_close(r);
  CHECK_EQ(pipe_alloc(&r, &w), 0);
  CHECK_EQ(file_write(w, NULL, 8, 100), -EFAULT);
  CHECK_EQ(file_write(w, NULL, (vaddr_t) "abc", 3), 3);
  CHECK_EQ(file_read(r, NULL, 8, 3), -EFAULT);
  CHECK_EQ(file_read(r, NULL, (vaddr_t)buf, 10), 3);
  file_close(r);
  CHECK_EQ(file_write(w, NULL, (vaddr_t) "abc", 3), -EPIPE);
  file_close(w);
}

#define TEST(name) \
  static void test_##name(void **state) { (void)state, run(name); }
TEST(content)
TEST(largest)
TEST(holes)
TEST(append)
TEST(absent)
TEST(unlinked_but_open)
TEST(names)
TEST(renames)
TEST(room)
TEST(getcwd_removed)
TEST(full)
TEST(out_of_inodes)
TEST(many)
TEST(operations)
TEST(free_and_taken)
TEST(pipes)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_content),
      cmocka_unit_test(test_largest),
      cmocka_unit_test(test_holes),
      cmocka_unit_test(test_append),
      cmocka_unit_test(test_absent),
      cmocka_unit_test(test_unlinked_but_open),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_renames),
      cmocka_unit_test(test_room),
      cmocka_unit_test(test_getcwd_removed),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_out_of_inodes),
      cmocka_unit_test(test_most_links),
      cmocka_unit_test(test_many),
      cmocka_unit_test(test_operations),
      cmocka_unit_test(test_blocks_used_again),
      cmocka_unit_test(test_free_and_taken),
      cmocka_unit_test(test_pipes),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
