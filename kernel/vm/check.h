/*
 * The self-check's look at address spaces (mm/audit.h).
 */
#ifndef VM_CHECK_H
#define VM_CHECK_H

#include "mm/audit.h"

/* Each space: its page table, and each entry against its region; and all shared
 * memory that is in no file. */
void spaces_audit(struct audit *a);

#endif
