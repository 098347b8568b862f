/*
 * Threads. See user/thread.h.
 *
 *   block  +-------------------+
 *          | guard page        | who grows into it is killed
 *          +-------------------+
 *          | stack, grows down |
 *          |                   |
 *          +-------------------+ <- initial stack pointer; thread_start() finds
 *          | struct thread     |    struct thread there
 *          +-------------------+
 *
 * The kernel sets `tid` to 0 and wakes the futex there when the thread runs no
 * more: then the block may be unmapped.
 */
#include "abi/mman.h"
#include "extra.h"
#include "lock.h"
#include "thread_start.h"
#include "user/thread.h"
#include "user/user.h"

#define GUARD_SIZE 4096        /* a page, on all machines */
#define BLOCK_SIZE (64 * 1024) /* of which the stack gets what it touches */
#define STACK_ALIGN 16         /* of all our calling conventions */

struct thread {
  struct thread *self; /* first: thread_self() reads it on some machines */
  int tid;             /* 0: it has ended */
  int status;
  int (*fn)(void *);
  void *arg;
  void *block;
};

/* Where the new thread begins: thread_start() calls it. */
void thread_run(struct thread *t) { thread_exit(t->fn(t->arg)); }

EXTRA struct thread *thread_create(int (*fn)(void *), void *arg) {
  char *block = mmap(0, BLOCK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct thread *t;

  if (block == MAP_FAILED)
    return 0;
  t = (struct thread *)((unsigned long)(block + BLOCK_SIZE - sizeof(*t)) &
                        -STACK_ALIGN);
  *t = (struct thread){.self = t, .fn = fn, .arg = arg, .block = block};
  if (mprotect(block, GUARD_SIZE, PROT_NONE) == 0 &&
      thread_start(CLONE_THREAD_FLAGS | CLONE_SYSVSEM | CLONE_SETTLS |
                       CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                   t, &t->tid, t, &t->tid) >= 0)
    return t;
  munmap(block, BLOCK_SIZE); /* lasterr() stays what it is */
  return 0;
}

EXTRA int thread_join(struct thread *t) {
  int status, tid;

  while ((tid = __atomic_load_n(&t->tid, __ATOMIC_ACQUIRE)) != 0)
    futex((uint *)&t->tid, FUTEX_WAIT, tid, 0);
  status = t->status;
  munmap(t->block, BLOCK_SIZE);
  return status;
}

EXTRA int thread_id(const struct thread *t) {
  return __atomic_load_n(&t->tid, __ATOMIC_ACQUIRE);
}

EXTRA void thread_exit(int status) {
  struct thread *t = thread_self();

  if (t)
    t->status = status;
  exit_thread(status);
}

EXTRA void mutex_lock(struct mutex *m) { library_lock(&m->state); }

EXTRA int mutex_trylock(struct mutex *m) { return library_trylock(&m->state); }

EXTRA void mutex_unlock(struct mutex *m) { library_unlock(&m->state); }

/* A signal changes the counter. Who reads it before the mutex is unlocked does
 * not sleep if a signal came since. */
static int wait_for_change(struct cond *c, struct mutex *m, const uint64 *ns) {
  uint seen = __atomic_load_n(&c->changes, __ATOMIC_RELAXED);
  int r;

  mutex_unlock(m);
  r = futex(&c->changes, FUTEX_WAIT, seen, ns);
  r = r < 0 && lasterr() == ETIMEDOUT ? -1 : 0;
  mutex_lock(m);
  return r;
}

EXTRA void cond_wait(struct cond *c, struct mutex *m) {
  wait_for_change(c, m, 0);
}

EXTRA int cond_timedwait(struct cond *c, struct mutex *m, uint64 ns) {
  return wait_for_change(c, m, &ns);
}

static void change(struct cond *c, uint most) {
  __atomic_fetch_add(&c->changes, 1, __ATOMIC_RELEASE);
  futex(&c->changes, FUTEX_WAKE, most, 0);
}

EXTRA void cond_signal(struct cond *c) { change(c, 1); }

EXTRA void cond_broadcast(struct cond *c) { change(c, 0x7fffffff); }
