/*
 * Allocations that fail by order: what debug() asks for (abi/debug.h), and what
 * the other checks tell.
 */
#ifndef DEBUG_INJECT_H
#define DEBUG_INJECT_H

#include "types.h"

/* DEBUG_FAIL: fail as `order` says, on behalf of the calling thread. 0, -EBUSY:
 * another order holds; -EINVAL. */
int inject_begin(long order);
/* DEBUG_FAIL_END: no more. How many failed since inject_begin(). */
long inject_end(void);
/* DEBUG_FAIL_PLACES: print them; how many there are. */
long inject_places(void);

/* The calling thread has taken this stack, for a thread that it makes. */
void inject_stack_taken(int n);
/* An object of a slab came to be, or is no more: by 1 or -1. */
void inject_object(int by);
/* Objects that there are. */
long inject_objects(void);

#endif
