/*
 * The cache.
 *
 *   bucket[hash(file, number)] -> struct bpage -> struct bpage ...
 *                                 | data: one page of memory
 *                                 | buf[0..3]: the blocks in it
 *                                 | valid: which of them have content
 *
 * A page is read in one request as far as it is not valid and its blocks
 * follow each other on disk, so neighbours come for free.
 *
 * References keep a page. It has one for being in its bucket; others are only
 * added to a page found there, under the bucket's lock, or by who has one
 * already. So a page whose only reference is the bucket's can be taken out
 * under that lock (unhash_locked), and whoever gives up the last one frees the
 * page. Dirty blocks need no flag here: the log has a reference to what it has
 * not installed yet, and a list of an inode's to pages that shared mappings
 * change.
 *
 * A page that a process maps has no reference for that: its frame is counted
 * (mm/kalloc.h). The cache's own count is one; a page with more stays.
 *
 * The cache grows until it has cache.max pages (a third of the RAM), then
 * reuses the page that the clock hand finds unused since it came by last.
 * Memory is also given back when the system runs out (bcache_shrink).
 *
 * Truncation takes pages out although somebody uses them (fpage_detach): they
 * are then only his, and hold nothing that anybody else will ever see. That,
 * and adding a file's pages, happens under the inode's lock. So that each page
 * can be accounted for, those are in a list of their own (cache.cut).
 *
 * The same block of the disk can be in two pages: in a file's, and, stale, as
 * a neighbour that came for free, among the disk's. Nobody looks at the latter:
 * a block that becomes a directory's or an indirect one is filled anew (bnew).
 *
 * Locks: see struct bpage. Order: buffer, then spin locks: cache.lock before a
 * bucket's; a page's lock with neither.
 */
#include "fs/bcache.h"

#include "fs/mount.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/audit.h"
#include "mm/kalloc.h"
#include "mm/slab.h"

#define SECTORS_PER_BLOCK (BSIZE / SECTOR_SIZE)
#define PART_OF_RAM 3  /* the cache takes at most 1/3 of it */
#define PAGES_MIN 64   /* whatever the RAM */
#define EVICT_SCAN 64  /* pages looked at for one to reuse */
#define SHRINK_SOME 64 /* pages; after so many others get the lock */
#define FILE_STRIDE 61 /* between the first buckets of two files: odd */

struct bucket {
  struct spinlock lock;
  struct bpage *first; /* [h] */
};

static struct {
  struct blockdev *disk;  /* [c] */
  uint nblocks;           /* [c] blocks from this on do not exist */
  struct bucket *buckets; /* [c] */
  uint mask;              /* [c] number of buckets - 1 */
  size_t max;             /* [c] pages; more only while all are in use */
  struct spinlock lock;
  struct list clock; /* [k] all pages; the hand is at the front */
  size_t count;      /* [k] of them */
  struct list cut;   /* [k] detached pages, until their last reference goes */
} cache;

static struct slab_cache bpages =
    SLAB_CACHE(bpages, "bpage", sizeof(struct bpage));

/* As many buckets as there may be pages, in one block of memory. */
int bcache_init(struct blockdev *disk, uint nblocks) {
  int order = 0;

  cache.disk = disk;
  cache.nblocks = nblocks;
  cache.max = MAX(pages_total() / PART_OF_RAM, PAGES_MIN);
  cache.max = MIN(cache.max, nblocks); /* a page has at least one */
  while (order < ORDER_MAX &&
         (PGSIZE << order) / sizeof(struct bucket) < cache.max)
    order++;
  do
    cache.buckets = kalloc_pages(order, PAGE_KERNEL);
  while (cache.buckets == NULL && order-- > 0);
  if (cache.buckets == NULL)
    return -ENOMEM;
  cache.mask = (PGSIZE << order) / sizeof(struct bucket);
  while (cache.mask & (cache.mask - 1))
    cache.mask &= cache.mask - 1; /* down to a power of two */
  for (uint i = 0; i < cache.mask; i++)
    cache.buckets[i] = (struct bucket){.lock = SPINLOCK("bcache bucket")};
  cache.mask--;
  initlock(&cache.lock, "bcache");
  list_init(&cache.clock);
  list_init(&cache.cut);
  return 0;
}

/* --- pages: finding, making, evicting --- */

static struct bucket *bucket_of(uint file, uint number) {
  return &cache.buckets[(file * FILE_STRIDE + number) & cache.mask];
}

