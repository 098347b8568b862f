/*
 * The content of files: finding and allocating the blocks of an inode, reading
 * and writing them, changing a file's length.
 *
 *   addrs[0 .. NDIRECT-1] -> blocks 0 to 11
 *   addrs[NDIRECT]        -> the indirect block (map) -> blocks 12 to 267
 *   0 in any place: a hole, which reads as zeros
 *
 * A regular file's content is in pages of the cache that are the file's
 * (bcache.h), four blocks to a page, and read(), write() and mappings (filemap.c)
 * work on those. A page's buffers know their block numbers once they have
 * content; 0 is a hole there, too. Directories are looked at block by block.
 *
 * In all of these the inode is locked (inode.h), and who changes something is
 * inside an operation of the log. That lock is why nothing here waits for user
 * memory: a page fault may need it. readi() and writei() go as far as the
 * caller's memory is there.
 *
 * Bytes of a page beyond the end of the file are zero, unless processes may
 * write to them through a mapping (bpage.writable); then they are made zero, and
 * the mapping cannot write any more, when the file grows over them.
 */
#include "fs/balloc.h"
#include "fs/bcache.h"
#include "fs/filemap.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/mount.h"
#include "lib/string.h"
#include "vm/usercopy.h"

#define READ_AHEAD 4     /* pages that are read when one must be */
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

/* The number of the file's block bn, 0 for a hole. */
static int find_block(struct inode *ip, uint bn, uint *blockno) {
  int r;

  if (bn < NDIRECT) {
    *blockno = ip->addrs[bn];
  } else {
    r = hold_map(ip);
    if (r < 0)
      return r;
    *blockno = ip->map != NULL ? map_of(ip)[bn - NDIRECT] : 0;
  }
  if (*blockno != 0 && !fs_data_block(*blockno))
    return fs_damaged("inode %u has block %u, which is no data block", ip->inum,
                      *blockno);
  return 0;
}

int iblock(struct inode *ip, uint64 off, struct buf **b) {
  uint blockno;
  int r = find_block(ip, off / BSIZE, &blockno);

  *b = NULL;
  if (r == 0 && blockno != 0)
    r = bhold(blockno, 0, b);
  return r;
}

