/*
 * The buffer cache.
 *
 * Memory comes by the page, so the cache keeps pages of PGSIZE / BSIZE blocks
 * that follow each other on disk:
 *
 *   bucket[number % nbuckets] -> struct bpage -> struct bpage ...
 *                                 | data: one page of memory
 *                                 | buf[0..3]: the blocks in it
 *                                 | valid: which of them have content
 *
 * A page is read in one request as far as it is not valid, so neighbours come
 * for free, and readi() copies up to a page at once.
 *
 * A reference keeps a page where it is. References are only added to a page
 * found in its bucket, under the bucket's lock, or by who has one already; a
 * page without any can thus be taken out under that lock. Dirty blocks need
 * no flag: the log holds a reference to what it has not installed yet.
 *
 * The cache grows until it has cache.max pages (a third of the RAM, or the
 * whole disk), then reuses the page that the clock hand finds unused since it
 * came by last. Memory is also given back when the system runs out
 * (bcache_shrink).
 *
 * Locks: [p] the page's lock, [h] the bucket's, [k] cache.lock; [c] constant;
 * [a] atomic; [b] who locked the buffer. Order: buffer, then spin locks:
 * cache.lock before a bucket's; a page's lock with neither.
 */
#include "fs/bcache.h"

#include "abi/fs.h"
#include "dev/block.h"
#include "fs/mount.h"
#include "lib/list.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "pte.h"
#include "sched/sleep.h"

#define PER_PAGE (PGSIZE / BSIZE)
#define ALL_VALID ((1U << PER_PAGE) - 1)
#define SECTORS_PER_BLOCK (BSIZE / SECTOR_SIZE)
#define PART_OF_RAM 3 /* the cache takes at most 1/3 of it */
#define PAGES_MIN 64  /* whatever the RAM */

struct bpage {
  uint number;            /* [c] first block / PER_PAGE */
  int refs;               /* [h] to add the first, else [a] */
  bool used;              /* [a] since the clock hand came by */
  struct bpage *hashnext; /* [h] */
  struct list clock;      /* [k] */
  char *data;             /* [c] */
  struct spinlock lock;
  uint valid;        /* [p] to change; bit i: buf[i] has its content */
  uint reading;      /* [p] bits of the blocks that bio reads */
  int status;        /* [p] of the last read */
  struct waitq wait; /* for the end of a read or a buffer's lock */
  struct bio bio;
  struct buf buf[PER_PAGE];
};

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
  size_t count;      /* [k] */
} cache;

static struct slab_cache bpages =
    SLAB_CACHE(bpages, "bpage", sizeof(struct bpage));

/* As many buckets as there may be pages, in one block of memory. */
int bcache_init(struct blockdev *disk, uint nblocks) {
  int order = 0;

  cache.disk = disk;
  cache.nblocks = nblocks;
  cache.max = MAX(pages_total() / PART_OF_RAM, PAGES_MIN);
  cache.max = MIN(cache.max, nblocks / PER_PAGE + 1);
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
  return 0;
}

/* --- pages: finding, making, evicting --- */

static struct bucket *bucket_of(uint number) {
  return &cache.buckets[number & cache.mask];
}

/* The page if it is cached, with one more reference. Bucket locked. */
static struct bpage *find_locked(struct bucket *bk, uint number) {
  for (struct bpage *p = bk->first; p != NULL; p = p->hashnext) {
    if (p->number == number) {
      __atomic_fetch_add(&p->refs, 1, __ATOMIC_ACQUIRE);
      p->used = true;
      return p;
    }
  }
  return NULL;
}

static void page_put(struct bpage *p) {
  __atomic_fetch_sub(&p->refs, 1, __ATOMIC_RELEASE);
}

/* Take a page without references out of its bucket. */
static bool unhash_locked(struct bucket *bk, struct bpage *p) {
  struct bpage **link = &bk->first;

  if (__atomic_load_n(&p->refs, __ATOMIC_ACQUIRE) > 0)
    return false;
  while (*link != p)
    link = &(*link)->hashnext;
  *link = p->hashnext;
  return true;
}

/* Move the clock hand on by one page; take that one out if it is not in use
 * and, unless `any`, has not been since the last time. If `try`, give up where
 * a lock is taken. */
static struct bpage *advance_locked(bool any, bool try) {
  struct bpage *p = list_entry(cache.clock.next, struct bpage, clock);
  struct bucket *bk = bucket_of(p->number);
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

/* A page to reuse, if the cache has as many as it may have. */
static struct bpage *evict(void) {
  struct bpage *p = NULL;

