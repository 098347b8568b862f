/*
 * What the checks tell each other.
 */
#ifndef DEBUG_ASAN_H
#define DEBUG_ASAN_H

#include "param.h"
#include "types.h"

/* Accesses to RAM that each CPU made: only the CPU writes its own, roughly. */
extern unsigned long debug_work[NCPU];

/* [a] Is this kernel stack some thread's? stackmark.c says so. */
extern uint8 stack_used[KSTACK_MAX];

#endif
