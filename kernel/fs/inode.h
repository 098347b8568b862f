/*
 * Inodes in memory, and paths. The functions with xv6's names mean what they
 * mean there.
 */
#ifndef FS_INODE_H
#define FS_INODE_H

#include "abi/fs.h"
#include "abi/stat.h"
#include "lib/list.h"
#include "pte.h"
#include "sched/sleep.h"
#include "types.h"
#include "vm/object.h"

struct bpage;
struct buf;
struct space;

#define MAXSIZE (MAXFILE * BSIZE) /* bytes of the longest file */

/*
 * An inode in memory. Guarded by: [i] the inode table's lock; [s] the inode's
 * own sleep lock, that is between ilock and iunlock; [d] the lock of the list
 * of changed inodes (filemap.c); [c] constant.
 */
struct inode {
  uint inum;        /* [c] */
  int refs;         /* [i] */
  struct list hash; /* [i] */
  struct list idle; /* [i] while refs is 0, or until iput_later() */
  struct sleeplock lock;
  struct buf *home; /* [s] the block that holds it on disk; NULL: not read */
  struct buf *map;  /* [s] the indirect block, NULL if not held */
  int writers;      /* [i] open files that may write; -n: n programs run it */
  struct memobject object; /* a regular file's pages, for mappings */
  struct list dirty;       /* [s] struct bpage.dirtylink */
  struct list dirtynode;   /* [d] in the list of those with dirty pages */
  uint pages;              /* [s] none from this number on is in the cache */
  uint64 gen;              /* [s] a directory's identity in the name cache */
  uint room;  /* [s] a directory has no free entry below this offset */
  short type; /* [s] what follows is as on disk: struct dinode */
  short major;
  short minor;
  short nlink;
  uint size; /* may be read without the lock: isize() */
  uint addrs[NDIRECT + 1];
};

/* Pages that hold n bytes. */
static inline uint fpages(uint64 n) { return (n + PGSIZE - 1) / PGSIZE; }

static inline uint isize(const struct inode *ip) {
  return __atomic_load_n(&ip->size, __ATOMIC_ACQUIRE);
}

static inline void isize_set(struct inode *ip, uint size) {
  __atomic_store_n(&ip->size, size, __ATOMIC_RELEASE);
}

/* Mount the file system of a disk as /. 0, or an error whose reason has been
 * printed: no disk, no superblock, a superblock that makes no sense. Starts
 * the log: recovers, then commits from a kernel thread. May sleep. */
int fs_mount(int dev);

/* The inode of a number, with a reference, not locked; NULL: out of memory. */
struct inode *iget(uint inum);
/* The same if it is in memory, else NULL. */
struct inode *iget_cached(uint inum);
/* The size of a file that has dirty pages. Any context but an interrupt. */
uint isize_dirty(uint inum);
struct inode *idup(struct inode *ip);
/* Give up a reference; frees an unlinked file. May start a transaction of its
 * own, so it may sleep; not inside begin_op()/end_op(). */
void iput(struct inode *ip);
/* Free the unlinked files for which iput found no memory. May sleep. */
void iput_later(void);
/* Lock; reads the inode from disk first if need be. 0 or an error: -EIO, or
 * -EUCLEAN if it makes no sense (nothing is locked then). */
int ilock(struct inode *ip);
void iunlock(struct inode *ip);
void iunlockput(struct inode *ip); /* iunlock, then iput */
/* Read n bytes at offset off, to user address dst of s, or to kernel memory if
 * s is NULL. ip is locked. Returns the bytes read, which are fewer at the end
 * of the file and where user memory is not there (if it is not for the first,
 * -EAGAIN: user_prefault it, without the lock), or a negative errno. */
ssize_t readi(struct inode *ip, struct space *s, vaddr_t dst, uint64 off,
              size_t n);
