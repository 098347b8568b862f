/*
 * Page-table entries of Sv39 (privileged spec 1.12, 4.3 and 4.4), and of Sv48
 * and Sv57, which put one or two levels on top (4.5, 4.6).
 *
 *    63    54 53                                   10 9   8 7 6 5 4 3 2 1 0
 *   +--------+---------------------------------------+-----+-+-+-+-+-+-+-+-+
 *   |   0    |        physical page number (44)      | RSW |D|A|G|U|X|W|R|V|
 *   +--------+---------------------------------------+-----+-+-+-+-+-+-+-+-+
 *
 * A virtual address: 9 bits of index for each level, 12 bits of offset.
 *
 *    38     30 29     21 20     12 11         0
 *   +---------+---------+---------+------------+
 *   | level 2 | level 1 | level 0 |   offset   |
 *   +---------+---------+---------+------------+
 *
 * This header is all that mm/pagetable.c knows of the machine.
 */
#ifndef PTE_H
#define PTE_H

#include "memlayout.h"
#include "riscv.h"
#include "types.h"

#define PTE_V (1L << 0) /* valid */
#define PTE_R (1L << 1)
#define PTE_W (1L << 2)
#define PTE_X (1L << 3)
#define PTE_U (1L << 4) /* user mode may use it; the kernel may not */
#define PTE_G (1L << 5) /* in all address spaces */
#define PTE_A (1L << 6) /* accessed */
#define PTE_D (1L << 7) /* written to */

/* For messages: a letter for each flag, from bit 0 up. */
#define PTE_LETTERS "vrwxugad"

#define PA2PTE(pa) ((((pte_t)(pa)) >> 12) << 10)
#define PTE2PA(pte) ((((pte) >> 10) & ((1UL << 44) - 1)) << 12)
#define PTE_FLAGS(pte) ((pte)&0x3FF)

/* PT_LEVELS, of the tree: riscv.h. Level 0 holds the leaves for pages. */
#define PT_INDEX_BITS 9           /* of the virtual address for each level */
#define PT_ENTRIES 512            /* PTEs in a page-table page */
#define PT_OWN_ENTRIES PT_ENTRIES /* of a root: all lead to tables of its own */

#define PXMASK 0x1FF
#define PXSHIFT(level) (PGSHIFT + (PT_INDEX_BITS * (level)))
#define PX(level, va) ((((vaddr_t)(va)) >> PXSHIFT(level)) & PXMASK)

#define PGROUNDUP(sz) (((sz) + PGSIZE - 1) & ~(vaddr_t)(PGSIZE - 1))
#define PGROUNDDOWN(a) (((a)) & ~(vaddr_t)(PGSIZE - 1))

typedef uint64 pte_t;
typedef pte_t *pagetable_t; /* a root page: 512 PTEs */

/* Does an entry of this level point to a page, not to the next level? (4.3.2,
 * step 5) */
static inline bool pte_leaf(pte_t pte, int level) {
  (void)level; /* the rights tell */
  return (pte & PTE_V) && (pte & (PTE_R | PTE_W | PTE_X));
}

/* A leaf. A and D are set at once: a hart that does not set them itself
 * faults instead (4.3.1), and nothing here reads them yet. */
static inline pte_t pte_make(paddr_t pa, uint perm) {
  return PA2PTE(pa) | perm | PTE_V | PTE_A | (perm & PTE_W ? PTE_D : 0);
}

/* A superpage: a leaf of a level above 0, where pa must have as many zero bits
 * as the level has offset. Looks like any leaf (4.3.2, step 6). */
static inline pte_t pte_super(paddr_t pa, uint perm) {
  return pte_make(pa, perm);
}

/* The i-th of the next lower level's entries that together say what a superpage
 * of this level says. */
static inline pte_t pte_part(pte_t super, int level, uint i) {
  return super + PA2PTE((paddr_t)i << PXSHIFT(level - 1));
}

/* An entry that leads to the next level's page. */
static inline pte_t pte_table(paddr_t pa) { return PA2PTE(pa) | PTE_V; }

/* Does a leaf allow all of the accesses PTE_R, PTE_W, PTE_X, PTE_U? */
static inline bool pte_allows(pte_t pte, uint access) {
  return (pte & PTE_V) && (pte & access) == access;
}

#endif
