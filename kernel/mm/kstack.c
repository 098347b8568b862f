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
 */
#include "lib/panic.h"
#include "machine.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "param.h"
#include "sync/spinlock.h"
#include "tlb.h"

#define KSTACKS (KSTACK(KSTACK_MAX - 1) - PGSIZE) /* the window's start */
#define IDLE_MAX 32 /* stacks kept ready with their pages */

enum kstack_state { KS_EMPTY, KS_IDLE, KS_USED };

static struct spinlock kstack_lock = SPINLOCK("kstacks");
static uint8 state[KSTACK_MAX]; /* [kstack_lock] enum kstack_state */
static int idle[KSTACK_MAX]; /* [kstack_lock] idle stacks, last in first out */
static int nidle;            /* [kstack_lock] */
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

/* Claim a place. With *mapped its pages are there already. */
static int claim(bool *mapped) {
  int n = -EAGAIN;

  acquire(&kstack_lock);
  *mapped = nidle > 0;
  if (nidle > 0) {
    n = idle[--nidle];
  } else {
    while (lowest_empty < KSTACK_MAX && state[lowest_empty] != KS_EMPTY)
      lowest_empty++;
    if (lowest_empty < KSTACK_MAX)
      n = lowest_empty++;
  }
  if (n >= 0)
    state[n] = KS_USED;
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

int kstack_alloc(void) {
  bool mapped;
  int n = claim(&mapped);

  if (n < 0 || mapped)
    return n;
  for (int i = 0; i < KSTACK_PAGES; i++) {
    void *page = kalloc_for(PAGE_STACK);

    if (page == NULL) {
      unclaim(n);
      return -ENOMEM;
    }
    kvmmap(kernel_pagetable, KSTACK(n) + i * PGSIZE, V2P(page), PGSIZE,
           PTE_R | PTE_W);
  }
  /* A CPU may remember that the entries were not valid, or what they were when
   * the place was last used, if it is about to be told by who took the pages: a
   * fault or a wrong page in a program's memory could be mended, but not here. */
  tlb_shootdown(KSTACK(n), KSTACK_PAGES * PGSIZE);
  return n;
}

void kstack_free(int n) {
  void *pages = NULL;

  acquire(&kstack_lock);
  if (n < 0 || n >= KSTACK_MAX || state[n] != KS_USED)
    panic("kstack_free: stack %d is not in use", n);
  state[n] = KS_IDLE;
  idle[nidle++] = n;
  if (nidle > IDLE_MAX)
    pages = take_idle(IDLE_MAX / 2);
  release(&kstack_lock);
  free_after_flush(pages);
}
