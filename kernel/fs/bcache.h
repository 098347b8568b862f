/*
 * The cache of what is on the disk, in pages of memory. What a page holds is
 * said by two numbers:
 *
 *   file 0, page n         blocks n * PER_PAGE and those that follow it on
 *                          disk: inodes, bitmap, directories, indirect blocks
 *   inode number, page n   a regular file's bytes from n * PGSIZE on, wherever
 *                          on disk their blocks lie. The same page is what
 *                          read(), write() and mmap() work on.
 *
 * Each is in memory at most once, so the cache is also where those who use the
 * same block or page meet.
 *
 * Three ways to use it:
 *
 *   bread .. brelse     a block of the disk, alone: it is locked in between.
 *                       For blocks that several inodes share (bitmap, inode
 *                       blocks), and to change any block.
 *   bhold .. bdrop      only kept in memory, not locked. For blocks whose
 *                       content a lock of a higher level guards: directories
 *                       and indirect blocks under their inode's lock.
 *   fpage_get .. bpage_put   a file's page, under the inode's lock.
 *
 * All sleep but the puts. Errors: -EIO, -ENOMEM, -EUCLEAN (no such block).
 */
#ifndef FS_BCACHE_H
#define FS_BCACHE_H

#include "abi/fs.h"
#include "dev/block.h"
#include "lib/list.h"
#include "pte.h"
#include "sched/sleep.h"
#include "types.h"

#define PER_PAGE (PGSIZE / BSIZE)
#define ALL_VALID ((1U << PER_PAGE) - 1)

struct bpage;

/* One block in the cache. [s]: of a file's page, the inode's lock. */
struct buf {
  char *data;         /* [c] the block's BSIZE bytes */
  uint blockno;       /* [c] on the disk; [s] of a file: 0 for a hole */
  bool locked;        /* [p] between bread and brelse: see bcache.c */
  uint slot;          /* [b] its place in that transaction */
  uint64 txn;         /* [b] the last transaction that logged it: log.c */
  struct bpage *page; /* [c] the page of memory that the block lies in */
};

/*
 * Guarded by: [p] the page's lock; [h] its bucket's; [k] the cache's; [c]
 * constant; [a] atomic; [b] who locked the buffer, or [s] of a file.
 */
struct bpage {
  uint file;     /* [c] inode number, or 0: blocks of the disk */
  uint number;   /* [c] which page of that */
  int refs;      /* [h] to add one to a page just found, else [a] */
  bool used;     /* [a] since the clock hand came by */
  bool cached;   /* [a] it can be found; cleared when the file is cut off */
  bool writable; /* [a] shared mappings may write to it; set under [s] */
  struct bpage *hashnext; /* [h] */
  struct list clock;      /* [k] in the clock, or of those cut off */
  struct list dirtylink;  /* [s] struct inode.dirty; empty: it is clean */
  char *data;             /* [c] PGSIZE bytes */
  struct spinlock lock;
  uint valid;        /* [p] to change; bit i: buf[i] has its content */
  uint reading;      /* [p] bits of the blocks that bio reads */
  int status;        /* [p] of the last read */
  struct waitq wait; /* for the end of a read or a buffer's lock */
  struct bio bio;
  struct buf buf[PER_PAGE];
};

/* Start with an empty cache for the first nblocks blocks of a disk. 0 or
 * -ENOMEM. */
int bcache_init(struct blockdev *disk, uint nblocks);

/* --- blocks of the disk --- */

/* The block, locked, with its content. 0 or an error. */
int bread(uint blockno, struct buf **b);
/* The same, for a block whose content does not matter any more: it is not read
 * from disk, and the caller must fill all of it. */
int bnew(uint blockno, struct buf **b);
void brelse(struct buf *b);

/* Keep a block in memory. If it must be read, so are the `ahead` blocks that
 * follow it, in requests that are under way together. 0 or an error. */
int bhold(uint blockno, uint ahead, struct buf **b);
/* The block if it is in memory, held, else NULL. */
struct buf *bfind(uint blockno);
void bdrop(struct buf *b);
/* Lock a block that is held; to be ended by brelse. Cannot fail. */
void block_held(struct buf *b);
/* Hold a block once more. */
void bpin(struct buf *b);

/* --- pages of files --- */

/* A file's page, with a reference; new ones have neither content nor block
 * numbers. The inode is locked. 0 or -ENOMEM. */
int fpage_get(uint inum, uint index, struct bpage **p);
/* The page if it is cached, else NULL. No lock needed. */
struct bpage *fpage_find(uint inum, uint index);
/* Has the page all of its content? */
static inline bool bpage_valid(const struct bpage *p) {
  return __atomic_load_n(&p->valid, __ATOMIC_ACQUIRE) == ALL_VALID;
}
/* Block i is a hole, or new: it is zeros. */
void bpage_zero(struct bpage *p, uint i);
/* Begin to read block i, whose number is known, and neighbours without content
 * that are neighbours on disk, too, unless something is being read. */
void bpage_read(struct bpage *p, uint i);
/* Let block i have its content. 0 or an error. */
int bpage_fill(struct bpage *p, uint i);
/* The page is no longer part of its file: nobody finds it any more, and it is
 * freed with its last reference. The inode is locked. */
void fpage_detach(struct bpage *p);
/* One more reference, and one less. Any context. */
void bpage_ref(struct bpage *p);
void bpage_put(struct bpage *p);

/* Each cached page is a holder of its frame: for the self-check. */
struct audit;
void bcache_audit(struct audit *a);

/* Give up to `want` pages back to kalloc, of `most` pages that are looked at: the
 * next ones each time. How many. Never sleeps; none if the cache is in use. */
size_t bcache_shrink(size_t want, size_t most);

#endif
