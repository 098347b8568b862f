/*
 * malloc and free: boundary tags and bins.
 *
 * The heap is made of areas got from sbrk(), each a row of blocks with a
 * header word before the payload. A free block has its size at its end too, so
 * that both neighbours of a block that is freed are found at once and joined
 * with it. Areas that touch become one.
 *
 *   area:  | used 48 | free 160 ........ | used 32 | end, size 0, used |
 *                      ^ header, links, ... size again
 *
 *   header: size in bytes, a multiple of 16, header included; its low bits say
 *   USED: this block is in use; PREV_USED: the one before it is.
 *
 * Free blocks hang in doubly linked lists, a bin for every size up to 1 KiB
 * and four for each power of two above. A bitmap tells which bins hold
 * something: malloc takes the first block of the lowest bin all of whose
 * blocks are large enough. Both calls take constant time, but for a look
 * through the one bin in which only some blocks fit when nothing larger is
 * there.
 *
 * A lock lets in one thread at a time.
 */
#include "extra.h"
#include "lock.h"
#include "user/user.h"

typedef unsigned long size;

#define ALIGN 16
#define USED 1UL
#define PREV_USED 2UL
#define FLAGS (ALIGN - 1UL)

struct block {
  size foot; /* size of the block before, valid only if that is free; lies in
                the last word of that block */
  size head; /* size and flags */
  struct block *next; /* in the bin; payload while in use */
  struct block *prev;
};

#define OVERHEAD __builtin_offsetof(struct block, next) /* to the payload */
#define MIN_BLOCK sizeof(struct block)

#define SMALL_MAX 1024 /* exact bins below */
#define SMALL_BINS (SMALL_MAX / ALIGN)
#define SMALL_SHIFT 10 /* log2 of SMALL_MAX */
#define SUB_BINS 4     /* bins for a power of two */
#define LARGE_SHIFT 32 /* no block is that large: sbrk() takes an int */
#define BINS (SMALL_BINS + (LARGE_SHIFT - SMALL_SHIFT) * SUB_BINS)

#define GROW (64 * 1024)        /* bytes that the heap grows by, at least */
#define REQUEST_MAX 0x7fff0000U /* what sbrk() can be asked for */

#define MAP_BITS 64
static unsigned long long map[(BINS + MAP_BITS - 1) / MAP_BITS];
static struct block *bins[BINS];
static struct block *last; /* the end block of the newest area */
static uint heap_lock;     /* guards all of these, and all headers */

static size size_of(const struct block *b) { return b->head & ~FLAGS; }

static struct block *after(const struct block *b) {
  return (struct block *)((char *)b + size_of(b));
}

static struct block *before(const struct block *b) {
  return (struct block *)((char *)b - b->foot);
}

static void *payload(struct block *b) { return (char *)b + OVERHEAD; }

static struct block *block_of(void *p) {
  return (struct block *)((char *)p - OVERHEAD);
}

/* The number of the highest bit that is set. */
static int highest_bit(unsigned long long m) {
  int i = 0;

  for (int half = MAP_BITS / 2; half > 0; half /= 2)
    if (m >> half) {
      m >>= half;
      i += half;
    }
  return i;
}

static int lowest_bit(unsigned long long m) { return highest_bit(m & -m); }

/* The bin in which a free block of n bytes belongs. */
static int bin_of(size n) {
  int shift;

  if (n < SMALL_MAX)
    return n / ALIGN;
  shift = highest_bit(n);
  return SMALL_BINS + (shift - SMALL_SHIFT) * SUB_BINS +
         ((n >> (shift - 2)) & (SUB_BINS - 1));
}

static void bin_insert(struct block *b) {
  int i = bin_of(size_of(b));

  b->prev = 0;
  b->next = bins[i];
  if (b->next)
    b->next->prev = b;
  bins[i] = b;
  map[i / MAP_BITS] |= 1ULL << (i % MAP_BITS);
}

static void bin_remove(struct block *b) {
  int i = bin_of(size_of(b));

  if (b->next)
    b->next->prev = b->prev;
  if (b->prev)
    b->prev->next = b->next;
  else
    bins[i] = b->next;
  if (!bins[i])
    map[i / MAP_BITS] &= ~(1ULL << (i % MAP_BITS));
}

