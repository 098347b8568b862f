/*
 * What a fault says: the reader shall learn from the crash.
 */
#ifndef TRAP_REPORT_H
#define TRAP_REPORT_H

#include "types.h"

/* Boot; also tells panic() what to print about threads. */
void report_init(void);

/* The running program is about to be killed: one paragraph with process, cause
 * and pc, and if an access (PROT_*; else 0) to an address was the
 * cause, its region and the walk of the page table. */
void report_user_fault(const char *cause, vaddr_t value, uint access);

/* The walk of the kernel's table for va. */
void report_kernel_walk(vaddr_t va);

#endif