void bpage_ref(struct bpage *p) {
  __atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
}

/* The page if it is cached, with one more reference. Bucket locked. */
static struct bpage *find_locked(struct bucket *bk, uint file, uint number) {
  for (struct bpage *p = bk->first; p != NULL; p = p->hashnext) {
    if (p->number == number && p->file == file) {
      bpage_ref(p);
      p->used = true;
      return p;
    }
  }
  return NULL;
}

static struct bpage *find(struct bucket *bk, uint file, uint number) {
  struct bpage *p;

  acquire(&bk->lock);
  p = find_locked(bk, file, number);
  release(&bk->lock);
  return p;
}

static void page_free(struct bpage *p) {
  frame_put(p->data);
  slab_free(&bpages, p);
}

void bpage_put(struct bpage *p) {
  if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  ASSERT(!p->cached); /* else somebody gave up the bucket's */
  acquire(&cache.lock);
  list_remove(&p->clock); /* of those that were cut off */
  release(&cache.lock);
  page_free(p);
}

static void unlink_locked(struct bucket *bk, struct bpage *p) {
  struct bpage **link = &bk->first;

  while (*link != p)
    link = &(*link)->hashnext;
  *link = p->hashnext;
}

/* Take a page out of its bucket if nobody uses it. Who maps it got it by a
 * reference, so with none, none is added to the frame's count either. */
