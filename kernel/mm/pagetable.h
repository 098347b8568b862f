/*
 * Page tables: radix trees of pages that the hardware walks. This code serves
 * every machine; the geometry and the entries are in arch/<isa>/pte.h.
 *
 * A pagetable_t points to a root page, of a process or of the kernel. The
 * caller sees to it that nobody changes the table at the same time, and to the
 * TLB when a valid entry changes.
 */
#ifndef MM_PAGETABLE_H
#define MM_PAGETABLE_H

#include "abi/mman.h"
#include "pte.h"
#include "types.h"

/* What a leaf must have that gives user mode these rights (PROT_*): a machine
 * that cannot deny one of them has no bit for it, so PTE_R or PTE_X may be 0.
 * Without any rights there is no leaf: a guard. */
static inline uint prot_to_pte(uint prot) {
  return PTE_U | (prot & PROT_READ ? PTE_R : 0) |
         (prot & PROT_WRITE ? PTE_W : 0) | (prot & PROT_EXEC ? PTE_X : 0);
}

/* The address of va's leaf PTE at level 0, or NULL if a table page on the way
 * is missing. With alloc, missing ones are created; NULL then means that there
 * is no memory. Panics above MAXVA. */
pte_t *walk(pagetable_t pagetable, vaddr_t va, bool alloc);

/* The physical address that va leads to in user mode if that may access it so
 * (all of the PROT_* given), or 0. Any va. */
paddr_t walkaddr(pagetable_t pagetable, vaddr_t va, uint access);

/* Map [va, va+size) to pa onwards with perm (PTE_R | PTE_W | PTE_X | PTE_U).
 * 0, or -ENOMEM: a part may be mapped then. Panics on misalignment, zero
 * size, or a page that is mapped already. */
int mappages(pagetable_t pagetable, vaddr_t va, size_t size, paddr_t pa,
             uint perm);

/* Remove the mappings of pages in [va, va+size), aligned; pages that are not
 * mapped are skipped. each(arg, pte) is called with each old leaf, unless it is
 * NULL. */
void unmappages(pagetable_t pagetable, vaddr_t va, size_t size,
                void (*each)(void *arg, pte_t pte), void *arg);

/* An empty table, or NULL. */
pagetable_t pagetable_create(void);
/* Free all page-table pages. Panics if a leaf is left. */
void freewalk(pagetable_t pagetable);

/* Call visit(arg, va, level, pte) for each leaf in [from, to), in order of
 * address, until it returns non-zero, which is then returned. */
int pagetable_each(pagetable_t pagetable, vaddr_t from, vaddr_t to,
                   int (*visit)(void *arg, vaddr_t va, int level, pte_t pte),
                   void *arg);

/* Page-table pages of an address space, the root included, but not those that
 * all share. */
size_t pagetable_pages(pagetable_t pagetable);

#endif
