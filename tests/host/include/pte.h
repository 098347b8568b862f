/* Pages in unit tests; kernel code outside mm/ asks pte.h for no more. */
#ifndef PTE_H
#define PTE_H

#include "memlayout.h"

#define PGROUNDUP(sz) (((sz) + PGSIZE - 1) & ~(vaddr_t)(PGSIZE - 1))
#define PGROUNDDOWN(a) ((a) & ~(vaddr_t)(PGSIZE - 1))

typedef uint64 pte_t;
typedef uint64 *pagetable_t;

#endif
