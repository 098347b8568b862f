/*
 * Looking at address spaces, for system calls and for messages.
 */
#ifndef VM_INSPECT_H
#define VM_INSPECT_H

#include "abi/inspect.h"
#include "vm/space.h"

/* Take va through a table, level by level, as the hardware would. The name is
 * left to the caller. Any va. */
void pagetable_trace(pagetable_t pagetable, vaddr_t va, struct ptwalk *w);

/* The same for a space's table, whoever changes it meanwhile. */
void space_trace(struct space *s, vaddr_t va, struct ptwalk *w);

/* Runs of leaves of a table from address `from` on; the number written. The
 * space's lock is held, or s is NULL: the kernel's own table. */
int inspect_leaves(struct space *s, vaddr_t from, struct ptentry *buf, int max);

/* Regions that end above `from`; the number written. Lock held. */
int inspect_regions(struct space *s, vaddr_t from, struct vmregion *buf,
                    int max);

/* What is at a user address: the region's name, or the machine's part; "" if
 * nothing. s == NULL: a kernel address. Lock held. */
void inspect_name(struct space *s, vaddr_t va, char *buf, size_t n);

#endif