/* Write n bytes at offset off of a regular file, from user address src of s, or
 * kernel memory. Inside an operation of writei_blocks(off, n) blocks; ip is
 * locked. Returns the bytes written, which are fewer when a block cannot be had
 * or user memory is not there, or a negative errno (-EAGAIN as for readi) if
 * none was. */
ssize_t writei(struct inode *ip, struct space *s, vaddr_t src, uint64 off,
               size_t n);
/* Blocks that writei of n bytes at off may change. */
uint writei_blocks(uint64 off, size_t n);
/* The block that holds byte `off` of a directory, held in memory (bdrop it),
 * *b NULL for a hole. ip is locked. 0 or an error. */
int iblock(struct inode *ip, uint64 off, struct buf **b);
/* The same to change it: a hole gets a block filled with zeros. Inside an
 * operation, that may change four blocks by it beside the block itself. */
int iblock_alloc(struct inode *ip, uint64 off, struct buf **b);
/* A page of a regular file with all of its content, referenced (bpage_put it).
 * ip is locked. 0 or an error. */
int ipage(struct inode *ip, uint index, struct bpage **p);
/* Give block i of such a page, a hole, a place on the disk. Inside an
 * operation, that may change four blocks by it beside the block itself. */
int ipage_alloc(struct inode *ip, struct bpage *p, uint i);
/* Make the file `size` bytes long. Inside an operation of itrunc_blocks()
 * blocks; ip is locked. 0; or -EAGAIN: it is shorter now, but not short enough,
 * and another operation must go on; or another error. */
int itrunc(struct inode *ip, uint64 size);
uint itrunc_blocks(void);
/* Write the fields back. Inside an operation; ip is locked. Cannot fail. */
void iupdate(struct inode *ip);
/* A new inode of a type, without links, with a reference, not locked. Inside
 * an operation. 0, -ENOSPC, ... */
int ialloc(short type, struct inode **ip);
/* What fstat reports. ip is locked. */
void stati(struct inode *ip, struct stat *st);

/*
 * Either a regular file may be written to or it runs as a program. The first two
 * go with an open file that may write, or a truncation; the others with a
 * program that has pages of it mapped. -ETXTBSY if it is the other way; also
 * if a shared mapping may write, for as long as that exists.
 */
int inode_get_write(struct inode *ip);
void inode_put_write(struct inode *ip);
int inode_deny_write(struct inode *ip);
void inode_allow_write(struct inode *ip);

/* Start with an empty inode table. */
void inode_init(void);
/* Free the inodes that a crash left without a link. */
void inode_free_orphans(void);
/* Give up the inodes that nobody uses, and the pages that they hold in the
 * buffer cache: part of a reclaimer's shrink(). */
void inode_shrink(void);

/* Give up memory that takes more than a reclaimer's shrink() can do: mapped
 * pages of files are written back and unmapped, so that they can go. May sleep;
 * no locks held. */
void fs_release(void);

/* The inode that a path names, or NULL and *err. cwd is where relative paths
 * start; NULL: the root. */
struct inode *namei(struct inode *cwd, const char *path, int *err);

/* Whole operations by path; each is one transaction: after a crash it is there
 * or not at all. 0 or a negative errno. */
int fs_mkdir(struct inode *cwd, const char *path);
int fs_mknod(struct inode *cwd, const char *path, int major, int minor);
int fs_unlink(struct inode *cwd, const char *path); /* an empty directory too */
int fs_link(struct inode *cwd, const char *from, const char *to);
int fs_rename(struct inode *cwd, const char *from, const char *to);
/* The inode of a directory, for chdir; NULL and *err if it is none. */
struct inode *fs_directory(struct inode *cwd, const char *path, int *err);
/* The path of a directory from the root, into buf. 0, -ERANGE, ... */
int fs_getcwd(struct inode *dir, char *buf, size_t n);
/* Everything acknowledged so far is on disk when it returns. 0 or -EIO. */
int fs_sync(void);

#endif
