/*
 * The tests of page tables that each machine has (tables.c), and what they need
 * to know of one. Numbers are those of <machine>/machine.h, written out from the
 * machine's specification rather than taken from the kernel's headers: a header
 * that is wrong must not make its own test right.
 *
 * <machine>/machine.h defines
 *   TABLE_LEVELS, TABLE_INDEX_BITS   of the tree
 *   PTE_BYTES, PTE_UNUSED_BITS       of an entry; its highest bits, which are 0
 *   PTE_RIGHTS                       bits that say who may do what
 *   WALKED_PROCESS, WALKED_KERNEL    addresses to walk in either table
 *   KERNEL_START                     where the kernel's text begins
 *   STACKS_TOP                       where the highest kernel stack ends
 *   INIT_TABLES                      pages of page table that init has
 */
#ifndef USERTESTS_TABLES_H
#define USERTESTS_TABLES_H

#include "usertests.h"

/* The last walk that leaf_flags() or check_steps() did. */
extern struct ptwalk walked;

/* Which of PTE_RIGHTS the leaf of that address has; there must be one. */
uint64 leaf_flags(int pid, addr va);

/* What the kernel's table was seen to hold. */
extern struct kernel_seen {
  addr text_end;  /* where what may not be written ends above KERNEL_START */
  uint64 ram_end; /* where the direct map ends */
  uint64 stacks;  /* bytes of stacks */
} seen;

/* A mapping of text, which must go on where the one before ended. */
void check_text(const struct ptentry *e);
/* A mapping of a kernel stack: the guard page is the lowest of the slot. */
void check_stack(const struct ptentry *e);

/* --- provided by <machine>/machine.c --- */

/* The physical address that an entry names. */
uint64 pte_target(uint64 pte);
/* An entry that is valid must look like this if it leads to a next table. */
int is_branch(uint64 pte);
/* A mapping of the kernel must be one that the picture has. */
void check_kernel_mapping(const struct ptentry *e);
/* The direct map ends at `end`, on a machine that has so many pages of RAM. */
void check_ram_end(uint64 end, uint64 pages);

#endif
