/*
 * Making and ending threads. How they take turns is in sched.c.
 *
 *   top       +---------------+
 *             | struct thread |  what a thread is lies on top of its kernel
 *   t         +---------------+  stack: one thing to allocate, the stack
 *             | kernel stack  |  pointer tells which thread runs, and a trap
 *   t->kstack +---------------+  touches a page less
 *             | guard page    |
 */
#include "sched/thread.h"

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kvm.h"
#include "sched/sched.h"
#include "tables.h"

struct thread *thread_create(const char *name, void (*entry)(void *),
                             void *arg) {
  int slot = kstack_alloc();
  struct thread *t;

  if (slot < 0)
    return NULL;
  t = (struct thread *)(KSTACK(slot) + KSTACK_PAGES * PGSIZE - THREAD_ROOM);
  memset(t, 0, sizeof(*t));
  initlock(&t->lock, "thread");
  list_init(&t->waitlink);
  list_init(&t->runlink);
  t->state = T_EMBRYO;
  t->kslot = slot;
  t->kstack = KSTACK(slot);
  t->entry = entry;
  t->arg = arg;
  safestrcpy(t->name, name, sizeof(t->name));
  thread_init_context(t);
  return t;
}

void thread_free(struct thread *t) { kstack_free(t->kslot); }

void thread_start(struct thread *t) {
  acquire(&t->lock);
  sched_place_locked(t);
  release(&t->lock);
}

int kthread_start(const char *name, void (*entry)(void *), void *arg) {
  struct thread *t = thread_create(name, entry, arg);

  if (t == NULL)
    return -ENOMEM;
  thread_start(t);
  return 0;
}

void thread_exit(void) {
  struct thread *t = mythread();

  acquire(&t->lock);
  t->state = T_DEAD;
  sched_locked();
  panic("thread_exit: dead thread %s runs", t->name);
}

void thread_reap(struct thread *t) {
  bool dead;

  /* its lock is held until it is off its stack */
  for (;;) {
    acquire(&t->lock);
    dead = t->state == T_DEAD;
    release(&t->lock);
    if (dead)
      break;
    yield();
  }
  thread_free(t);
}

void thread_set_space(struct thread *t, pagetable_t pagetable,
                      struct arch_space *as) {
  push_off();
  if (t == mythread())
    tables_switch(t->arch_space, as);
  t->pagetable = pagetable;
  t->arch_space = as;
  pop_off();
}

void thread_kill(struct thread *t) {
  __atomic_store_n(&t->killed, true, __ATOMIC_SEQ_CST);
  acquire(&t->lock);
  if (t->state == T_SLEEPING && t->killable)
    sched_ready_locked(t);
  release(&t->lock);
}