static bool unhash_locked(struct bucket *bk, struct bpage *p) {
  int only = 1;

  if (!__atomic_compare_exchange_n(&p->refs, &only, 0, false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return false;
  if (frame_count(p->data) > 1) {
    __atomic_store_n(&p->refs, 1, __ATOMIC_RELAXED);
    return false;
  }
  unlink_locked(bk, p);
  return true;
}

/* Move the clock hand on by one page; take that one out if it is not in use
 * and, unless `any`, has not been since the last time. If `try`, give up where
 * a lock is taken. */
static struct bpage *advance_locked(bool any, bool try) {
  struct bpage *p = list_entry(cache.clock.next, struct bpage, clock);
  struct bucket *bk = bucket_of(p->file, p->number);
  bool out = false;

  list_remove(&p->clock);
  if (p->used && !any) {
    p->used = false;
  } else if (!try || acquire_try(&bk->lock)) {
    if (!try)
      acquire(&bk->lock);
    out = unhash_locked(bk, p);
    release(&bk->lock);
  }
  if (!out) {
    list_add_back(&cache.clock, &p->clock);
    return NULL;
  }
  cache.count--;
  return p;
}

/* A page to reuse, if the cache has as many as it may have. A short search: if
 * all of that are in use, the cache grows. */
static struct bpage *evict(void) {
  struct bpage *p = NULL;

  acquire(&cache.lock);
  if (cache.count >= cache.max)
    for (uint n = 0; n < EVICT_SCAN && p == NULL; n++)
      p = advance_locked(false, false);
  release(&cache.lock);
  return p;
}

/* Give back `want` of the next n pages, or as many as are not in use. */
static size_t shrink_locked(size_t want, size_t n) {
  size_t freed = 0;

  for (n = MIN(n, cache.count); n > 0 && freed < want; n--) {
    struct bpage *p = advance_locked(true, true);

    if (p != NULL) {
      page_free(p);
      freed++;
    }
  }
  return freed;
}

size_t bcache_shrink(size_t want, size_t most) {
  size_t left = MIN(most, __atomic_load_n(&cache.count, __ATOMIC_RELAXED));
  size_t freed = 0;

  while (left > 0 && freed < want && acquire_try(&cache.lock)) {
    size_t n = MIN(left, (size_t)SHRINK_SOME);

    freed += shrink_locked(want - freed, n);
    release(&cache.lock);
    left -= n;
  }
  return freed;
}

static void audit_list(struct audit *a, const struct list *pages) {
  list_for_each (l, pages) {
    struct bpage *p = list_entry(l, struct bpage, clock);

    audit_page(a, V2P(p->data), OWNED_BY(PAGE_CACHE), (struct audit_place){0});
  }
}

void bcache_audit(struct audit *a) {
  if (cache.buckets == NULL)
    return;
  audit_list(a, &cache.clock);
  audit_list(a, &cache.cut);
}

/* A page without content, not yet in a bucket; its references are the bucket's
 * and the caller's. */
static struct bpage *page_new(uint file, uint number) {
  struct bpage *p = evict();
  char *data = p != NULL ? p->data : kalloc_for(PAGE_CACHE);

  if (data == NULL)
    return NULL;
  if (p == NULL)
    p = slab_alloc(&bpages);
  if (p == NULL) {
    kfree(data);
    return NULL;
  }
  *p = (struct bpage){.file = file,
                      .number = number,
                      .refs = 2,
                      .used = true,
                      .cached = true,
                      .data = data};
  initlock(&p->lock, "bpage");
  waitq_init(&p->wait, "disk");
  list_init(&p->dirtylink);
  for (uint i = 0; i < PER_PAGE; i++)
    p->buf[i] = (struct buf){.data = data + i * BSIZE,
                             .blockno = file != 0 ? 0 : number * PER_PAGE + i,
                             .page = p};
  return p;
}

/* Make the page and put it into its bucket, unless somebody was faster. */
static struct bpage *page_add(struct bucket *bk, uint file, uint number) {
  struct bpage *new = page_new(file, number), *p;

  if (new == NULL)
    return NULL;
  acquire(&bk->lock);
  p = find_locked(bk, file, number);
  if (p == NULL) {
    new->hashnext = bk->first;
    bk->first = new;
  }
  release(&bk->lock);
  if (p != NULL) {
    page_free(new);
    return p;
  }
  acquire(&cache.lock);
  list_add_back(&cache.clock, &new->clock);
  cache.count++;
  release(&cache.lock);
  return new;
}

static int page_get(uint file, uint number, struct bpage **page) {
  struct bucket *bk = bucket_of(file, number);

  *page = find(bk, file, number);
  if (*page == NULL)
    *page = page_add(bk, file, number);
  return *page != NULL ? 0 : -ENOMEM;
}

/* The page of a block of the disk. */
static int page_of_block(uint blockno, struct bpage **page) {
  if (blockno >= cache.nblocks)
    return fs_damaged("there is no block %u", blockno);
  return page_get(0, blockno / PER_PAGE, page);
}

int fpage_get(uint inum, uint index, struct bpage **p) {
  return page_get(inum, index, p);
}

struct bpage *fpage_find(uint inum, uint index) {
  return find(bucket_of(inum, index), inum, index);
}

void fpage_detach(struct bpage *p) {
  struct bucket *bk = bucket_of(p->file, p->number);

  __atomic_store_n(&p->cached, false, __ATOMIC_RELEASE);
  acquire(&cache.lock);
  list_remove(&p->clock);
  list_add_back(&cache.cut, &p->clock);
  cache.count--;
  acquire(&bk->lock);
  unlink_locked(bk, p);
  release(&bk->lock);
  release(&cache.lock);
  bpage_put(p); /* the bucket's */
}

/* --- reading --- */

/* In interrupt context. The read had a reference of its own. */
static void read_done(struct bio *bio) {
  struct bpage *p = bio->owner;

  acquire(&p->lock);
  p->status = bio->status;
  if (bio->status == 0)
    __atomic_fetch_or(&p->valid, p->reading, __ATOMIC_RELEASE);
  p->reading = 0;
  wakeup(&p->wait);
  release(&p->lock);
  bpage_put(p);
}

/* Do blocks i and i + 1 of the page want reading, and in one request? */
static bool joined(const struct bpage *p, uint i) {
  return !(p->valid & 3U << i) && p->buf[i + 1].blockno < cache.nblocks &&
         p->buf[i].blockno + 1 == p->buf[i + 1].blockno;
}

/* Start to read block i of the page and its neighbours that are not valid.
 * The page is locked and nothing is being read into it; the lock is given up
 * for a moment, as the read may be done before block_submit returns. */
static void read_start_locked(struct bpage *p, uint i) {
  uint first = i, end = i + 1;

  while (first > 0 && joined(p, first - 1))
    first--;
  while (end < PER_PAGE && joined(p, end - 1))
    end++;
  p->reading = (1U << end) - (1U << first);
  p->status = 0;
  p->bio =
      (struct bio){.op = BIO_READ,
                   .sector = (uint64)p->buf[first].blockno * SECTORS_PER_BLOCK,
                   .sectors = (end - first) * SECTORS_PER_BLOCK,
                   .data = p->buf[first].data,
                   .done = read_done,
                   .owner = p};
  bpage_ref(p);
  release(&p->lock);
  block_submit(cache.disk, &p->bio);
  acquire(&p->lock);
}

/* Make block i of the page valid. The page is locked. What others try to read
 * into it may fail without harm: then it is tried again here. */
static int fill_locked(struct bpage *p, uint i) {
  bool tried = false;

  while (!(p->valid & 1U << i)) {
    if (!p->reading) {
      if (tried && p->status < 0)
        return p->status;
      tried = true;
      read_start_locked(p, i);
    }
    while (p->reading)
      sleep(&p->wait, &p->lock);
  }
  return 0;
}

void bpage_read(struct bpage *p, uint i) {
  acquire(&p->lock);
  if (!(p->valid & 1U << i) && !p->reading)
    read_start_locked(p, i);
  release(&p->lock);
}

int bpage_fill(struct bpage *p, uint i) {
  int r;

  acquire(&p->lock);
  r = fill_locked(p, i);
  release(&p->lock);
  return r;
}

void bpage_zero(struct bpage *p, uint i) {
  acquire(&p->lock);
  while (p->reading & 1U << i)
    sleep(&p->wait, &p->lock); /* else the read would overwrite it */
  release(&p->lock);
  memset(p->buf[i].data, 0, BSIZE);
  __atomic_fetch_or(&p->valid, 1U << i, __ATOMIC_RELEASE);
}

/* Begin to read n blocks that will be wanted soon, as far as their pages have
 * no content yet. */
static void prefetch(uint blockno, uint n) {
  uint end = MIN(blockno + n, cache.nblocks);
  struct bpage *p;

  for (uint b = blockno; b < end; b = (b / PER_PAGE + 1) * PER_PAGE) {
    if (page_of_block(b, &p) < 0)
      return;
    acquire(&p->lock);
    if (p->valid == 0 && !p->reading)
      read_start_locked(p, b % PER_PAGE);
    release(&p->lock);
    bpage_put(p);
  }
}

/* --- buffers --- */

static void lock_buf_locked(struct buf *b) {
  while (b->locked)
    sleep(&b->page->wait, &b->page->lock);
  b->locked = true;
}

static void unlock_buf_locked(struct buf *b) {
  b->locked = false;
  if (!list_empty(&b->page->wait.waiters))
    wakeup(&b->page->wait);
}

int bread(uint blockno, struct buf **buf) {
  struct bpage *p;
  struct buf *b;
  int r = page_of_block(blockno, &p);

  if (r < 0)
    return r;
  b = &p->buf[blockno % PER_PAGE];
  acquire(&p->lock);
  lock_buf_locked(b);
  r = fill_locked(p, blockno % PER_PAGE);
  if (r < 0)
    unlock_buf_locked(b);
  release(&p->lock);
  if (r < 0)
    bpage_put(p);
  *buf = b;
  return r;
}

int bnew(uint blockno, struct buf **buf) {
  struct bpage *p;
  int r = page_of_block(blockno, &p);

  if (r < 0)
    return r;
  *buf = &p->buf[blockno % PER_PAGE];
  acquire(&p->lock);
  lock_buf_locked(*buf);
  while (p->reading & 1U << blockno % PER_PAGE)
    sleep(&p->wait, &p->lock); /* else the read would overwrite it */
  __atomic_fetch_or(&p->valid, 1U << blockno % PER_PAGE, __ATOMIC_RELEASE);
  release(&p->lock);
  return 0;
}

void block_held(struct buf *b) {
  bpin(b);
  acquire(&b->page->lock);
  lock_buf_locked(b);
  release(&b->page->lock);
}

void brelse(struct buf *b) {
  acquire(&b->page->lock);
  unlock_buf_locked(b);
  release(&b->page->lock);
  bpage_put(b->page);
}

int bhold(uint blockno, uint ahead, struct buf **buf) {
  uint i = blockno % PER_PAGE;
  struct bpage *p;
  int r = page_of_block(blockno, &p);

  if (r < 0)
    return r;
  if (!(__atomic_load_n(&p->valid, __ATOMIC_ACQUIRE) & 1U << i)) {
    prefetch(blockno, 1 + ahead);
    r = bpage_fill(p, i);
    if (r < 0) {
      bpage_put(p);
      return r;
    }
  }
  *buf = &p->buf[i];
  return 0;
}

struct buf *bfind(uint blockno) {
  struct bpage *p = fpage_find(0, blockno / PER_PAGE);

  return p != NULL ? &p->buf[blockno % PER_PAGE] : NULL;
}

void bdrop(struct buf *b) { bpage_put(b->page); }

void bpin(struct buf *b) { bpage_ref(b->page); }
