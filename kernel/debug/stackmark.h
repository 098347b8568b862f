/*
 * How deep kernel stacks got.
 */
#ifndef DEBUG_STACKMARK_H
#define DEBUG_STACKMARK_H

#include "types.h"

/* Bytes of kernel stack n that its thread has used at most, with what lies on
 * top of the stack (struct thread); 0: it is no thread's. */
size_t stackmark_depth(int n);
/* The most that any thread has used since boot. */
size_t stackmark_deepest(void);

/* Stacks that threads have. */
int stackmark_count(void);

#endif
