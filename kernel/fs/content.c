/*
 * The content of files: finding and allocating the blocks of an inode, reading
 * and writing them, changing a file's length.
 *
 *   addrs[0 .. NDIRECT-1] -> blocks 0 to 11
 *   addrs[NDIRECT]        -> the indirect block (map) -> blocks 12 to 267
 *   0 in any place: a hole, which reads as zeros
 *
 * In all of these the inode is locked (inode.h), and who changes something is
 * inside an operation of the log.
 */
#include "fs/balloc.h"
#include "fs/bcache.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/mount.h"
#include "lib/string.h"
#include "vm/usercopy.h"

#define READ_AHEAD 16    /* blocks that are read when one must be */
#define TRUNC_BITMAPS 32 /* bitmap blocks that one itrunc may change */

static const char zeros[BSIZE];

static uint64 blocks_of(uint64 bytes) { return (bytes + BSIZE - 1) / BSIZE; }

/* --- finding and allocating blocks --- */

static uint *map_of(struct inode *ip) { return (uint *)ip->map->data; }

/* Hold the indirect block, if there is one. */
static int hold_map(struct inode *ip) {
  int r;

  if (ip->map != NULL || ip->addrs[NDIRECT] == 0)
    return 0;
  r = bhold(ip->addrs[NDIRECT], 1, &ip->map);
  if (r < 0)
    ip->map = NULL;
  return MIN(r, 0);
}

/* The number of the file's block bn, 0 for a hole, and how many blocks, max at
 * most, follow it both in the file and on disk (all of them, for a hole). */
static int find_run(struct inode *ip, uint bn, uint max, uint *blockno) {
  const uint *a = ip->addrs;
  uint n = 1, last = NDIRECT;
  int r;

  if (bn >= NDIRECT) {
    r = hold_map(ip);
    if (r < 0)
      return r;
    *blockno = 0;
    if (ip->map == NULL)
      return 1;
    a = map_of(ip);
    bn -= NDIRECT;
    last = NINDIRECT;
  }
  *blockno = a[bn];
  if (a[bn] == 0)
    return 1;
  max = MIN(max, last - bn);
  while (n < max && a[bn + n] == a[bn] + n)
    n++;
  if (!fs_data_block(a[bn]) || !fs_data_block(a[bn] + n - 1))
    return fs_damaged("inode %u has block %u, which is no data block", ip->inum,
                      a[bn]);
  return n;
}

int iblock(struct inode *ip, uint64 off, struct buf **b) {
  uint blockno;
  int r = find_run(ip, off / BSIZE, 1, &blockno);

  *b = NULL;
  if (r > 0 && blockno != 0)
    r = bhold(blockno, 1, b);
  return MIN(r, 0);
}

/* A new block filled with zeros, held. */
static int new_block(uint *blockno, struct buf **b) {
  int r = balloc(blockno);

  if (r < 0)
    return r;
  r = bnew(*blockno, b);
  if (r < 0) {
    bfree(*blockno);
    return r;
  }
  memset((*b)->data, 0, BSIZE);
  log_write(*b);
  bpin(*b);
  brelse(*b);
  return 0;
}

static int new_map(struct inode *ip) {
  uint blockno;
  int r = new_block(&blockno, &ip->map);

  if (r < 0) {
    ip->map = NULL;
    return r;
  }
  ip->addrs[NDIRECT] = blockno;
  iupdate(ip);
  return 0;
}

static void map_set(struct inode *ip, uint i, uint blockno) {
  block_held(ip->map);
  map_of(ip)[i] = blockno;
  log_write(ip->map);
  brelse(ip->map);
}

int iblock_alloc(struct inode *ip, uint64 off, struct buf **b) {
  uint bn = off / BSIZE, blockno;
  int r;

  if (bn >= MAXFILE)
    return -EFBIG;
  r = iblock(ip, off, b);
  if (r < 0 || *b != NULL)
    return r;
  if (bn >= NDIRECT && ip->map == NULL)
    r = new_map(ip);
  if (r == 0)
    r = new_block(&blockno, b);
  if (r < 0)
    return r;
  if (bn >= NDIRECT) {
    map_set(ip, bn - NDIRECT, blockno);
  } else {
    ip->addrs[bn] = blockno;
    iupdate(ip);
  }
  return 0;
}

/* --- content --- */

/* Copy a run of blocks that lie in the cache a page at a time. */
static int read_run(uint blockno, uint blocks, uint skip, struct space *s,
                    vaddr_t dst, size_t n) {
  while (n > 0) {
    struct buf *b;
    size_t m;
    int r = bhold(blockno, blocks, &b);

    if (r < 0)
      return r;
    m = MIN(n, (size_t)r * BSIZE - skip);
    blockno += r;
    blocks -= r;
    r = either_copyout(s, dst, b->data + skip, m);
    bdrop(b);
    if (r < 0)
      return r;
    dst += m;
    n -= m;
    skip = 0;
  }
  return 0;
}

ssize_t readi(struct inode *ip, struct space *s, vaddr_t dst, uint64 off,
              size_t n) {
  size_t done = 0;

  if (off >= ip->size)
    return 0;
  n = MIN(n, ip->size - off);
  while (done < n) {
    uint skip = off % BSIZE, blockno;
    uint want = MAX(blocks_of(skip + n - done), READ_AHEAD);
    int r = find_run(ip, off / BSIZE, want, &blockno);
    size_t m = MIN(n - done, (uint64)MAX(r, 0) * BSIZE - skip);

    if (r > 0)
      r = blockno != 0 ? read_run(blockno, r, skip, s, dst + done, m)
                       : either_copyout(s, dst + done, zeros, m);
    if (r < 0)
      return done > 0 ? (ssize_t)done : r;
    done += m;
    off += m;
  }
  return done;
}

