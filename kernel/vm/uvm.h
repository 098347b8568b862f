/*
 * User page tables and the pages in them. What may be where is the business of
 * vm/space.h.
 *
 * Ranges are [from, to), page-aligned and inside the region given; no superpage
 * is only partly in one. The space's
 * lock is held alone, or nobody else knows the space, unless a comment says
 * otherwise.
 */
#ifndef VM_UVM_H
#define VM_UVM_H

#include "mm/pagetable.h"
#include "tables.h"

struct region;
struct space;

/* Addresses of a space of which CPUs may remember what is no longer so. */
struct stale {
  struct space *space;
  bool live;        /* CPUs may run in the space; else nothing is flushed */
  vaddr_t from, to; /* to be flushed; empty: nothing */
};

/* Frames, and pages of the table, that were taken out of a space's table and are
 * to be given up once no CPU can use them. */
#define GATHER_MAX 288
struct gather {
  struct stale stale;
  uint n;
  vaddr_t held[GATHER_MAX]; /* pages; 1 is added for a superpage's block */
};

/* An empty user table with what the machine needs for a trap, or NULL. */
pagetable_t uvmcreate(void);
/* Free the table, which has no user pages left, and nothing of the machine's
 * (tables_unprepare_user()). */
void uvmfree(pagetable_t pagetable);

/* See to it that no CPU remembers what is stale. Then it may be for another
 * space. */
void stale_flush(struct stale *stale);

/* Not {0}: that would clear all of it. */
void gather_init(struct gather *g, struct space *s, bool live);
/* Take pages out of the table into a gather of the region's space. Also without
 * the space's lock, while the region cannot go away. */
void uvm_take(struct gather *g, struct region *r, vaddr_t from, vaddr_t to);
/* A part of that, without flushing: what the gather has room for, and not much at
 * once, because the caller holds a spin lock. `shown`: only pages of the region's
 * object, not private copies. False: there may be more, from *from on, which was
 * moved; if the gather is full, it must be emptied first. */
bool uvm_take_some(struct gather *g, struct region *r, vaddr_t *from,
                   vaddr_t to, bool shown);
/* The same as uvm_take() for the page-table pages of a range in which no region is
 * left, aligned to what one such page maps (UVM_TABLE_SPAN). */
void uvm_take_tables(struct gather *g, vaddr_t from, vaddr_t to);
#define UVM_TABLE_SPAN level_size(1)
/* See to it that no CPU can use what was taken; then give it up. The lock that
 * keeps the addresses from being mapped again is needed for the first only. */
void gather_flush(struct gather *g);
void gather_put(struct gather *g);

/* All that for pages, at once. Also without the space's lock, while the region
 * cannot go away. */
void uvmdealloc(struct region *r, vaddr_t from, vaddr_t to);
/* Let the child have the region's pages, too, read-only if they are private.
 * *lost: set if the parent lost a right. 0, or -ENOMEM: some may be there. */
int uvmcopy(struct region *r, struct space *child, bool *lost);
/* Let pages take the place of the superpage that va is in, if any: in any case,
 * with ptl held; or only if it begins before va, where a range is to end. 0 or
 * -ENOMEM. No lock is needed for the second. */
int uvm_split_locked(struct space *s, vaddr_t va);
int uvm_split_at(struct space *s, vaddr_t va);
/* What is in the table for a stretch that a superpage could map. */
enum uvm_stretch {
  STRETCH_BEGUN, /* one page of its own, else nothing or the page of zeros */
  STRETCH_FULL,  /* all pages are there, and its own */
  STRETCH_MIXED  /* anything else; or there is no table */
};
enum uvm_stretch uvm_stretch(struct space *s, vaddr_t va);
/* Put a superpage in the place of such a table, around va, in a region of zeros
 * that may be written. False: it is mixed, or there is no block for it. */
bool uvm_join(struct region *r, vaddr_t va);
/* Make entries agree with the region's rights, but do not give the right to
 * write, which faults do. */
void uvm_protect(struct region *r);
/* Take the right to write one page away, if it is mapped; `stale` is the space's.
 * No lock needed, while the region cannot go away. */
void uvm_protect_page(struct stale *stale, struct region *r, vaddr_t va);
/* The page of a private region of a space that nobody runs in, to fill it: made
 * if it is not there, or NULL. */
void *uvm_page(struct region *r, vaddr_t va);

/* The entry of a level for a page (a block, above level 0) with these rights;
 * PROT_NONE: for the kernel only. */
pte_t uvm_pte(const void *page, uint rights, int level);
/* Set an entry; who finds it finds what was written to the page before. ptl
 * held. */
void uvm_set(pte_t *at, pte_t pte);
/* The frame of a valid user entry. */
static inline void *pte_page(pte_t pte) { return P2V(PTE2PA(pte)); }
/* Is it a private frame of processes (not a cached page of a file)? */
bool uvm_anonymous(const void *page);

/* What is mapped of a range, in pages. */
struct uvm_usage {
  size_t resident; /* all */
  size_t shared; /* of these: those that others have, too; the page of zeros */
  size_t dirty;  /* private frames, which somebody wrote */
  size_t super;  /* in superpages */
};
/* Add what is mapped to *u. The space's lock is held. Faults go on meanwhile: of
 * a large range, the numbers are of different moments. */
void uvm_usage(struct space *s, vaddr_t from, vaddr_t to, struct uvm_usage *u);

#endif
