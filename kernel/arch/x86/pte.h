/*
 * Page-table entries of 32-bit paging without PAE (Intel SDM vol. 3A, 4.3).
 *
 *    31                                   12 11   9 8  7 6 5  4   3  2 1 0
 *   +---------------------------------------+------+-+--+-+-+---+---+-+-+-+
 *   |          page frame number (20)       | avail|G|PS|D|A|PCD|PWT|U|W|P|
 *   +---------------------------------------+------+-+--+-+-+---+---+-+-+-+
 *
 * A virtual address: 10 bits of index for each of two levels, 12 of offset.
 *
 *    31       22 21       12 11         0
 *   +-----------+-----------+------------+
 *   |  level 1  |  level 0  |   offset   |
 *   +-----------+-----------+------------+
 *
 * Whatever is present can be read and executed: there are no bits for that, so
 * PTE_R and PTE_X are 0 here and nothing can be forbidden by leaving them out.
 *
 * This header is all that mm/pagetable.c knows of the machine.
 */
#ifndef PTE_H
#define PTE_H

#include "memlayout.h"
#include "types.h"
#include "x86.h"

#define PTE_P (1U << 0) /* present */
#define PTE_W (1U << 1)
#define PTE_U (1U << 2)   /* user mode may use it */
#define PTE_PWT (1U << 3) /* write-through */
#define PTE_PCD (1U << 4) /* not cached: device registers */
#define PTE_A (1U << 5)   /* accessed */
#define PTE_D (1U << 6)   /* written to */
#define PTE_PS (1U << 7)  /* in a directory: a page of 4 MiB */
#define PTE_G (1U << 8)   /* in all address spaces */

/* What shared code says. */
#define PTE_V PTE_P
#define PTE_R 0U
#define PTE_X 0U

/* For messages: a letter for each flag, from bit 0 up; t write-through, c not
 * cached, l a page of 4 MiB. */
#define PTE_LETTERS "pwutcadlg"

#define PA2PTE(pa) ((pte_t)(pa))
#define PTE2PA(pte) ((paddr_t)((pte) & ~0xfffU))
#define PTE_FLAGS(pte) ((pte)&0xfff)

#define PT_LEVELS 2      /* of the tree; level 0 holds the leaves for pages */
#define PT_INDEX_BITS 10 /* of the virtual address for each level */
#define PT_ENTRIES 1024  /* PTEs in a page-table page */
#define PT_OWN_ENTRIES \
  512 /* of a root: the rest leads to the kernel's tables */

#define PXMASK 0x3FF
#define PXSHIFT(level) (PGSHIFT + (PT_INDEX_BITS * (level)))
#define PX(level, va) ((((vaddr_t)(va)) >> PXSHIFT(level)) & PXMASK)
/* The same by the names that 32-bit readers know. */
#define PDX(va) PX(1, va)
#define PTX(va) PX(0, va)

#define PGROUNDUP(sz) (((sz) + PGSIZE - 1) & ~(vaddr_t)(PGSIZE - 1))
#define PGROUNDDOWN(a) (((a)) & ~(vaddr_t)(PGSIZE - 1))

typedef uint32 pte_t;
typedef pte_t *pagetable_t; /* a page directory: 1024 entries */

/* Does an entry of this level point to a page, not to a page table? */
static inline bool pte_leaf(pte_t pte, int level) {
  return (pte & PTE_P) && (level == 0 || (pte & PTE_PS));
}

/* A leaf. What is not for user mode is the kernel's, and so the same in all
 * address spaces. */
static inline pte_t pte_make(paddr_t pa, uint perm) {
  return PA2PTE(pa) | perm | PTE_P | PTE_A | (perm & PTE_W ? PTE_D : 0) |
         (perm & PTE_U ? 0 : PTE_G);
}

/* A superpage: 4 MiB, aligned to its size, mapped by a directory entry. */
static inline pte_t pte_super(paddr_t pa, uint perm) {
  return pte_make(pa, perm) | PTE_PS;
}

/* The i-th of the page-table entries that together say what a superpage says:
 * their bit 7 has another meaning (table 4-6). */
static inline pte_t pte_part(pte_t super, int level, uint i) {
  return (super & ~PTE_PS) + PA2PTE(i << PXSHIFT(level - 1));
}

/* A directory entry that leads to a page table. Rights are those that both
 * entries give (4.6), so it gives them all; but U only in the user half, which
 * the leaves of the kernel half make sure of. */
static inline pte_t pte_table(paddr_t pa) {
  return PA2PTE(pa) | PTE_P | PTE_W | PTE_U;
}

/* Does a leaf allow all of the accesses PTE_R, PTE_W, PTE_X, PTE_U? */
static inline bool pte_allows(pte_t pte, uint access) {
  return (pte & PTE_P) && (pte & access) == access;
}

#endif
