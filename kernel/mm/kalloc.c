/*
 * The page allocator.
 *
 * Free memory is kept in blocks of 2^order pages (a buddy system: a block and
 * its neighbour of the same size merge when both are free). In front of the
 * blocks each CPU has a list of single pages of its own, so that most calls
 * touch nothing that is shared. All lists are made of struct run, stored in
 * the free pages themselves: a free page costs nothing.
 *
 *    kalloc() -> this CPU's list -> 32 at a time from the blocks
 *             -> other CPUs' lists -> reclaimers -> NULL
 *
 * For every frame of RAM there is a struct page that says who holds it.
 *
 * One page that stays is enough to keep a large block from ever being whole
 * again. So pages that stay (the kernel's own, page tables, stacks) are not
 * taken from where those are that can be dropped or copied (of caches, of
 * processes). Memory is divided into chunks, aligned stretches of the largest
 * block's size, each for one of the two uses:
 *
 *   | F F . F F F . . | M M . . M M M M | . . . . . . . . | M . M M M . . M |
 *       fixed               movable            free             movable
 *
 * Who finds no block of its own use takes a chunk that is all free. If there is
 * none, fixed pages claim the chunk with the largest free block, and from then
 * on all that becomes free in it; movable pages, which will go again, borrow
 * from the others' chunks, but leave a reserve in them as long as caches have
 * something to give back.
 *
 * Locks: a CPU's list lock, then block_lock; neither is held while a reclaimer
 * runs, nor before there can be more than one CPU.
 */
#include "mm/kalloc.h"

#include "cpu.h"
#include "debug.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "machine.h"
#include "pte.h"
#include "sync/spinlock.h"

#define LIST_MAX 128 /* pages on a CPU's list before some go back */
#define LIST_MOVE 32 /* pages moved between a CPU's list and the blocks */

/* What a free page holds: its place in a list. */
struct run {
  struct list link;
};

enum use { FIXED, MOVABLE, USES };

/* One per frame of RAM. */
struct page {
  uint8 owner; /* enum page_owner */
  uint8 order; /* of the block that starts here */
  bool head;   /* a free block starts here; [block_lock] */
  uint8 use;   /* of the chunk that starts here: enum use; [block_lock] */
  uint count;  /* [a] holders of an allocated page or whole block */
};

#define CHUNK_PAGES ((size_t)1 << ORDER_MAX)

static struct page *frames; /* indexed by frame number */
static size_t nframes;
/* Frame 0: RAM's start, aligned so that blocks can be. */
static paddr_t first_frame;

static struct spinlock block_lock = SPINLOCK("pages");
static bool use_lock; /* [c] once kalloc_use_lock() was called */

/* [block_lock] free blocks, by their chunk's use and by order */
static struct list blocks[USES][ORDER_MAX + 1];
static size_t block_pages[USES]; /* [block_lock] pages in those */
static size_t fixed_reserve;     /* constant: see above */

static struct cpu_list {
  struct spinlock lock;
  struct list pages[USES]; /* [lock] struct run */
  uint n[USES];            /* [lock] */
  long owned[PAGE_OWNERS]; /* [a] pages taken here minus given back */
} cpu_lists[NCPU];

static uint failures; /* [a] see kalloc_failures() */

static struct list reclaimers = LIST_INIT(reclaimers); /* constant after boot */

/* Is a superpage's block whole? Its head's order tells, and then its count
 * counts: both change under this lock. */
static struct spinlock whole_lock = SPINLOCK("whole blocks");

void *zero_page;
#define ZERO_PAGE_COUNT 2 /* for ever: nobody has it alone */

extern char end[]; /* kernel.ld: first address after the kernel */

static size_t frame_of(const void *p) {
  return (V2P(p) - first_frame) / PGSIZE;
}

static void *frame_address(size_t frame) {
  return P2V(first_frame + frame * PGSIZE);
}

void kalloc_use_lock(void) { use_lock = true; }

static void lock(struct spinlock *lk) {
  if (use_lock)
    acquire(lk);
}

static void unlock(struct spinlock *lk) {
  if (use_lock)
    release(lk);
}

/* Count n pages as moved to an owner. */
static void account(enum page_owner owner, long n) {
  push_off();
  __atomic_fetch_add(&cpu_lists[mycpu()->id].owned[owner], n, __ATOMIC_RELAXED);
  pop_off();
}

