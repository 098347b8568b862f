/*
 * Physical pages. RAM from the end of the kernel to PHYSTOP is handed out in
 * pages of PGSIZE, or in blocks of 2^order pages. A returned page holds
 * garbage, unless the name says zero.
 */
#ifndef MM_KALLOC_H
#define MM_KALLOC_H

#include "lib/list.h"
#include "pte.h"
#include "types.h"

/* Who holds a page. Everything but PAGE_FREE is somebody's to give back. */
enum page_owner {
  PAGE_FREE,
  PAGE_RESERVED, /* not ours: firmware, device tree */
  PAGE_IMAGE,    /* the kernel's own image, and the frame table */
  PAGE_KERNEL,   /* kalloc() */
  PAGE_SLAB,
  PAGE_STACK, /* kernel stacks */
  PAGE_TABLE, /* page-table pages */
  PAGE_USER,  /* memory of processes that is in no file */
  PAGE_CACHE, /* cached disk blocks */
  PAGE_PIPE,
  PAGE_ZERO, /* zero_page */
  PAGE_OWNERS
};

#define ORDER_MAX 10 /* largest block: 2^10 pages, 4 MiB */

/* Take over all RAM; called once, before paging is on, on the boot CPU. */
void kinit(void);
/* From now on there may be more than one CPU, and interrupts: until this is
 * called no lock is used. Called once, on the boot CPU. */
void kalloc_use_lock(void);

/* A page for the kernel, or NULL. */
void *kalloc(void);
/* A page for a given owner, or NULL; the second is filled with zeros. */
void *kalloc_for(enum page_owner owner);
void *kalloc_zero(enum page_owner owner);
/* Give one page back. Panics if it is not an allocated single page, or if
 * somebody else holds it, too. */
void kfree(void *page);

/*
 * A page may have several holders: page-table entries of processes, a cache.
 * It is counted: an allocated page has one holder, frame_get() adds one,
 * frame_put() takes one away and frees the page with the last. Any context; no
 * lock is needed by who holds the page.
 */
void frame_get(void *page);
void frame_put(void *page);
uint frame_count(const void *page);
/* Who holds a page: what it is used for. */
enum page_owner frame_owner(const void *page);

/*
 * A page of zeros for all to read. It is not counted: frame_get() and
 * frame_put() do nothing with it, and frame_count() says that it is shared.
 */
extern void *zero_page; /* constant after kinit() */

/*
 * What a superpage maps: a block of 2^SUPER_ORDER pages, aligned to its size.
 * While it is whole it is counted like one page; each superpage that maps it is
 * a holder. block_break() makes single pages of it, each with the block's count
 * of holders, for who replaces a superpage by a table of pages. Others may go
 * on mapping the broken block by superpages: each of those holds every page.
 */
#define SUPER_ORDER (PXSHIFT(1) - PGSHIFT)

/* A whole block with one holder, or NULL: caches are not asked, a caller can do
 * with pages. */
void *block_alloc(enum page_owner owner);
/* As frame_get() and frame_put(), for who holds it by a superpage. */
void block_get(void *block);
void block_put(void *block);
/* Holders of the page that has most. 1: the caller, who holds it by a
 * superpage, is alone. */
uint block_count(const void *block);
/* Pages of it that have more than one holder. */
uint block_shared(const void *block);
/* By a holder. Does nothing if the block is broken. */
void block_break(void *block);

/* 2^order pages, physically contiguous and aligned to their size, or NULL. */
void *kalloc_pages(int order, enum page_owner owner);
void kfree_pages(void *block, int order);

/* Requests since boot that found no memory, for kalloc() and all that is made of
 * it: who sees the number rise while something failed for lack of memory knows
 * that more memory would help. */
uint kalloc_failures(void);

/* Pages that an owner holds now; PAGE_FREE: that are free. */
size_t pages_owned(enum page_owner owner);
size_t pages_total(void);
size_t pages_largest(void); /* pages in the largest free block */

/* --- for the self-check (audit.h), while nothing changes --- */

/* What is known of a frame, by number: 0 to pages_total(). */
struct frame {
  enum page_owner owner;
  int order;  /* of the block that it is the first frame of, if allocated */
  uint count; /* holders */
};
struct frame frame_look(size_t number);
/* The number of the frame at pa; pages_total() if that is no RAM of ours. */
size_t frame_number(paddr_t pa);
paddr_t frame_pa(size_t number);
/* Each block on a free list. */
void free_each(void (*visit)(void *arg, size_t frame, int order), void *arg);

/*
 * Memory that can be given back when there is none: caches register a
 * function. shrink() frees up to `want` pages and returns how many it freed.
 * It is called by whoever ran out, with any locks of theirs held, so it may
 * only take locks with acquire_try (or the like) and must not allocate or
 * sleep.
 */
struct reclaimer {
  const char *name;
  size_t (*shrink)(size_t want);
  struct list link;
};
void reclaimer_register(struct reclaimer *r);

#endif
