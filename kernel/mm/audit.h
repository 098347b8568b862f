/*
 * The self-check of memory: is each frame where the accounts say, and is each
 * reference to it counted?
 *
 * It is put together from parts. This one knows frames, free lists, slabs,
 * stacks and the form of page tables; what processes and caches hold is
 * reported by those who know it (vm/check.h, fs/bcache.h), through
 * audit_page() and audit_table().
 */
#ifndef MM_AUDIT_H
#define MM_AUDIT_H

#include "abi/inspect.h"
#include "mm/kalloc.h"
#include "mm/pagetable.h"

struct audit {
  uint **found;            /* references by frame: pages of counters */
  struct memcheck sum;     /* what was counted */
  struct memfault *faults; /* what is wrong: a page of them */
  int nfaults;
};

#define AUDIT_FAULTS_MAX ((int)(PGSIZE / sizeof(struct memfault)))

/* Memory for what is counted. 0 or -ENOMEM. */
int audit_init(struct audit *a);
void audit_free(struct audit *a);

/* Something that knows of pages. The other CPUs stand still and interrupts are
 * off while it runs: it must not take locks, allocate or sleep. */
typedef void (*audit_part)(struct audit *a);

/* Look at everything once: sum, faults and nfaults are set anew. Pages that are
 * on their way at this moment (allocated and not yet mapped) count as wrong. One
 * at a time: the caller sees to that. parts ends with a NULL. */
void audit_run(struct audit *a, const audit_part *parts);

/* --- for parts --- */

/* Where a reference was found. */
struct audit_place {
  pagetable_t root; /* of the page table, or NULL */
  vaddr_t va;
};

/* A reference to the page at pa was found, which must belong to one of the
 * owners: the sum of OWNED_BY() of them. */
#define OWNED_BY(owner) (1U << (owner))
void audit_page(struct audit *a, paddr_t pa, uint owners,
                struct audit_place at);
/* The same for a superpage's block, whole or broken. */
void audit_block(struct audit *a, paddr_t pa, uint owners,
                 struct audit_place at);

typedef void (*audit_leaf)(struct audit *a, void *arg, struct audit_place at,
                           int level, pte_t pte);

/* A page table was found: its pages are its own, but for what the entries of
 * the root from number `entries` on lead to. leaf() is called for each leaf. */
void audit_table(struct audit *a, pagetable_t root, int entries,
                 audit_leaf leaf, void *arg);

/* Something is wrong at a place, or with the page at pa. */
void audit_fault(struct audit *a, enum memfault_kind kind, paddr_t pa,
                 struct audit_place at, uint count, uint found);

#endif