/* A new block filled with zeros, held. */
static int new_block(uint *blockno, struct buf **b) {
  int r = balloc(blockno);

  if (r < 0)
    return r;
  r = bnew(*blockno, b);
  if (r < 0) {
    bfree(*blockno, NULL);
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

/* Let the file's block bn be block `blockno` of the disk. There is an indirect
 * block if it takes one. */
static void set_block(struct inode *ip, uint bn, uint blockno) {
  if (bn >= NDIRECT) {
    map_set(ip, bn - NDIRECT, blockno);
  } else {
    ip->addrs[bn] = blockno;
    iupdate(ip);
  }
}

/* See to it that there is an indirect block if block bn takes one. */
static int need_map(struct inode *ip, uint bn) {
  int r;

  if (bn < NDIRECT)
    return 0;
  r = hold_map(ip);
  return r == 0 && ip->map == NULL ? new_map(ip) : r;
}

int iblock_alloc(struct inode *ip, uint64 off, struct buf **b) {
  uint bn = off / BSIZE, blockno;
  int r;

  if (bn >= MAXFILE)
    return -EFBIG;
  r = iblock(ip, off, b);
  if (r < 0 || *b != NULL)
    return r;
  r = need_map(ip, bn);
  if (r == 0)
    r = new_block(&blockno, b);
  if (r == 0)
    set_block(ip, bn, blockno);
  return r;
}

/* --- pages --- */

/* Let the blocks of a page know where they lie; holes get their zeros. */
static int map_blocks(struct inode *ip, struct bpage *p) {
  for (uint i = 0; i < PER_PAGE; i++) {
    uint bn = p->number * PER_PAGE + i, blockno = 0;
    int r;

    if (p->buf[i].blockno != 0 || p->valid & 1U << i)
      continue;
    r = bn < MAXFILE ? find_block(ip, bn, &blockno) : 0;
    if (r < 0)
      return r;
    p->buf[i].blockno = blockno;
    if (blockno == 0)
      bpage_zero(p, i);
  }
  return 0;
}

/* A page of the file, without regard to its content. */
static int get_page(struct inode *ip, uint index, struct bpage **p) {
  ip->pages = MAX(ip->pages, index + 1);
  return fpage_get(ip->inum, index, p);
}

/* Begin to read pages [first, end) as far as they have no content yet. */
static void read_ahead(struct inode *ip, uint first, uint end) {
  for (uint index = first; index < end; index++) {
    struct bpage *p;
    int r = get_page(ip, index, &p);

    if (r < 0)
      return;
    if (!(p->valid & 1U))
      r = map_blocks(ip, p);
    if (r == 0)
      bpage_read(p, 0);
    bpage_put(p);
    if (r < 0)
      return;
  }
}

/* Let block i of a page have its content. */
static int fill_block(struct inode *ip, struct bpage *p, uint i) {
  int r = 0;

  if (!(p->valid & 1U << i))
    r = map_blocks(ip, p);
  return r == 0 && !(p->valid & 1U << i) ? bpage_fill(p, i) : r;
}

/* The page `index`, with the content of its blocks first to last. If they must
 * be read, so are the pages before `ahead`. */
static int page_with(struct inode *ip, uint index, uint first, uint last,
                     uint ahead, struct bpage **p) {
  int r = get_page(ip, index, p);

  if (r < 0)
    return r;
  if (!((*p)->valid & 1U << first))
    read_ahead(ip, index, MIN(ahead, fpages(ip->size)));
  for (uint i = first; r == 0 && i <= last; i++)
    r = fill_block(ip, *p, i);
  if (r < 0)
    bpage_put(*p);
  return r;
}

int ipage(struct inode *ip, uint index, struct bpage **p) {
  return page_with(ip, index, 0, PER_PAGE - 1, index + READ_AHEAD, p);
}

int ipage_alloc(struct inode *ip, struct bpage *p, uint i) {
  uint bn = p->number * PER_PAGE + i;
  struct buf *b = &p->buf[i];
  int r = need_map(ip, bn);

  if (r == 0)
    r = balloc(&b->blockno);
  if (r < 0)
    return r;
  log_write(b);
  set_block(ip, bn, b->blockno);
  return 0;
}

/* --- content --- */

/* Bytes from off to the end of what is `unit` bytes long, but at most n. */
static size_t within(uint64 off, uint unit, size_t n) {
  return MIN(unit - off % unit, n);
}

/* Read n bytes that lie in one page of a file. */
static ssize_t read_in_page(struct inode *ip, struct space *s, vaddr_t dst,
                            uint64 off, size_t n, uint ahead) {
  uint skip = off % PGSIZE;
  struct bpage *p;
  int r = page_with(ip, off / PGSIZE, skip / BSIZE, (skip + n - 1) / BSIZE,
                    ahead, &p);

  if (r < 0)
    return r;
  n = either_copyout_present(s, dst, p->data + skip, n);
  bpage_put(p);
  return n;
}

/* Read n bytes that lie in one block of something else. */
static ssize_t read_in_block(struct inode *ip, struct space *s, vaddr_t dst,
                             uint64 off, size_t n) {
  struct buf *b;
  int r = iblock(ip, off, &b);

  if (r < 0)
    return r;
  n = either_copyout_present(s, dst, b != NULL ? b->data + off % BSIZE : zeros,
                             n);
  if (b != NULL)
    bdrop(b);
  return n;
}

ssize_t readi(struct inode *ip, struct space *s, vaddr_t dst, uint64 off,
              size_t n) {
  uint unit = ip->type == T_FILE ? PGSIZE : BSIZE, ahead;
  size_t done = 0;

  if (off >= ip->size)
    return 0;
  n = MIN(n, ip->size - off);
  ahead = MAX(fpages(off + n), off / PGSIZE + READ_AHEAD);
  while (done < n) {
    size_t m = within(off, unit, n - done);
    ssize_t r = ip->type == T_FILE
                    ? read_in_page(ip, s, dst + done, off, m, ahead)
                    : read_in_block(ip, s, dst + done, off, m);

    if (r == 0)
      r = -EAGAIN;
    if (r < 0)
      return done > 0 ? (ssize_t)done : r;
    done += r;
    off += r;
  }
  return done;
}

/* The file is about to become longer, but has not yet. What mappings write from
 * now on needs a place on the disk: they must fault again. */
static void clear_beyond_end(struct inode *ip) {
  uint skip = ip->size % PGSIZE;
  struct bpage *p;

  if (skip == 0 || (p = fpage_find(ip->inum, ip->size / PGSIZE)) == NULL)
    return;
  if (filemap_protect(ip, p))
    memset(p->data + skip, 0, PGSIZE - skip);
  bpage_put(p);
}

/* Let block i of a page have content and a place on the disk. */
static int ready_block(struct inode *ip, struct bpage *p, uint i) {
  int r = fill_block(ip, p, i);

  return r == 0 && p->buf[i].blockno == 0 ? ipage_alloc(ip, p, i) : r;
}

/* Write n bytes that lie in one page; fewer if a block cannot be had or the
 * caller's memory is not there. */
static ssize_t write_in_page(struct inode *ip, struct space *s, vaddr_t src,
                             uint64 off, size_t n) {
  uint skip = off % PGSIZE, first = skip / BSIZE, end = first;
  struct bpage *p;
  int r = get_page(ip, off / PGSIZE, &p);

  if (r < 0)
    return r;
  while (end * BSIZE < skip + n && (r = ready_block(ip, p, end)) == 0)
    end++;
  if (end > first) {
    n = either_copyin_present(s, p->data + skip, src,
                              MIN(n, end * BSIZE - skip));
    r = n > 0 ? (int)n : -EAGAIN;
    for (uint i = first; n > 0 && i * BSIZE < skip + n; i++)
      log_write(&p->buf[i]);
  }
  bpage_put(p);
  return r;
}

ssize_t writei(struct inode *ip, struct space *s, vaddr_t src, uint64 off,
               size_t n) {
  size_t done = 0;
  ssize_t r = 0;

  if (off >= MAXSIZE && n > 0)
    return -EFBIG;
  n = MIN(n, MAXSIZE - off);
  if (off + n > ip->size)
    clear_beyond_end(ip);
  while (done < n) {
    r = write_in_page(ip, s, src + done, off, within(off, PGSIZE, n - done));
    if (r < 0)
      break;
    done += r;
    off += r;
  }
  if (done > 0 && off > ip->size) {
    isize_set(ip, off);
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

/* A truncation under way. The budget is how much one itrunc may still free. */
struct trunc {
  struct inode *ip;
  uint keep; /* blocks of the file that stay */
  uint end;  /* blocks that have not been freed yet */
  uint left; /* bitmap blocks that it may turn to */
  uint last; /* the one that it turned to last */
};

uint itrunc_blocks(void) {
  /* beside the bitmap: the inode, the indirect block, the new last block */
  return MIN(MIN(fs.bitmaps, TRUNC_BITMAPS) + 3, log_capacity());
}

/* Free a block whose buffer is b, NULL if it is not in memory. What cannot be
 * freed because it makes no sense is only forgotten. */
static int free_block(struct trunc *t, uint blockno, struct buf *b) {
  int r;

  if (fs.bitmaps > itrunc_blocks() - 3 && BBLOCK(blockno, fs.sb) != t->last) {
    if (t->left == 0)
      return -EAGAIN;
    t->left--;
    t->last = BBLOCK(blockno, fs.sb);
  }
  r = bfree(blockno, b);
  return r == -EUCLEAN ? 0 : r;
}

/* The buffer of the file's block bn, held, or NULL. A directory's is found by
 * its number, which may be of no data block: that one is not the directory's. */
static struct buf *content_buf(struct inode *ip, uint bn, uint blockno) {
  struct bpage *p;

  if (ip->type != T_FILE)
    return fs_data_block(blockno) ? bfind(blockno) : NULL;
  p = fpage_find(ip->inum, bn / PER_PAGE);
  return p != NULL ? &p->buf[bn % PER_PAGE] : NULL;
}

/* Free the blocks in a[keep..n), from the end on; a[0] is the file's block
 * `first`. They become holes. */
static int free_slots(struct trunc *t, uint *a, uint first, uint keep, uint n) {
  while (n > keep) {
    uint blockno = a[n - 1];
    int r = 0;

    if (blockno != 0) {
      struct buf *b = content_buf(t->ip, first + n - 1, blockno);

      r = free_block(t, blockno, b);
      if (r == 0 && b != NULL && t->ip->type == T_FILE)
        b->blockno = 0;
      if (b != NULL)
        bdrop(b);
    }
    if (r < 0)
      return r;
    a[--n] = 0;
    t->end = first + n;
  }
  return 0;
}

/* Free what the indirect block names from block `keep` of the file on, and
 * itself if nothing remains. */
static int free_indirect(struct trunc *t) {
  struct inode *ip = t->ip;
  int r = hold_map(ip);

  if (r < 0 || ip->map == NULL)
    return r;
  block_held(ip->map);
  r = free_slots(t, map_of(ip), NDIRECT, MAX(t->keep, NDIRECT) - NDIRECT,
                 NINDIRECT);
  log_write(ip->map);
  if (r == 0 && t->keep <= NDIRECT) {
    r = free_block(t, ip->addrs[NDIRECT], ip->map);
    if (r == 0)
      ip->addrs[NDIRECT] = 0;
  }
  brelse(ip->map);
  if (ip->addrs[NDIRECT] == 0) {
    bdrop(ip->map);
    ip->map = NULL;
  }
  return r;
}

/* Fill the last block with zeros from the new end of the file on. */
static int zero_tail(struct inode *ip, uint64 size) {
  uint skip = size % PGSIZE, i = skip / BSIZE;
  struct bpage *p;
  int r;

  if (ip->type != T_FILE || size >= ip->size || size % BSIZE == 0)
    return 0;
  r = page_with(ip, size / PGSIZE, i, i, 0, &p);
  if (r < 0)
    return r;
  memset(p->data + skip, 0, BSIZE - size % BSIZE);
  if (p->buf[i].blockno != 0)
    log_write(&p->buf[i]);
  bpage_put(p);
  return 0;
}

/* The blocks behind the end have been freed: the same for the cache. */
static void cut_pages(struct inode *ip) {
  uint first = fpages(ip->size);
  struct bpage *p = fpage_find(ip->inum, ip->size / PGSIZE);

  if (p != NULL && ip->size % PGSIZE != 0)
    for (uint i = blocks_of(ip->size % PGSIZE); i < PER_PAGE; i++)
      bpage_zero(p, i);
  if (p != NULL)
    bpage_put(p);
  for (uint index = first; index < ip->pages; index++) {
    p = fpage_find(ip->inum, index);
    if (p == NULL)
      continue;
    filemap_clean(p);
    fpage_detach(p);
    bpage_put(p);
  }
  ip->pages = MIN(ip->pages, first);
  memobject_unmap(&ip->object, first);
}

int itrunc(struct inode *ip, uint64 size) {
  struct trunc t = {.ip = ip,
                    .keep = blocks_of(size),
                    .end = MAXFILE,
                    .left = itrunc_blocks() - 3};
  int r;

  if (size > MAXSIZE)
    return -EFBIG;
  if (size > ip->size)
    clear_beyond_end(ip);
  r = zero_tail(ip, size);
  if (r < 0)
    return r;
  r = free_indirect(&t);
  if (r == 0 && t.keep < NDIRECT)
    r = free_slots(&t, ip->addrs, 0, t.keep, NDIRECT);
  isize_set(ip, r == 0 ? size : MIN(ip->size, (uint64)t.end * BSIZE));
  if (ip->type == T_FILE)
    cut_pages(ip);
  iupdate(ip);
  return r;
}
