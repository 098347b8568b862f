/*
 * What the file system's unit tests run on: the kernel's locks, sleeping and
 * threads made of pthreads, memory from malloc, and a disk in memory that
 * records what is written and fails on demand.
 *
 * A kernel mounts once, so each mount is a process of its own: fs_run() forks,
 * mounts and calls a function. The disk is shared with the parent. In the
 * child CHECK() says what is wrong and ends it.
 */
#ifndef FS_FAKES_H
#define FS_FAKES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "types.h"

/* --- the disk --- */

/* A request as it reached the disk. A flush has length 0. */
struct disk_event {
  uint64 offset;
  uint length;
  uint64 data; /* where in disk->log the written bytes are */
};

#define DISK_BYTES (4U << 20)
#define DISK_EVENTS 8192
#define DISK_LOG (64U << 20)
#define ALL_REQUESTS (-1)

struct fake_disk {
  uint64 size; /* bytes in use */
  uchar data[DISK_BYTES];
  bool recording;
  uint nevents;
  struct disk_event event[DISK_EVENTS];
  uint64 log_used;
  uchar log[DISK_LOG];
  long fail_at;  /* requests until one fails; negative: never */
  int fail_op;   /* only such requests count, of enum bio_op; or ALL_REQUESTS */
  bool fail_on;  /* all after it fail too */
  uint failed;   /* requests, since disk_reset() */
  long requests; /* since disk_reset() */
};
extern struct fake_disk *disk;

/* Make the image again: `files` are given to mkfs. */
void disk_mkfs(const char *size, const char *log_blocks);
/* No recording, no failures. */
void disk_reset(void);
/* fsck's verdict about the disk as it is: 0 consistent, 1 not, 2 unusable. It
 * takes the log into account. What it finds is printed if `show`. */
int disk_fsck(bool show);

/* --- running --- */

/* Mount in a child, call test(arg) if that worked, wait for commits, exit.
 * Returns the status: 0, what the child passed to exit(), or 128 + signal.
 * MOUNT_FAILED if it could not mount. */
int fs_run(void (*test)(void *arg), void *arg);
#define MOUNT_FAILED 77

/* Allocations until one fails; negative: never. */
extern long fail_alloc_at;

#define CHECK(cond)                                                       \
  do {                                                                    \
    if (!(cond)) {                                                        \
      fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #cond); \
      _Exit(1);                                                           \
    }                                                                     \
  } while (0)
#define CHECK_EQ(a, b)                                                       \
  do {                                                                       \
    long a_ = (a), b_ = (b);                                                 \
    if (a_ != b_) {                                                          \
      fprintf(stderr, "%s:%d: %s is %ld, not %ld\n", __FILE__, __LINE__, #a, \
              a_, b_);                                                       \
      _Exit(1);                                                              \
    }                                                                        \
  } while (0)

/* Called once by releasesleep(), when the lock of this name is another's to take. */
extern struct fake_released {
  const char *lock;
  void (*meanwhile)(void);
} fake_released;

/* Attempts to copy to or from the caller's memory until one finds that it is not
 * there, and again after as many; 0: never. */
extern uint absent_every;

/* --- mappings --- */

/* What a page-table entry is: a page of a file, mapped by a process. */
struct fake_pte {
  struct memobject *object; /* NULL: nothing is mapped */
  uint64 index;
  char *page;
  bool writable;
};

/* What a page fault does: map a page of an object, shared, in *pte. 0 or the
 * error of hold(). */
int fake_fault(struct fake_pte *pte, struct memobject *o, uint64 index,
               bool write);
/* Is it mapped, and may it be written? */
bool fake_mapped(const struct fake_pte *pte, bool write);
/* Called once by fake_fault() when it has the page and not yet the entry. */
extern void (*fake_fault_meanwhile)(void);
/* Add one to the number at an offset of the page, as one instruction of a CPU
 * would; false: that would fault. */
bool fake_store(const struct fake_pte *pte, uint offset);
/* munmap of all of an object. The reference to it stays. */
void fake_unmap(struct memobject *o);

/* Are all pages that the cache ever took in its lists, or given back? Nothing
 * else may be going on. */
bool cache_complete(void);

/* --- files by path, from the root; results as in the kernel --- */

int put_file(const char *path, const void *data, size_t n);
/* Bytes of a file from offset off, or a negative errno. */
ssize_t get_file(const char *path, uint64 off, void *buf, size_t n);
/* Does every byte of the file have this value? */
bool file_is(const char *path, size_t size, int byte);
int stat_path(const char *path, short *type, short *nlink, uint64 *size);

/* A small generator of numbers, the same each time. */
uint random_below(uint *state, uint n);

#endif