static enum use use_of(enum page_owner owner) {
  return owner == PAGE_USER || owner == PAGE_CACHE ? MOVABLE : FIXED;
}

/* The use of the chunk that a frame is in. Without block_lock it may be old:
 * then a page is on the wrong CPU's list once. */
static uint8 *chunk_use(size_t frame) {
  return &frames[frame & ~(CHUNK_PAGES - 1)].use;
}

/* --- blocks; all with block_lock held --- */

static void block_add(size_t frame, int order) {
  struct run *r = frame_address(frame);
  enum use use = *chunk_use(frame);

  frames[frame].order = order;
  frames[frame].head = true;
  list_add_front(&blocks[use][order], &r->link);
  block_pages[use] += 1UL << order;
}

static void block_take(size_t frame) {
  struct run *r = frame_address(frame);

  frames[frame].head = false;
  list_remove(&r->link);
  block_pages[*chunk_use(frame)] -= 1UL << frames[frame].order;
}

static bool block_is_free(size_t frame, int order) {
  return frame + (1UL << order) <= nframes && frames[frame].head &&
         frames[frame].order == order;
}

/* Give a block back, merging it with its free neighbours. */
static void block_free(size_t frame, int order) {
  while (order < ORDER_MAX && block_is_free(frame ^ (1UL << order), order)) {
    block_take(frame ^ (1UL << order));
    frame &= ~(1UL << order);
    order++;
  }
  block_add(frame, order);
}

/* The whole chunk of this frame gets another use, with what is free in it. */
static void chunk_claim(size_t frame, enum use use) {
  size_t first = frame & ~(CHUNK_PAGES - 1);
  size_t to = MIN(first + CHUNK_PAGES, nframes);
  struct list found = LIST_INIT(found), *link;

  for (size_t at = first; at < to; at++) {
    if (frames[at].head) {
      block_take(at);
      list_add_back(&found, &((struct run *)frame_address(at))->link);
    }
  }
  *chunk_use(frame) = use;
  while ((link = list_pop(&found)) != NULL) {
    frame = frame_of(list_entry(link, struct run, link));
    block_add(frame, frames[frame].order);
  }
}

/* The frame of the smallest free block that is large enough, or nframes. */
static size_t block_find(enum use use, int order) {
  while (order <= ORDER_MAX && list_empty(&blocks[use][order]))
    order++;
  if (order > ORDER_MAX)
    return nframes;
  return frame_of(list_entry(blocks[use][order].next, struct run, link));
}

/* There is none of this use: find one of the other, and claim its chunk, or
 * just borrow it; `borrow`: even from the reserve. */
static size_t block_find_other(enum use use, int order, bool borrow) {
  enum use other = use == FIXED ? MOVABLE : FIXED;
  int least = use == FIXED ? order : ORDER_MAX;

  for (int from = ORDER_MAX; from >= least; from--) {
    size_t frame = block_find(other, from);

    if (frame < nframes) {
      chunk_claim(frame, use);
      return frame;
    }
  }
  if (borrow || block_pages[other] >= fixed_reserve + (1UL << order))
    return block_find(other, order);
  return nframes;
}

/* Take a block, splitting a larger one if need be; NULL if there is none. With
 * `borrow`, also from what is kept for the other use. */
static void *block_cut(enum use use, int order, bool borrow) {
  size_t frame = block_find(use, order);
  int from;

  if (frame == nframes)
    frame = block_find_other(use, order, borrow);
  if (frame == nframes)
    return NULL;
  from = frames[frame].order;
  block_take(frame);
  while (from > order) {
    from--;
    block_add(frame + (1UL << from), from);
  }
  return frame_address(frame);
}

/* --- the lists of the CPUs --- */

/* Take one page from a list, or NULL. */
static void *list_take(struct cpu_list *l, enum use use) {
  struct list *link;

  lock(&l->lock);
  link = list_pop(&l->pages[use]);
  if (link != NULL)
    l->n[use]--;
  unlock(&l->lock);
  return link ? list_entry(link, struct run, link) : NULL;
}

/* Move pages from the blocks to this CPU's list, and return one of them. From
 * the reserve it is one page only. */
static void *list_fill(struct cpu_list *l, enum use use, bool borrow) {
  void *page;

  lock(&l->lock);
  lock(&block_lock);
  page = block_cut(use, 0, borrow);
  for (int i = 1; page != NULL && i < LIST_MOVE; i++) {
    struct run *r = block_cut(use, 0, false);

    if (r == NULL)
      break;
    list_add_back(&l->pages[use], &r->link);
    l->n[use]++;
  }
  unlock(&block_lock);
  unlock(&l->lock);
  return page;
}

