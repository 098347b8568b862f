/*
 * Page faults of user addresses.
 */
#ifndef VM_FAULT_H
#define VM_FAULT_H

#include "vm/space.h"

/* Make va usable for the access (PROT_READ, PROT_WRITE or PROT_EXEC), if its region allows
 * that. 0; -EFAULT: it has no right to; -ENXIO: beyond the end of the file that
 * is mapped; -EIO, -ENOSPC, -EROFS, -EUCLEAN: the file system cannot give the
 * page; -ENOMEM. Any va; may sleep. This is the one path for faults of a program
 * and for missing pages that a system call meets. */
int fault_resolve(struct space *s, vaddr_t va, uint access);

/* What to do when there is no memory for a page of s, caches included, for the
 * attempt-th time. 0: try again; negative: give up. It may sleep. Filled in by
 * proc/oom.c. */
extern int (*fault_out_of_memory)(struct space *s, uint attempt);

/* What faults did since boot, in all spaces. */
void fault_totals(struct fault_counts *total);

#endif