/* Write n bytes that lie in one block. */
static int write_in_block(struct inode *ip, struct space *s, vaddr_t src,
                          uint64 off, size_t n) {
  struct buf *b;
  int r = iblock_alloc(ip, off, &b);

  if (r < 0)
    return r;
  block_held(b);
  r = either_copyin(s, b->data + off % BSIZE, src, n);
  if (r < 0 && off + n > ip->size) {
    /* a part may have been copied: what is beyond the end must be zero */
    uint64 end = MAX(off, ip->size);

    memset(b->data + end % BSIZE, 0, off + n - end);
  }
  log_write(b);
  brelse(b);
  bdrop(b);
  return r;
}

ssize_t writei(struct inode *ip, struct space *s, vaddr_t src, uint64 off,
               size_t n) {
  size_t done = 0;
  int r = 0;

  if (off >= MAXSIZE && n > 0)
    return -EFBIG;
  n = MIN(n, MAXSIZE - off);
  while (done < n && r == 0) {
    size_t m = MIN(n - done, BSIZE - off % BSIZE);

    r = write_in_block(ip, s, src + done, off, m);
    if (r == 0) {
      done += m;
      off += m;
    }
  }
  if (done > 0 && off > ip->size) {
    ip->size = off;
    iupdate(ip);
  }
  return done > 0 ? (ssize_t)done : r;
}

/* The data blocks, the inode, the indirect block, and the bitmap blocks of
 * what may be allocated. */
uint writei_blocks(uint64 off, size_t n) {
  uint data = blocks_of(off % BSIZE + n);

  return data + 2 + MIN(fs.bitmaps, data + 1);
}

/* --- truncation --- */

/* How much one itrunc may still free: bitmap blocks it may turn to. */
struct budget {
  uint left;
  uint last; /* bitmap block that it turned to last */
};

uint itrunc_blocks(void) {
  /* beside the bitmap: the inode, the indirect block, the new last block */
  return MIN(MIN(fs.bitmaps, TRUNC_BITMAPS) + 3, log_capacity());
}

/* Free the block in *slot, which becomes a hole; what cannot be freed because
 * it makes no sense is only forgotten. */
static int free_slot(uint *slot, struct budget *budget) {
  uint blockno = *slot;
  int r;

  if (blockno == 0)
    return 0;
  if (fs.bitmaps > itrunc_blocks() - 3 &&
      BBLOCK(blockno, fs.sb) != budget->last) {
    if (budget->left == 0)
      return -EAGAIN;
    budget->left--;
    budget->last = BBLOCK(blockno, fs.sb);
  }
  r = bfree(blockno);
  if (r < 0 && r != -EUCLEAN)
    return r;
  *slot = 0;
  return 0;
}

/* Free the blocks in a[keep..n), from the end on. *end is set to the number of
 * entries that remain. */
static int free_slots(uint *a, uint keep, uint n, struct budget *budget,
                      uint *end) {
  for (*end = n; *end > keep; --*end) {
    int r = free_slot(&a[*end - 1], budget);

    if (r < 0)
      return r;
  }
  return 0;
}

/* Free what the indirect block names from file block `keep` on, and itself if
 * nothing remains. *end: the file blocks that remain. */
static int free_indirect(struct inode *ip, uint keep, struct budget *budget,
                         uint *end) {
  uint first = keep > NDIRECT ? keep - NDIRECT : 0;
  int r = hold_map(ip);

  *end = MAXFILE;
  if (r < 0 || ip->map == NULL)
    return r;
  block_held(ip->map);
  r = free_slots(map_of(ip), first, NINDIRECT, budget, end);
  log_write(ip->map);
  brelse(ip->map);
  *end += NDIRECT;
  if (r == 0 && keep <= NDIRECT) {
    r = free_slot(&ip->addrs[NDIRECT], budget);
    if (r == 0) {
      bdrop(ip->map);
      ip->map = NULL;
    }
  }
  return r;
}

/* Fill the last block with zeros from the new end of the file on. */
static int zero_tail(struct inode *ip, uint64 size) {
  struct buf *b;
  int r;

  if (size >= ip->size || size % BSIZE == 0)
    return 0;
  r = iblock(ip, size, &b);
  if (r < 0 || b == NULL)
    return r;
  block_held(b);
  memset(b->data + size % BSIZE, 0, BSIZE - size % BSIZE);
  log_write(b);
  brelse(b);
  bdrop(b);
  return 0;
}

int itrunc(struct inode *ip, uint64 size) {
  struct budget budget = {.left = itrunc_blocks() - 3};
  uint keep = blocks_of(size), end;
  int r;

  if (size > MAXSIZE)
    return -EFBIG;
  r = zero_tail(ip, size);
  if (r < 0)
    return r;
  r = free_indirect(ip, keep, &budget, &end);
  if (r == 0 && keep < NDIRECT)
    r = free_slots(ip->addrs, keep, NDIRECT, &budget, &end);
  if (r == 0)
    ip->size = size;
  else
    ip->size = MIN(ip->size, (uint64)end * BSIZE);
  iupdate(ip);
  return r;
}
