/*
 * The file system on damaged disks, with calls that the fuzzer chooses.
 *
 * It runs on the fakes of its unit tests, so that each input has a process of its
 * own. What of the code that has run is counted there; child_exit() hands the
 * counts to the fuzzer. The fuzzer must be told not to watch memory (-rss_limit_mb=0):
 * its thread for that would call sleep(), which here is the kernel's. fsck looks at the disk before and after: a disk that was
 * consistent must stay so.
 */
/* sources: kernel/fs/balloc.c kernel/fs/bcache.c kernel/fs/content.c kernel/fs/dir.c kernel/fs/file.c kernel/fs/filemap.c kernel/fs/fsops.c kernel/fs/inode.c kernel/fs/log.c kernel/fs/mount.c kernel/fs/namecache.c kernel/fs/path.c kernel/fs/pipe.c kernel/dev/block.c tests/host/fs_mkfs.c tests/host/fs_fsck.c */
#define _Exit child_exit
#include "fs_fakes.c"

#include "damage.h"
#include "fs/dir.h"

#define CALL_SIZE 4 /* bytes of the input: what, two paths, a number */
#define CALLS_MAX 60
#define PAGES 4

/* clang keeps the counts between these. */
extern unsigned char __start___sancov_cntrs[], __stop___sancov_cntrs[];
static unsigned char *counts; /* shared with children */

static unsigned char good[DISK_BYTES];

static size_t counts_size(void) {
  return __stop___sancov_cntrs - __start___sancov_cntrs;
}

void child_exit(int status) {
  memcpy(counts, __start___sancov_cntrs, counts_size());
  _exit(status);
}

static void take_counts(void) {
  for (size_t i = 0; i < counts_size(); i++)
    __start___sancov_cntrs[i] |= counts[i];
}

static const char *const paths[] = {
    "/",     "/a",   "/a/b",   "/a/b/..",     "/a/large", "/a/b/small",
    "/link", "/dev", "/hole",  "/x",          "/a/x",     "/a/b/x",
    "/y",    "/a/y", "/a/b/y", "/a/b/../b/z", "/README",  "/x/under"};

static char data[50000];

static void with_file(const char *path, uint what, uint n) {
  int err;
  struct file *f = file_open(NULL, path, O_RDWR | (n & 1 ? O_APPEND : 0), &err);

  if (f == NULL)
    f = file_open(NULL, path, O_RDONLY, &err);
  if (f == NULL)
    return;
  file_seek(f, n * 1100L, what % 3);
  if (what & 4)
    file_read(f, NULL, (vaddr_t)data, n * 100);
  if (what & 8)
    file_write(f, NULL, (vaddr_t)data, n * 100);
  if (what & 16)
    file_truncate(f, n * 1100);
  file_close(f);
}

static void show_path(const char *path) {
  char text[64];
  int err;
  struct inode *ip = fs_directory(NULL, path, &err);

  if (ip == NULL)
    return;
  fs_getcwd(ip, text, sizeof(text));
  iput(ip);
}

static void stat_it(const char *path) {
  short type, links;
  uint64 size;

  stat_path(path, &type, &links, &size);
}

static void call(const uchar *c) {
  const char *a = paths[c[1] % NELEM(paths)], *b = paths[c[2] % NELEM(paths)];

  switch (c[0] % 11) {
    case 0:
      put_file(a, data, c[3] * 150);
      break;
    case 1:
      get_file(a, c[3] * 1100, data, 3000);
      break;
    case 2:
      fs_mkdir(NULL, a);
      break;
    case 3:
      fs_unlink(NULL, a);
      break;
    case 4:
      fs_link(NULL, a, b);
      break;
    case 5:
      fs_rename(NULL, a, b);
      break;
    case 6:
      fs_mknod(NULL, a, c[3], 0);
      break;
    case 7:
      stat_it(a);
      break;
    case 8:
      show_path(a);
      break;
    case 9:
      fs_sync();
      break;
    default:
      with_file(a, c[2], c[3]);
  }
}

struct input {
  const uchar *bytes;
  size_t n;
};

static void run(void *arg) {
  const struct input *in = arg;

  for (size_t i = 0; i < CALLS_MAX && (i + 1) * CALL_SIZE <= in->n; i++)
    call(in->bytes + i * CALL_SIZE);
}

static void populate(void *arg) {
  int err;
  struct file *f;

  (void)arg;
  CHECK_EQ(fs_mkdir(NULL, "/a"), 0);
  CHECK_EQ(fs_mkdir(NULL, "/a/b"), 0);
  CHECK_EQ(put_file("/a/large", data, 40000), 0);
  CHECK_EQ(put_file("/a/b/small", data, 10), 0);
  CHECK_EQ(fs_link(NULL, "/a/b/small", "/link"), 0);
  CHECK_EQ(fs_mknod(NULL, "/dev", 1, 0), 0);
  f = file_open(NULL, "/hole", O_CREATE | O_RDWR, &err);
  CHECK(f != NULL);
  file_seek(f, 30000, SEEK_SET);
  CHECK_EQ(file_write(f, NULL, (vaddr_t)data, 3), 3);
  file_close(f);
}

const char *__asan_default_options(void) { return "detect_leaks=0"; }

/* A child that hangs is ended by its alarm; the fuzzer has other plans for it. */
static void in_child(void) { signal(SIGALRM, SIG_DFL); }

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  pthread_atfork(NULL, NULL, in_child);
  counts = mmap(NULL, counts_size(), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  disk_mkfs("200K", "30");
  if (fs_run(populate, NULL) != 0 || disk_fsck(true) != 0)
    panic("no good disk");
  memcpy(good, disk->data, disk->size);
  return 0;
}

int LLVMFuzzerTestOneInput(const uchar *bytes, size_t n) {
  struct input in;
  size_t used;
  bool sound = n == 0 || bytes[0] % CHANGES_MAX <= 1; /* or maybe so */
  int before, after, status;

  memcpy(disk->data, good, disk->size);
  disk_reset();
  used = damage(disk->data, disk->size, bytes, n);
  in = (struct input){bytes + used, n - used};
  before = sound ? disk_fsck(false) : 1;
  status = fs_run(run, &in);
  take_counts();
  if (status != 0 && status != MOUNT_FAILED)
    panic("status %d", status);
  after = before == 0 ? disk_fsck(false) : 1;
  if (before > 2 || (before == 0 && after != 0))
    panic("fsck: %d before, %d after", before, after);
  return 0;
}
