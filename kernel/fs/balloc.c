/*
 * Block allocation: the first free block from where the search is known to
 * have to begin. A file written alone thus gets blocks that follow each other,
 * and blocks that were freed last, still cached, are used again first.
 */
#include "fs/balloc.h"

#include "fs/bcache.h"
#include "fs/log.h"
#include "fs/mount.h"
#include "lib/string.h"
#include "sched/sleep.h"

#define BITS_PER_WORD (8 * sizeof(unsigned long))

static struct {
  struct sleeplock lock; /* order: inode, this, buffer */
  uint first;            /* [lock] no block below it is free; whatever the
                            bitmap says, it is a data block or the end */
} bitmap;

void balloc_init(void) {
  initsleeplock(&bitmap.lock, "balloc");
  bitmap.first = fs.datastart;
}

static bool marked(const struct buf *b, uint blockno) {
  return b->data[blockno % BPB / 8] & 1 << blockno % 8;
}

int balloc_check(uint first, uint end) {
  while (first < end) {
    uint stop = MIN(end, (first / BPB + 1ULL) * BPB);
    struct buf *b;
    int r = bread(BBLOCK(first, fs.sb), &b);

    if (r < 0)
      return r;
    while (first < stop && marked(b, first))
      first++;
    brelse(b);
    if (first < stop)
      return fs_damaged("block %u is in use, but the bitmap says it is free",
                        first);
  }
  return 0;
}

/* The first free block from `from` to the end of its bitmap block, whose bits
 * are given; 0 if there is none. */
static uint find_free(const uchar *bits, uint64 from) {
  uint64 base = from - from % BPB;
  uint64 end = MIN(base + BPB, fs.sb.size);
  unsigned long word;

  while (from < end) {
    if (from % BITS_PER_WORD == 0) {
      memcpy(&word, bits + (from - base) / 8, sizeof(word));
      if (word == ~0UL) {
        from += BITS_PER_WORD;
        continue;
      }
    }
    if (!(bits[(from - base) / 8] & 1 << from % 8))
      return from;
    from++;
  }
  return 0;
}

static int balloc_locked(uint *blockno) {
  for (uint64 from = bitmap.first; from < fs.sb.size;
       from = (from / BPB + 1) * BPB) {
    struct buf *b;
    uint found;
    int r = bread(BBLOCK(from, fs.sb), &b);

    if (r < 0)
      return r;
    found = find_free((uchar *)b->data, from);
    if (found != 0) {
      b->data[found % BPB / 8] |= 1 << found % 8;
      log_write(b);
      bitmap.first = found + 1;
      *blockno = found;
    }
    brelse(b);
    if (found != 0)
      return 0;
  }
  bitmap.first = fs.sb.size;
  return -ENOSPC;
}

int balloc(uint *blockno) {
  int r;

  acquiresleep(&bitmap.lock);
  r = balloc_locked(blockno);
  releasesleep(&bitmap.lock);
  return r;
}

static int bfree_locked(uint blockno, struct buf *content) {
  struct buf *b;
  int bit = 1 << blockno % 8;
  int r = bread(BBLOCK(blockno, fs.sb), &b);

  if (r < 0)
    return r;
  if (b->data[blockno % BPB / 8] & bit) {
    b->data[blockno % BPB / 8] &= ~bit;
    log_write(b);
    bitmap.first = MIN(bitmap.first, blockno);
  } else {
    r = fs_damaged("block %u is freed twice", blockno);
  }
  brelse(b);
  if (content != NULL)
    log_forget(content);
  return r;
}

int bfree(uint blockno, struct buf *content) {
  int r;

  if (!fs_data_block(blockno)) {
    if (content != NULL)
      log_forget(content);
    return fs_damaged("block %u is freed, which is no data block", blockno);
  }
  acquiresleep(&bitmap.lock);
  r = bfree_locked(blockno, content);
  releasesleep(&bitmap.lock);
  return r;
}
