/*
 * The buffer cache: disk blocks in memory. A block is in memory at most once,
 * so the cache is also where those who use the same block meet.
 *
 * Two ways to use a block:
 *
 *   bread .. brelse   alone: the buffer is locked in between. For blocks that
 *                     several inodes share (bitmap, inode blocks), and to
 *                     change any block.
 *   bhold .. bdrop    only kept in memory, not locked. For blocks whose content
 *                     a lock of a higher level guards: file and directory
 *                     blocks under their inode's lock.
 *
 * All sleep. Errors: -EIO, -ENOMEM, -EUCLEAN (no such block).
 */
#ifndef FS_BCACHE_H
#define FS_BCACHE_H

#include "types.h"

struct bpage;

struct buf {
  char *data;         /* [c] the block's BSIZE bytes */
  uint blockno;       /* [c] while somebody holds it */
  bool locked;        /* [p] between bread and brelse: see bcache.c */
  uint64 txn;         /* [b] the last transaction that logged it: log.c */
  struct bpage *page; /* [c] the page of memory that the block lies in */
};

struct blockdev;

/* Start with an empty cache for the first nblocks blocks of a disk. 0 or
 * -ENOMEM. */
int bcache_init(struct blockdev *disk, uint nblocks);

/* The block, locked, with its content. 0 or an error. */
int bread(uint blockno, struct buf **b);
/* The same, for a block whose content does not matter any more: it is not read
 * from disk, and the caller must fill all of it. */
int bnew(uint blockno, struct buf **b);
void brelse(struct buf *b);

/* Keep a block in memory, and up to max - 1 that follow it there. Returns how
 * many from blockno on can be read at (*b)->data, one behind the other, or an
 * error. If the block must be read, so are all max, in requests that are under
 * way together. */
int bhold(uint blockno, uint max, struct buf **b);
void bdrop(struct buf *b);
/* Lock a block that is held; to be ended by brelse. Cannot fail. */
void block_held(struct buf *b);
/* Hold a block once more. */
void bpin(struct buf *b);

/* Give up to `want` pages back to kalloc: a reclaimer's shrink(). */
size_t bcache_shrink(size_t want);

#endif
