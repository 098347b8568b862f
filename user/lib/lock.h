/*
 * The lock that mutexes are, and that malloc() and printf() use. It has a name
 * of its own so that no function of a program written for xv6 takes its place.
 */
#ifndef USER_LIB_LOCK_H
#define USER_LIB_LOCK_H

#include "abi/types.h"

#define LOCK_FREE 0
#define LOCK_HELD 1
#define LOCK_WANTED 2 /* held, and a thread sleeps until it is not */

void library_lock_wait(uint *state);
void library_lock_wake(uint *state);

/* 1 if it was free and is ours now. */
static inline int library_trylock(uint *state) {
  uint expected = LOCK_FREE;

  return __atomic_compare_exchange_n(state, &expected, LOCK_HELD, 0,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void library_lock(uint *state) {
  if (!library_trylock(state))
    library_lock_wait(state);
}

static inline void library_unlock(uint *state) {
  if (__atomic_exchange_n(state, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_WANTED)
    library_lock_wake(state);
}

#endif
