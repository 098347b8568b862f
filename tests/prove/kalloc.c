/*
 * The page allocator, kernel/mm/kalloc.c: its free blocks. A proof begins with
 * any state that the blocks can be in, not one that calls have made: memory is
 * cut into blocks at any places, each of them free or not.
 *
 *    frames  0   1   2   3   4   5   6   7
 *          | F   .   .   . | a | F | a   a |      two chunks of four pages
 *            order 2         0   0   a: allocated
 *
 * What makes it a state that can be (the invariant) is assumed before a call and
 * claimed after it: so it holds after any number of calls.
 */
#define BAG_LINKS FRAMES
#include "bag.h"

#include "mm/kalloc.h"

#undef ORDER_MAX
#define ORDER_MAX ORDER /* each proof says what it can do with */

/* Memory, of which only the links in free pages are looked at. */
static struct list memory[FRAMES];

static struct list *bag_link(uint i) { return &memory[i]; }

#define BASE 0x1000000UL

static void *p2v(paddr_t pa) {
  claim(pa % PGSIZE == 0 && (pa - BASE) / PGSIZE < FRAMES);
  return &memory[(pa - BASE) / PGSIZE];
}

static paddr_t v2p(const void *p) {
  size_t offset = __CPROVER_POINTER_OFFSET(p);

  claim(__CPROVER_same_object(p, memory) && offset % sizeof(*memory) == 0);
  return BASE + offset / sizeof(*memory) * PGSIZE;
}

#undef P2V
#undef V2P
#define P2V(pa) p2v(pa)
#define V2P(p) v2p(p)

#include "../../kernel/mm/kalloc.c"

static struct page page_table[FRAMES];
static bool was_free[FRAMES], is_free[FRAMES];

struct machine machine;
char end[1];

/* --- the invariant --- */

/* Which frames are in free blocks: frames[].head and .order say it. */
static void mark_free(bool *in) {
  uint left = 0;

  for (uint i = 0; i < FRAMES; i++) {
    if (left == 0 && i < nframes && frames[i].head)
      left = 1U << frames[i].order;
    in[i] = left > 0;
    left -= left > 0;
  }
}

/* May a free block begin here? Blocks are aligned, inside memory, apart, and
 * as large as they can be. */
static bool block_fits(uint i) {
  uint order = frames[i].order, buddy = i ^ (1U << order);

  if (order > ORDER_MAX || i % (1U << order) || i + (1U << order) > nframes)
    return false;
  for (uint j = 1; j < 1U << ORDER_MAX; j++)
    if (j < 1U << order && frames[i + j].head)
      return false;
  return order == ORDER_MAX || buddy >= nframes || !frames[buddy].head ||
         frames[buddy].order != order;
}

static bool blocks_fit(void) {
  for (uint i = 0; i < FRAMES; i++)
    if (i < nframes && frames[i].head && !block_fits(i))
      return false;
  return true;
}

/* Is each free block, and nothing else, in the list that it belongs in? */
static void check_lists(void) {
  size_t pages[USES] = {0};

  for (uint i = 0; i < FRAMES; i++) {
    if (i < nframes && frames[i].head) {
      claim(memory[i].prev == &blocks[*chunk_use(i)][frames[i].order]);
      pages[*chunk_use(i)] += 1UL << frames[i].order;
    } else {
      claim(memory[i].prev == NULL);
    }
  }
  claim(block_pages[FIXED] == pages[FIXED]);
  claim(block_pages[MOVABLE] == pages[MOVABLE]);
}

static void check(void) {
  mark_free(is_free);
  claim(blocks_fit());
  check_lists();
}

