/*
 * Spin locks of unit tests that are one thread: nobody gives a lock back later, so
 * it must be free when it is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/spinlock.h"

void initlock(struct spinlock *lk, const char *name) {
  *lk = (struct spinlock){.name = name};
}

void acquire(struct spinlock *lk) {
  assert_int_equal(lk->locked, 0);
  lk->locked = 1;
}

void release(struct spinlock *lk) {
  assert_int_equal(lk->locked, 1);
  lk->locked = 0;
}
