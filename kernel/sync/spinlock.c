/*
 * Spin locks.
 *
 * Interrupts stay off while one is held, so that an interrupt handler on the
 * same CPU cannot wait for it for ever. push_off() and pop_off() count, since
 * locks nest. While it spins, a CPU still serves requests to flush its TLB:
 * the holder of the lock may be the one that waits for the flush.
 */
#include "sync/spinlock.h"

#include "debug.h"
#include "lib/panic.h"
#include "tlb.h"

void initlock(struct spinlock *lk, const char *name) {
  *lk = (struct spinlock){.name = name};
}

bool holding(struct spinlock *lk) {
  return __atomic_load_n(&lk->locked, __ATOMIC_RELAXED) && lk->cpu == mycpu();
}

bool acquire_try(struct spinlock *lk) {
  push_off();
  debug_access(lk, sizeof(*lk), true, DEBUG_CALLER);
  if (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE)) {
    pop_off();
    return false;
  }
  lk->cpu = mycpu();
  debug_spin_taken(lk, false, DEBUG_CALLER);
  return true;
}

void acquire(struct spinlock *lk) {
  debug_delay();
  push_off();
  debug_access(lk, sizeof(*lk), true, DEBUG_CALLER);
  if (holding(lk))
    panic("acquire: this CPU already holds lock %s", lk->name);
  debug_spin_wait(lk, DEBUG_CALLER);
  while (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED)) {
      tlb_serve();
      cpu_relax();
    }
  }
  lk->cpu = mycpu();
  debug_spin_taken(lk, true, DEBUG_CALLER);
}

void release(struct spinlock *lk) {
  debug_access(lk, sizeof(*lk), true, DEBUG_CALLER);
  if (!holding(lk))
    panic("release: this CPU does not hold lock %s", lk->name);
  debug_spin_released(lk, DEBUG_CALLER);
  lk->cpu = NULL;
  __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
  pop_off();
  debug_delay();
}

void spin_while(void *const *word, const void *that) {
  debug_access(word, sizeof(*word), false, DEBUG_CALLER);
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == that) {
    tlb_serve();
    cpu_relax();
  }
}

void push_off(void) {
  bool on = intr_get();
  struct cpu *c;

  intr_off();
  c = mycpu();
  if (c->noff++ == 0)
    c->intena = on;
}

void pop_off(void) {
  struct cpu *c = mycpu();

  if (intr_get())
    panic("pop_off: interrupts are on");
  if (c->noff < 1)
    panic("pop_off: no push_off before it");
  if (--c->noff == 0 && c->intena)
    intr_on();
}
