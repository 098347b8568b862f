/*
 * The slow half of a lock: when another thread has it.
 *
 *            lock                    lock, by another
 *   FREE ----------> HELD ------------------------------> WANTED
 *     ^                |                                     |
 *     +----------------+------------- unlock ----------------+ wakes one
 *
 * Who had to wait takes the lock as WANTED: it does not know whether others wait
 * as well, and so wakes one more than necessary at times.
 */
#include "lock.h"

#include "user/thread.h"

void library_lock_wait(uint *state) {
  while (__atomic_exchange_n(state, LOCK_WANTED, __ATOMIC_ACQUIRE) != LOCK_FREE)
    futex(state, FUTEX_WAIT, LOCK_WANTED, 0);
}

void library_lock_wake(uint *state) { futex(state, FUTEX_WAKE, 1, 0); }
