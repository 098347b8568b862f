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
#include "sync/spinlock.h"
#include "types.h"

/* What a leaf must have that gives user mode these rights (PROT_*): a machine
 * that cannot deny one of them has no bit for it, so PTE_R or PTE_X may be 0.
 * Without any rights there is no leaf: a guard. */
static inline uint prot_to_pte(uint prot) {
  return PTE_U | (prot & PROT_READ ? PTE_R : 0) |
         (prot & PROT_WRITE ? PTE_W : 0) | (prot & PROT_EXEC ? PTE_X : 0);
}

/*
 * Leaves are pages at level 0, superpages at a level above. The tables that the
 * way to a page needs may not be there (nothing is mapped in a whole stretch),
 * or the way may end early at a superpage.
 */

/* The address of va's PTE at level 0, or NULL if the way does not lead there.
 * With alloc, missing tables are created; NULL then means that there is no
 * memory. Panics above MAXVA; with alloc, also at a superpage. */
pte_t *walk(pagetable_t pagetable, vaddr_t va, bool alloc);
/* The same for another level. */
pte_t *walk_level(pagetable_t pagetable, vaddr_t va, int level, bool alloc);
/* The address of the PTE at which the way for va ends, and its level: a leaf,
 * or an entry that is not valid. Panics above MAXVA. */
pte_t *walk_leaf(pagetable_t pagetable, vaddr_t va, int *level);

/* Addresses that an entry of a level is for. */
static inline vaddr_t level_size(int level) {
  return (vaddr_t)1 << PXSHIFT(level);
}

/* A leaf, on the way through a table in order of address. */
struct leaf {
  pte_t *pte;
  vaddr_t va; /* the first that it maps */
  int level;
  uint tables; /* that were looked through on the way so far */
};

/*
 * The next valid leaf that maps something in [at, end), where at is the end of
 * *leaf, if that has a PTE, else leaf->va. False if there is none. So:
 *
 *    struct leaf l = {.va = start};
 *    while (leaf_next(pagetable, &l, end))
 *      ... *l.pte ...
 *
 * The leaf may be changed or cleared on the way. When others may have changed
 * the table (a lock was given up), start anew from an address.
 */
bool leaf_next(pagetable_t pagetable, struct leaf *leaf, vaddr_t end);

/*
 * How many leaves there are, and how many tables without any lie between two, is
 * up to a program. So nobody goes through all of them under a spin lock.
 *
 * leaf_next_some() is like leaf_next(), but also says false after LEAF_TABLES
 * tables; then leaf->va is still below end, and is where to start anew once
 * others could have the lock.
 *
 * leaf_next_under() does all that with the one lock lk, which is held: from one
 * leaf to the next it may be released for a moment. What the caller knows of the
 * table may be old then, but for what another lock guards.
 */
#define LEAF_TABLES 4
bool leaf_next_some(pagetable_t pagetable, struct leaf *leaf, vaddr_t end);
bool leaf_next_under(pagetable_t pagetable, struct leaf *leaf, vaddr_t end,
                     struct spinlock *lk);

/* Replace the superpage that maps va, if one does, by a table whose entries say
 * the same. 0 or -ENOMEM. No right is lost, so that nothing need be flushed
 * before the entries are changed. */
int pagetable_split(pagetable_t pagetable, vaddr_t va);

/* Take out the tables for [va, end) that have no valid entry. Each is given to
 * each(arg, table), to be freed with kfree() once no CPU can walk through it:
 * after a flush of all that is cached for the range. When each() returns false
 * that was the last: the result is where to go on. It is `end` when all is
 * done. */
vaddr_t pagetable_trim(pagetable_t pagetable, vaddr_t va, vaddr_t end,
                       bool (*each)(void *arg, void *table), void *arg);

/* The physical address that va leads to in user mode if that may access it so
 * (all of the PROT_* given), or 0. Any va. */
paddr_t walkaddr(pagetable_t pagetable, vaddr_t va, uint access);

/* Map [va, va+size) to pa onwards with perm (PTE_R | PTE_W | PTE_X | PTE_U).
 * 0, or -ENOMEM: a part may be mapped then. Panics on misalignment, zero
 * size, or a page that is mapped already. */
int mappages(pagetable_t pagetable, vaddr_t va, size_t size, paddr_t pa,
             uint perm);

/* Remove the mappings in [va, va+size), aligned; what is not mapped is skipped.
 * each(arg, pte, level) is called with each old leaf, unless it is NULL. Panics
 * if a part of a superpage is in the range. */
void unmappages(pagetable_t pagetable, vaddr_t va, size_t size,
                void (*each)(void *arg, pte_t pte, int level), void *arg);

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
 * all share. lk, which guards the table, is taken for a few at a time: when tables
 * come and go meanwhile, the number is one of no single moment. */
size_t pagetable_pages(pagetable_t pagetable, struct spinlock *lk);

#endif