/* Any state. */
static void begin(void) {
  nframes = FRAMES - any_below(FRAMES / 2);
  first_frame = BASE;
  frames = page_table;
  fixed_reserve = any_below(FRAMES);
  for (uint i = 0; i < FRAMES; i++) {
    frames[i].head = i < nframes && any_bool();
    frames[i].order = any_below(ORDER_MAX + 1);
    frames[i].use = any_bool();
    frames[i].count = 0;
  }
  assume(blocks_fit());
  for (uint i = 0; i < FRAMES; i++)
    if (frames[i].head) {
      block_pages[*chunk_use(i)] += 1UL << frames[i].order;
      memory[i].prev = &blocks[*chunk_use(i)][frames[i].order];
    }
  mark_free(was_free);
}

static bool inside(uint i, size_t frame, int order) {
  return i >= frame && i < frame + (1UL << order);
}

PROVE(
    block_free,
    "a block that is given back is free, merged with its neighbours as far as "
    "that goes; all other blocks stay what they are; the lists agree",
    "any state of 5 to 8 pages in blocks of up to 4",
    "small -DORDER=2 -DFRAMES=8 --unwind 10") {
  size_t frame;
  int order = any_below(ORDER_MAX + 1);

  begin();
  frame = any_below(nframes);
  assume(frame % (1UL << order) == 0 && frame + (1UL << order) <= nframes);
  for (uint i = 0; i < FRAMES; i++)
    assume(!inside(i, frame, order) || !was_free[i]);
  block_free(frame, order);
  check();
  for (uint i = 0; i < FRAMES; i++)
    claim(is_free[i] == (was_free[i] || inside(i, frame, order)));
  reached(order == 0 && frames[frame & ~3UL].head &&
          frames[frame & ~3UL].order == 2);
}

PROVE(block_cut,
      "a block that is taken is aligned, was free and is no more; no other "
      "changes; there is none only where no block is large enough, or those "
      "are in the other use's reserve; fixed pages are in chunks for them, and "
      "keep their reserve; the lists agree",
      "any state of 4 to 6 pages in blocks of up to 2; any use and size",
      "small -DORDER=1 -DFRAMES=6 --unwind 8 --unwindset "
      "block_find_other.0:3,block_find.0:3,block_cut.0:3,chunk_claim.0:3,chunk_"
      "claim.1:3") {
  int order = any_below(ORDER_MAX + 1);
  enum use use = any_bool() ? FIXED : MOVABLE;
  bool borrow = any_bool(), own = false, others = false;
  void *block;

  begin();
  for (uint i = 0; i < FRAMES; i++)
    if (frames[i].head && frames[i].order >= order) {
      own |= *chunk_use(i) == use;
      others |= *chunk_use(i) != use;
    }
  block = block_cut(use, order, borrow);
  check();
  if (block == NULL) {
    claim(!own && (!others || (use == MOVABLE && !borrow)));
    for (uint i = 0; i < FRAMES; i++)
      claim(is_free[i] == was_free[i]);
    reached(others);
    return;
  }
  for (uint i = 0; i < FRAMES; i++) {
    bool in = inside(i, frame_of(block), order);

    claim(!in || was_free[i]);
    claim(is_free[i] == (was_free[i] && !in));
  }
  claim(frame_of(block) % (1UL << order) == 0);
  claim(use == MOVABLE || *chunk_use(frame_of(block)) == FIXED);
  claim(use == FIXED || borrow || *chunk_use(frame_of(block)) == MOVABLE ||
        block_pages[FIXED] >= fixed_reserve);
  reached(own && order == 0 && is_free[frame_of(block) ^ 1]);
  reached(!own && use == FIXED && !borrow);
}

PROVE(free_range,
      "frames that are handed to the allocator at boot are all free, in blocks "
      "as "
      "large as they can be; the lists agree",
      "any range of up to 6 pages", "small -DORDER=1 -DFRAMES=6 --unwind 8") {
  size_t from = any_below(FRAMES + 1), to = any_below(FRAMES + 1);

  begin();
  for (uint i = 0; i < FRAMES; i++)
    assume(!was_free[i]);
  assume(from <= to && to <= nframes);
  free_range(from, to);
  check();
  for (uint i = 0; i < FRAMES; i++)
    claim(is_free[i] == (i >= from && i < to));
  reached(from == 1 && to == 6);
}