/* Move pages from a list to the blocks until `keep` are left. */
static void list_drain(struct cpu_list *l, enum use use, uint keep) {
  lock(&l->lock);
  lock(&block_lock);
  for (; l->n[use] > keep; l->n[use]--) {
    struct list *link = list_pop(&l->pages[use]);

    block_free(frame_of(list_entry(link, struct run, link)), 0);
  }
  unlock(&block_lock);
  unlock(&l->lock);
}

static struct cpu_list *my_list(void) {
  struct cpu_list *l;

  push_off();
  l = &cpu_lists[mycpu()->id];
  pop_off();
  return l;
}

static void *take_from_others(enum use use) {
  void *page = NULL;

  for (int i = 0; page == NULL && i < ncpu; i++)
    page = list_take(&cpu_lists[i], use);
  return page;
}

/* A page for this use, or NULL; with `borrow`, of any. */
static void *page_take(enum use use, bool borrow) {
  struct cpu_list *mine = my_list();
  void *page = list_take(mine, use);

  if (page == NULL)
    page = list_fill(mine, use, borrow);
  if (page == NULL)
    page = take_from_others(use);
  if (page == NULL && borrow)
    page = take_from_others(use == FIXED ? MOVABLE : FIXED);
  return page;
}

/* Ask the caches for memory. */
static void reclaim(size_t want) {
  size_t freed = 0;

  list_for_each (l, &reclaimers) {
    if (freed >= want)
      break;
    freed += list_entry(l, struct reclaimer, link)->shrink(want - freed);
  }
}

void reclaimer_register(struct reclaimer *r) {
  list_add_back(&reclaimers, &r->link);
}

/* To an owner, with one holder. */
static void *block_hand_out(void *block, int order, enum page_owner owner) {
  struct page *f = &frames[frame_of(block)];

  f->owner = owner;
  f->order = order;
  f->count = 1;
  account(owner, 1L << order);
  debug_pages_taken(block, 1UL << order);
  return block;
}

static void *failed(void) {
  __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
  return NULL;
}

uint kalloc_failures(void) {
  return __atomic_load_n(&failures, __ATOMIC_RELAXED) + debug_shortages();
}

void *kalloc_for(enum page_owner owner) {
  enum use use = use_of(owner);
  void *page;

  if (debug_alloc_fails())
    return NULL;
  page = page_take(use, use == FIXED);
  if (page == NULL) {
    reclaim(LIST_MOVE);
    page = page_take(use, true);
  }
  return page ? block_hand_out(page, 0, owner) : failed();
}

void *kalloc(void) { return kalloc_for(PAGE_KERNEL); }

void *kalloc_zero(enum page_owner owner) {
  void *page = kalloc_for(owner);

  if (page != NULL)
    memset(page, 0, PGSIZE);
  return page;
}

/* The frame of an allocated block that is being freed; panics if it is none. */
static size_t frame_release(const void *p, int order, const char *who) {
  size_t frame = frame_of(p);
  struct page *f = &frames[frame];

  if (V2P(p) % PGSIZE || frame >= nframes)
    panic("%s: %p is no page of RAM", who, p);
  if (f->owner <= PAGE_IMAGE || f->order != order)
    panic("%s: %p is no allocated block of order %d (owner %d, order %d)", who,
          p, order, f->owner, f->order);
  if (f->count != 1)
    panic("%s: %p has %u holders", who, p, f->count);
  account(f->owner, -(1L << order));
  f->owner = PAGE_FREE;
  f->count = 0;
  debug_pages_freed(frame_address(frame), 1UL << order);
  return frame;
}

void kfree(void *page) {
  struct cpu_list *l = my_list();
  struct run *r = page;
  enum use use;
  uint n;

  use = __atomic_load_n(chunk_use(frame_release(page, 0, "kfree")),
                        __ATOMIC_RELAXED);
  lock(&l->lock);
  list_add_front(&l->pages[use], &r->link);
  n = ++l->n[use];
  unlock(&l->lock);
  if (n > LIST_MAX)
    list_drain(l, use, LIST_MAX - LIST_MOVE);
}

/* --- holders --- */