/* The lowest bin from i on that is not empty, or -1. */
static int bin_from(int i) {
  unsigned long long m;
  int w = i / MAP_BITS;

  if (i >= BINS)
    return -1;
  m = map[w] & (~0ULL << (i % MAP_BITS));
  while (!m) {
    if (++w == (int)(sizeof(map) / sizeof(map[0])))
      return -1;
    m = map[w];
  }
  return w * MAP_BITS + lowest_bit(m);
}

/* Make b a free block of n bytes, joined with free neighbours. */
static void release(struct block *b, size n) {
  struct block *next = (struct block *)((char *)b + n);

  if (!(b->head & PREV_USED)) {
    b = before(b);
    bin_remove(b);
    n += size_of(b);
  }
  if (!(next->head & USED)) {
    bin_remove(next);
    n += size_of(next);
    next = after(next);
  }
  b->head = n | PREV_USED;
  next->foot = n;
  next->head &= ~PREV_USED;
  bin_insert(b);
}

/* Give the bytes of used block b beyond n back, if they can be a block. */
static void trim(struct block *b, size n) {
  size extra = size_of(b) - n;
  struct block *rest = (struct block *)((char *)b + n);

  if (extra < MIN_BLOCK)
    return;
  b->head = n | (b->head & FLAGS);
  rest->head = extra | USED | PREV_USED;
  release(rest, extra);
}

/* More memory from the kernel, as a free block of at least n bytes. */
static int grow(size n) {
  size want = n + OVERHEAD + ALIGN; /* an end block, and to align the start */
  struct block *b, *end;
  char *p;

  if (want < GROW) {
    p = sbrk(GROW);
    if (p != SBRK_ERROR)
      want = GROW;
  } else {
    p = SBRK_ERROR;
  }
  if (p == SBRK_ERROR)
    p = sbrk(want);
  if (p == SBRK_ERROR)
    return -1;
  if (last && p == (char *)last + OVERHEAD) {
    b = last; /* the area goes on: its end block becomes the new block */
    end = (struct block *)(p + (want & ~FLAGS) - OVERHEAD);
  } else {
    char *stop = p + want;

    p += -((size)p + OVERHEAD) & FLAGS; /* payloads are aligned */
    b = (struct block *)p;
    b->head = PREV_USED;
    end = (struct block *)(p + ((stop - p - OVERHEAD) & ~FLAGS));
  }
  end->head = USED;
  last = end;
  release(b, (char *)end - (char *)b);
  return 0;
}

/* A free block of at least n bytes, or 0. */
static struct block *find(size n) {
  int i = bin_of(n);
  int sure = bin_from(n < SMALL_MAX ? i : i + 1);

  if (sure >= 0)
    return bins[sure];
  for (struct block *b = bins[i]; b; b = b->next)
    if (size_of(b) >= n)
      return b;
  return 0;
}

/* Bytes of a block with room for n bytes of payload. The payload reaches into
 * the next block's foot, which is only needed while this one is free. */
static size block_size(uint n) {
  size s = ((size)n + sizeof(size) + FLAGS) & ~FLAGS;

  return s < MIN_BLOCK ? MIN_BLOCK : s;
}

/* A used block of n bytes, or 0. Lock held. */
static struct block *take(size want) {
  struct block *b = find(want);

  if (!b) {
    if (grow(want) < 0)
      return 0;
    b = find(want);
  }
  bin_remove(b);
  b->head |= USED;
  after(b)->head |= PREV_USED;
  trim(b, want);
  return b;
}

void *malloc(uint n) {
  struct block *b;

  if (n > REQUEST_MAX)
    return 0;
  library_lock(&heap_lock);
  b = take(block_size(n));
  library_unlock(&heap_lock);
  return b ? payload(b) : 0;
}

void free(void *p) {
  struct block *b;

  if (!p)
    return;
  b = block_of(p);
  library_lock(&heap_lock);
  release(b, size_of(b));
  library_unlock(&heap_lock);
}

EXTRA void *calloc(uint n, uint each) {
  unsigned long long total = (unsigned long long)n * each;
  void *p = total > REQUEST_MAX ? 0 : malloc(total);

  return p ? memset(p, 0, total) : 0;
}

EXTRA void *realloc(void *p, uint n) {
  size want = block_size(n), have;
  void *to;

  if (!p)
    return malloc(n);
  library_lock(&heap_lock);
  have = size_of(block_of(p));
  if (have >= want)
    trim(block_of(p), want);
  library_unlock(&heap_lock);
  if (have >= want)
    return p;
  to = malloc(n);
  if (!to)
    return 0;
  memcpy(to, p, have - sizeof(size));
  free(p);
  return to;
}
