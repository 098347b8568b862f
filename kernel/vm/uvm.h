/*
 * User page tables and the pages in them, by range of addresses. What the
 * ranges mean is the business of vm/space.h.
 *
 * All ranges are [from, to), page-aligned, below the machine's own part at the
 * top. Only the space's own thread, or whoever makes or destroys it, calls
 * these; the space's lock is held.
 */
#ifndef VM_UVM_H
#define VM_UVM_H

#include "mm/pagetable.h"
#include "tables.h"

/* An empty user table with what the machine needs for a trap, or NULL. */
pagetable_t uvmcreate(void);
/* Map fresh pages of zeros with rights PROT_*. 0, or -ENOMEM with nothing changed. */
int uvmalloc(pagetable_t pagetable, vaddr_t from, vaddr_t to, uint rights);
/* Unmap and free the pages that are there. In between, no CPU may translate to
 * them any more: the space's translations are flushed, or, with as == NULL,
 * the space is one that never runs again. */
void uvmdealloc(pagetable_t pagetable, struct arch_space *as, vaddr_t from,
                vaddr_t to);
/* Give `to_table` copies of the pages. 0, or -ENOMEM: some may be there. */
int uvmcopy(pagetable_t from_table, pagetable_t to_table, vaddr_t from,
            vaddr_t to);
/* Free the table, which has no user pages left. */
void uvmfree(pagetable_t pagetable);
/* Pages mapped in a range. */
size_t uvmcount(pagetable_t pagetable, vaddr_t from, vaddr_t to);

#endif