void frame_get(void *page) {
  struct page *f = &frames[frame_of(page)];

  debug_count_get(f->count, "page", page);
  if (f->owner != PAGE_ZERO)
    __atomic_fetch_add(&f->count, 1, __ATOMIC_RELAXED);
}

uint frame_count(const void *page) {
  return __atomic_load_n(&frames[frame_of(page)].count, __ATOMIC_ACQUIRE);
}

enum page_owner frame_owner(const void *page) {
  return frames[frame_of(page)].owner;
}

void frame_put(void *page) {
  struct page *f = &frames[frame_of(page)];

  if (f->owner == PAGE_ZERO)
    return;
  debug_count_put(f->count, "page", page);
  /* the last one alone cannot gain others */
  if (__atomic_load_n(&f->count, __ATOMIC_ACQUIRE) == 1 ||
      __atomic_fetch_sub(&f->count, 1, __ATOMIC_ACQ_REL) == 1) {
    f->count = 1;
    kfree(page);
  }
}

/* --- blocks that superpages map --- */

#define SUPER_PAGES (1U << SUPER_ORDER)

static bool block_whole(const void *block) {
  return frames[frame_of(block)].order == SUPER_ORDER;
}

static void *block_page(void *block, uint i) {
  return (char *)block + i * PGSIZE;
}

void block_get(void *block) {
  acquire(&whole_lock);
  for (uint i = 0; i < (block_whole(block) ? 1 : SUPER_PAGES); i++)
    frame_get(block_page(block, i));
  release(&whole_lock);
}

void block_put(void *block) {
  uint *count = &frames[frame_of(block)].count;
  bool whole, last;

  acquire(&whole_lock);
  whole = block_whole(block);
  debug_count_put(*count, "block", block);
  last = whole && *count == 1;
  if (whole && !last)
    --*count;
  release(&whole_lock);
  if (last)
    kfree_pages(block, SUPER_ORDER);
  for (uint i = 0; !whole && i < SUPER_PAGES; i++)
    frame_put(block_page(block, i));
}

uint block_count(const void *block) {
  const struct page *f = &frames[frame_of(block)];
  uint most = 0;

  acquire(&whole_lock);
  for (uint i = 0; i < (block_whole(block) ? 1 : SUPER_PAGES); i++) {
    uint count = __atomic_load_n(&f[i].count, __ATOMIC_ACQUIRE);

    most = MAX(most, count);
  }
  release(&whole_lock);
  return most;
}

uint block_shared(const void *block) {
  const struct page *f = &frames[frame_of(block)];
  uint n = 0;

  acquire(&whole_lock);
  if (block_whole(block))
    n = frame_count(block) > 1 ? SUPER_PAGES : 0;
  else
    for (uint i = 0; i < SUPER_PAGES; i++)
      n += __atomic_load_n(&f[i].count, __ATOMIC_ACQUIRE) > 1;
  release(&whole_lock);
  return n;
}

void block_break(void *block) {
  struct page *f = &frames[frame_of(block)];

  acquire(&whole_lock);
  if (block_whole(block)) {
    for (uint i = 1; i < SUPER_PAGES; i++)
      f[i] = (struct page){.owner = f->owner, .count = f->count};
    f->order = 0;
  }
  release(&whole_lock);
}

/* --- blocks for the kernel, and for superpages --- */

static void *block_cut_locked(enum use use, int order, bool borrow) {
  void *block;

  lock(&block_lock);
  block = block_cut(use, order, borrow);
  unlock(&block_lock);
  return block;
}

/* Single pages on the CPUs' lists may be what keeps blocks from merging. */
static void lists_drain(void) {
  for (int i = 0; i < ncpu; i++)
    for (enum use use = 0; use < USES; use++)
      list_drain(&cpu_lists[i], use, 0);
}

void *kalloc_pages(int order, enum page_owner owner) {
  enum use use = use_of(owner);
  void *block;

  ASSERT(order >= 0 && order <= ORDER_MAX);
  if (debug_alloc_fails())
    return NULL;
  block = block_cut_locked(use, order, false);
  if (block == NULL) {
    reclaim(1UL << order);
    lists_drain();
    block = block_cut_locked(use, order, true);
  }
  return block ? block_hand_out(block, order, owner) : failed();
}

void *block_alloc(enum page_owner owner) {
  void *block;

  if (debug_alloc_fails())
    return NULL;
  block = block_cut_locked(use_of(owner), SUPER_ORDER, false);
  if (block == NULL) {
    lists_drain();
    block = block_cut_locked(use_of(owner), SUPER_ORDER, false);
  }
  return block ? block_hand_out(block, SUPER_ORDER, owner) : NULL;
}

