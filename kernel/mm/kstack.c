/*
 * Kernel stacks: places in a window at the top of the kernel's addresses.
 *
 *   KSTACK(n) + KSTACK_PAGES  +------------+  top
 *                             |   stack    |
 *   KSTACK(n)                 +------------+
 *                             | guard page |  never mapped
 *                             +------------+
 *
 * proc_mapstacks() creates the page-table pages for the whole window at boot,
 * so that giving a stack its pages later cannot change the upper levels. A
 * stack that is given back keeps its pages, ready for the next thread; when
 * memory runs out, or many are idle, their pages are unmapped, all CPUs forget
 * the translations, and only then are the pages free.
 *
 * All CPUs are disturbed when stacks get pages, too. So the more there are in
 * use, the more get theirs together: hundreds of threads take some tens of flushes.
 */
#include "debug.h"
#include "lib/panic.h"
#include "machine.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "param.h"
#include "sync/spinlock.h"
#include "tlb.h"

#define KSTACKS (KSTACK(KSTACK_MAX - 1) - PGSIZE) /* the window's start */
#define IDLE_MAX 32 /* stacks kept ready with their pages */

/* Stacks that get their pages together: one, and one more for so many in use,
 * up to a most, and as long as so much of all memory is free. */
#define BATCH_SHARE 8
#define BATCH_MAX 16
#define BATCH_FREE_SHARE 8

enum kstack_state { KS_EMPTY, KS_IDLE, KS_USED };

static struct spinlock kstack_lock = SPINLOCK("kstacks");
static uint8 state[KSTACK_MAX]; /* [kstack_lock] enum kstack_state */
static int idle[KSTACK_MAX]; /* [kstack_lock] idle stacks, last in first out */
static int nidle;            /* [kstack_lock] */
static int nused;            /* [kstack_lock] stacks of threads */
static int lowest_empty;     /* [kstack_lock] none below it is empty */

static size_t kstack_shrink(size_t want);
static struct reclaimer reclaimer = {.name = "kstacks",
                                     .shrink = kstack_shrink};

void proc_mapstacks(pagetable_t kpgtbl) {
  for (int n = 0; n < KSTACK_MAX; n++) {
    if (walk(kpgtbl, KSTACK(n), true) == NULL)
      panic("proc_mapstacks: no memory");
  }
  reclaimer_register(&reclaimer);
}

/* Unmap a stack. Its pages are collected in a list threaded through their
 * first words, to be freed after the flush. */
static void unmap(int n, void **pages) {
  pte_t *pte = walk(kernel_pagetable, KSTACK(n), false);

  for (int i = 0; i < KSTACK_PAGES; i++) {
    void **page;

    if (!(pte[i] & PTE_V))
      continue;
    page = P2V(PTE2PA(pte[i]));
    pte[i] = 0;
    *page = *pages;
    *pages = page;
  }
}

/* Take the pages of idle stacks until `keep` of those are left. kstack_lock
 * held. */
static void *take_idle(int keep) {
  void *pages = NULL;

  while (nidle > keep) {
    int n = idle[--nidle];

    unmap(n, &pages);
    state[n] = KS_EMPTY;
    lowest_empty = MIN(lowest_empty, n);
  }
  return pages;
}

/* Free what unmap() collected, once nobody can reach it. */
static size_t free_after_flush(void *pages) {
  size_t freed = 0;

  if (pages == NULL)
    return 0;
  tlb_shootdown(KSTACKS, KSTACK_TOP - KSTACKS);
  while (pages != NULL) {
    void *next = *(void **)pages;

    kfree(pages);
    pages = next;
    freed++;
  }
  return freed;
}

static size_t kstack_shrink(size_t want) {
  void *pages;

  (void)want; /* one flush costs the same for all of them */
  if (!acquire_try(&kstack_lock))
    return 0;
  pages = take_idle(0);
  release(&kstack_lock);
  return free_after_flush(pages);
}