  acquire(&cache.lock);
  if (cache.count >= cache.max)
    for (size_t n = 2 * cache.count; n > 0 && p == NULL; n--)
      p = advance_locked(false, false);
  release(&cache.lock);
  return p;
}

static void page_free(struct bpage *p) {
  kfree(p->data);
  slab_free(&bpages, p);
}

size_t bcache_shrink(size_t want) {
  size_t freed = 0;
  struct bpage *p;

  if (cache.buckets == NULL || !acquire_try(&cache.lock))
    return 0;
  for (size_t n = cache.count; n > 0 && freed < want; n--) {
    p = advance_locked(true, true);
    if (p != NULL) {
      page_free(p);
      freed++;
    }
  }
  release(&cache.lock);
  return freed;
}

/* A page without content and with one reference, not yet in a bucket. */
static struct bpage *page_new(uint number) {
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
  *p = (struct bpage){.number = number, .refs = 1, .used = true, .data = data};
  initlock(&p->lock, "bpage");
  waitq_init(&p->wait, "disk");
  for (uint i = 0; i < PER_PAGE; i++)
    p->buf[i] = (struct buf){
        .data = data + i * BSIZE, .blockno = number * PER_PAGE + i, .page = p};
  return p;
}

/* Make the page and put it into its bucket, unless somebody was faster. */
static struct bpage *page_add(struct bucket *bk, uint number) {
  struct bpage *new = page_new(number), *p;

  if (new == NULL)
    return NULL;
  acquire(&bk->lock);
  p = find_locked(bk, number);
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

/* The page of a block, referenced. */
static int page_get(uint blockno, struct bpage **page) {
  uint number = blockno / PER_PAGE;
  struct bucket *bk = bucket_of(number);
  struct bpage *p;

  if (blockno >= cache.nblocks)
    return fs_damaged("there is no block %u", blockno);
  acquire(&bk->lock);
  p = find_locked(bk, number);
  release(&bk->lock);
  if (p == NULL)
    p = page_add(bk, number);
  *page = p;
  return p != NULL ? 0 : -ENOMEM;
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
  page_put(p);
}

/* Start to read block i of the page and its neighbours that are not valid.
 * The page is locked and nothing is being read into it; the lock is given up
 * for a moment, as the read may be done before block_submit returns. */
static void read_start_locked(struct bpage *p, uint i) {
  uint first = i, end = i + 1;
  uint last = MIN(PER_PAGE, cache.nblocks - p->number * PER_PAGE);

  while (first > 0 && !(p->valid & 1U << (first - 1)))
    first--;
  while (end < last && !(p->valid & 1U << end))
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
  __atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
  release(&p->lock);
  block_submit(cache.disk, &p->bio);
  acquire(&p->lock);
}

/* Make block i of the page valid. The page is locked. */
static int fill_locked(struct bpage *p, uint i) {
  while (!(p->valid & 1U << i)) {
    if (!p->reading)
      read_start_locked(p, i);
    while (p->reading)
      sleep(&p->wait, &p->lock);
    if (p->status < 0 && !(p->valid & 1U << i))
      return p->status;
  }
  return 0;
}

/* Begin to read n blocks that will be wanted soon, as far as their pages have
 * no content yet. */
static void prefetch(uint blockno, uint n) {
  uint end = MIN(blockno + n, cache.nblocks);
  struct bpage *p;

  for (uint b = blockno; b < end; b = (b / PER_PAGE + 1) * PER_PAGE) {
    if (page_get(b, &p) < 0)
      return;
    acquire(&p->lock);
    if (p->valid == 0 && !p->reading)
      read_start_locked(p, b % PER_PAGE);
    release(&p->lock);
    page_put(p);
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
  int r = page_get(blockno, &p);

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
    page_put(p);
  *buf = b;
  return r;
}

int bnew(uint blockno, struct buf **buf) {
  struct bpage *p;
  int r = page_get(blockno, &p);

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
  page_put(b->page);
}

int bhold(uint blockno, uint max, struct buf **buf) {
  uint i = blockno % PER_PAGE, n = 1;
  struct bpage *p;
  uint valid;
  int r = page_get(blockno, &p);

  if (r < 0)
    return r;
  valid = __atomic_load_n(&p->valid, __ATOMIC_ACQUIRE);
  if (valid != ALL_VALID) {
    if (!(valid & 1U << i))
      prefetch(blockno, max);
    acquire(&p->lock);
    r = fill_locked(p, i);
    valid = p->valid;
    release(&p->lock);
    if (r < 0) {
      page_put(p);
      return r;
    }
  }
  while (n < max && i + n < PER_PAGE && valid & 1U << (i + n))
    n++;
  *buf = &p->buf[i];
  return n;
}

void bdrop(struct buf *b) { page_put(b->page); }

void bpin(struct buf *b) {
  __atomic_fetch_add(&b->page->refs, 1, __ATOMIC_RELAXED);
}