void kfree_pages(void *block, int order) {
  size_t frame = frame_release(block, order, "kfree_pages");

  lock(&block_lock);
  block_free(frame, order);
  unlock(&block_lock);
}

size_t pages_owned(enum page_owner owner) {
  long n = 0;

  if (owner == PAGE_FREE) {
    for (enum use use = 0; use < USES; use++) {
      n += __atomic_load_n(&block_pages[use], __ATOMIC_RELAXED);
      for (int i = 0; i < NCPU; i++)
        n += __atomic_load_n(&cpu_lists[i].n[use], __ATOMIC_RELAXED);
    }
    return n;
  }
  for (int i = 0; i < NCPU; i++)
    n += __atomic_load_n(&cpu_lists[i].owned[owner], __ATOMIC_RELAXED);
  return n > 0 ? n : 0;
}

size_t pages_total(void) { return nframes; }

size_t pages_largest(void) {
  int order = ORDER_MAX;

  lock(&block_lock);
  while (order >= 0 && list_empty(&blocks[FIXED][order]) &&
         list_empty(&blocks[MOVABLE][order]))
    order--;
  unlock(&block_lock);
  return order < 0 ? 0 : 1UL << order;
}

struct frame frame_look(size_t number) {
  const struct page *f = &frames[number];

  return (struct frame){f->owner, f->order, f->count};
}

size_t frame_number(paddr_t pa) {
  if (pa < first_frame || (pa - first_frame) / PGSIZE >= nframes)
    return nframes;
  return (pa - first_frame) / PGSIZE;
}

paddr_t frame_pa(size_t number) { return first_frame + number * PGSIZE; }

void free_each(void (*visit)(void *arg, size_t frame, int order), void *arg) {
  for (enum use use = 0; use < USES; use++) {
    for (int order = 0; order <= ORDER_MAX; order++)
      list_for_each (l, &blocks[use][order]) {
        visit(arg, frame_of(list_entry(l, struct run, link)), order);
      }
    for (int i = 0; i < ncpu; i++)
      list_for_each (l, &cpu_lists[i].pages[use]) {
        visit(arg, frame_of(list_entry(l, struct run, link)), 0);
      }
  }
}

/* Give the frames [from, to) to the blocks, as large as they can be. */
static void free_range(size_t from, size_t to) {
  lock(&block_lock);
  while (from < to) {
    int order = ORDER_MAX;

    while (from % (1UL << order) || from + (1UL << order) > to)
      order--;
    frames[from].owner = PAGE_FREE;
    debug_pages_freed(frame_address(from), 1UL << order);
    block_free(from, order);
    from += 1UL << order;
  }
  unlock(&block_lock);
}

void kinit(void) {
  size_t image, start;

  first_frame = machine.ram_start & -((paddr_t)PGSIZE << ORDER_MAX);
  start = (machine.ram_start - first_frame) / PGSIZE;
  nframes = (machine.ram_end - first_frame) / PGSIZE;
  fixed_reserve = MIN(CHUNK_PAGES / 2, nframes / 32);
  for (enum use use = 0; use < USES; use++) {
    for (int i = 0; i <= ORDER_MAX; i++)
      list_init(&blocks[use][i]);
    for (int i = 0; i < NCPU; i++)
      list_init(&cpu_lists[i].pages[use]);
  }
  for (int i = 0; i < NCPU; i++)
    initlock(&cpu_lists[i].lock, "cpu pages");
  /* the frame table lies behind the kernel's image */
  frames = (struct page *)debug_reserve(PGROUNDUP((vaddr_t)end));
  memset(frames, 0, nframes * sizeof(struct page));
  image = frame_of((void *)PGROUNDUP((vaddr_t)(frames + nframes)));
  for (size_t i = 0; i < image; i++)
    frames[i].owner = i < start ? PAGE_RESERVED : PAGE_IMAGE;
  account(PAGE_RESERVED, start);
  account(PAGE_IMAGE, image - start);
  zero_page = memset(frame_address(image), 0, PGSIZE);
  frames[image] = (struct page){.owner = PAGE_ZERO, .count = ZERO_PAGE_COUNT};
  account(PAGE_ZERO, 1);
  free_range(image + 1, nframes);
}