/* Places without pages, in order, the first of them for a thread. */
struct batch {
  int n;
  int places[BATCH_MAX];
};

static int batch_size(void) {
  if (pages_owned(PAGE_FREE) < pages_total() / BATCH_FREE_SHARE ||
      nused + (ncpu + 1) * BATCH_MAX > KSTACK_MAX)
    return 1; /* what others are getting must not seem to be the last */
  return MIN(1 + nused / BATCH_SHARE, BATCH_MAX);
}

/* Claim an idle stack; or if there is none, -EAGAIN, and places for a batch in
 * *b, if there are any. */
static int claim(struct batch *b) {
  int n = -EAGAIN, size;

  b->n = 0;
  acquire(&kstack_lock);
  if (nidle > 0) {
    n = idle[--nidle];
    state[n] = KS_USED;
    nused++;
  } else {
    size = batch_size();
    for (; lowest_empty < KSTACK_MAX && b->n < size; lowest_empty++) {
      if (state[lowest_empty] != KS_EMPTY)
        continue;
      state[lowest_empty] = KS_USED;
      b->places[b->n++] = lowest_empty;
    }
  }
  release(&kstack_lock);
  return n;
}

static void unclaim(int n) {
  void *pages = NULL;

  acquire(&kstack_lock);
  unmap(n, &pages);
  state[n] = KS_EMPTY;
  lowest_empty = MIN(lowest_empty, n);
  release(&kstack_lock);
  free_after_flush(pages);
}

/* False: no memory; some pages may be there. */
static bool map_stack(int n) {
  for (int i = 0; i < KSTACK_PAGES; i++) {
    void *page = kalloc_for(PAGE_STACK);

    if (page == NULL)
      return false;
    kvmmap(kernel_pagetable, KSTACK(n) + i * PGSIZE, V2P(page), PGSIZE,
           PTE_R | PTE_W);
  }
  return true;
}

/* The first of the batch is used from now on, the others are idle; the lowest is
 * the next to go. */
static void batch_ready(const struct batch *b) {
  acquire(&kstack_lock);
  for (int i = b->n - 1; i > 0; i--) {
    state[b->places[i]] = KS_IDLE;
    idle[nidle++] = b->places[i];
  }
  nused++;
  release(&kstack_lock);
}

/* Give the batch its pages, as far as there are any. The first, or -ENOMEM. */
static int map_batch(struct batch *b) {
  int claimed = b->n;
  vaddr_t from;

  for (b->n = 0; b->n < claimed && map_stack(b->places[b->n]); b->n++)
    ;
  for (int i = b->n; i < claimed; i++)
    unclaim(b->places[i]);
  if (b->n == 0)
    return -ENOMEM;
  /* A CPU may remember that the entries were not valid, or what they were when
   * the place was last used, if it is about to be told by who took the pages: a
   * fault or a wrong page in a program's memory could be mended, but not here. */
  from = KSTACK(b->places[b->n - 1]);
  tlb_shootdown(from, KSTACK(b->places[0]) + KSTACK_PAGES * PGSIZE - from);
  batch_ready(b);
  return b->places[0];
}

int kstack_alloc(void) {
  struct batch b;
  int n = claim(&b);

  if (b.n > 0)
    n = map_batch(&b);
  if (n >= 0)
    debug_stack_taken(n);
  return n;
}

void kstack_free(int n) {
  void *pages = NULL;

  debug_stack_freed(n);
  acquire(&kstack_lock);
  if (n < 0 || n >= KSTACK_MAX || state[n] != KS_USED)
    panic("kstack_free: stack %d is not in use", n);
  state[n] = KS_IDLE;
  nused--;
  idle[nidle++] = n;
  if (nidle > IDLE_MAX)
    pages = take_idle(IDLE_MAX / 2);
  release(&kstack_lock);
  free_after_flush(pages);
}
