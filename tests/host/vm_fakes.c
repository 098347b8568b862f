/*
 * What address spaces stand on, beside memory: sleeping locks for a single
 * thread, and the machine's part of user page tables.
 */
#include "mm_fakes.h"

#include "mm/kvm.h"
#include "sched/sleep.h"
#include "tables.h"

void (*on_flush)(vaddr_t va, size_t size);
uint64 code_written;

void initsleeplock(struct sleeplock *lk, const char *name) {
  *lk = (struct sleeplock){.name = name};
}

void acquiresleep(struct sleeplock *lk) {
  assert_false(lk->locked); /* it would wait for itself */
  lk->locked = true;
}

void releasesleep(struct sleeplock *lk) {
  assert_true(lk->locked);
  lk->locked = false;
}

void initrwsleeplock(struct rwsleeplock *lk, const char *name) {
  (void)name;
  *lk = (struct rwsleeplock){0};
}

void acquire_shared(struct rwsleeplock *lk) {
  assert_int_equal(lk->sharers, 0); /* a thread must not take it twice */
  lk->sharers = 1;
}

void release_shared(struct rwsleeplock *lk) {
  assert_int_equal(lk->sharers, 1);
  lk->sharers = 0;
}

void acquire_exclusive(struct rwsleeplock *lk) {
  assert_int_equal(lk->sharers, 0);
  lk->sharers = -1;
}

void share_exclusive(struct rwsleeplock *lk) {
  assert_int_equal(lk->sharers, -1);
  lk->sharers = 1;
}

void release_exclusive(struct rwsleeplock *lk) {
  assert_int_equal(lk->sharers, -1);
  lk->sharers = 0;
}

/* The page is not looked at, so any will do. */
int tables_prepare_user(pagetable_t user) {
  return mappages(user, TRAMPOLINE, PGSIZE, V2P(ram), PTE_R | PTE_X);
}

void tables_unprepare_user(pagetable_t user) {
  unmappages(user, USER_END, MAXVA - USER_END, NULL, NULL);
}

int tables_add_trapframe(pagetable_t user, struct arch_space *as, uint place,
                         struct trapframe *tf) {
  (void)as;
  return mappages(user, TRAPFRAME_PAGE(place), PGSIZE, V2P(tf), PTE_R | PTE_W);
}

void tables_flush_user(struct arch_space *as, vaddr_t va, size_t size) {
  as->flushes++;
  if (on_flush != NULL)
    on_flush(va, size);
}

void instructions_written(void) { code_written++; }

void instructions_mapped(struct arch_space *as) {
  (void)as;
  code_written++;
}
