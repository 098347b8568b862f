/*
 * Threads of a program: they share its memory, its descriptors and its
 * directory.
 *
 *   struct thread *t = thread_create(work, &job);
 *   ...
 *   status = thread_join(t);
 *
 * A process ends when one of its threads calls exit(), when main() returns, when
 * one is killed for a fault, or with its last thread; exec() ends all but the
 * caller, whose program changes. A child of fork() has one thread, like the one
 * that called it. If others held a lock then, malloc()'s or printf()'s included,
 * nobody will ever release it in the child: there it should do no more than
 * exec().
 *
 * printf() and malloc() may be called by any thread. lasterr() is the reason of
 * the calling thread's last failure.
 */
#ifndef USER_THREAD_H
#define USER_THREAD_H

#include "abi/sched.h"
#include "abi/types.h"

/* System calls (include/abi/syscall.tbl). */
int gettid(void); /* the first thread's is getpid() */
int exit_thread(int status) __attribute__((noreturn));
/* A thread that goes on from here with 0, on another stack: for thread_create(),
 * which see. */
int clone(uint flags, void *stack, int *parent_tid, void *tls, int *child_tid);
/* Sleep while *word == value (FUTEX_WAIT), for *ns nanoseconds at most unless
 * ns is 0; or wake `value` threads that do (FUTEX_WAKE): how many. */
int futex(uint *word, int op, uint value, const uint64 *ns);

struct thread;

/* A thread that runs fn(arg) on a stack of its own, and ends when that returns,
 * with its result as the status. 0, and lasterr() tells why: EAGAIN is too many
 * threads. */
struct thread *thread_create(int (*fn)(void *), void *arg);
/* Wait until it has ended. Its status. Once for each thread, which is gone
 * then; by any thread but itself. */
int thread_join(struct thread *t);
/* The calling thread, if thread_create() made it; else 0. */
struct thread *thread_self(void);
int thread_id(const struct thread *t); /* as gettid() there; 0: it has ended */
/* End the calling thread, made by thread_create(). */
void thread_exit(int status) __attribute__((noreturn));

/* A lock; all zeros is one that nobody holds. */
struct mutex {
  uint state;
};
void mutex_lock(struct mutex *m);
int mutex_trylock(struct mutex *m); /* 1: taken */
void mutex_unlock(struct mutex *m);

/* A condition, which a mutex guards; all zeros is one that nobody waits for. */
struct cond {
  uint changes;
};
/* Unlock m, sleep until a signal, lock m again. It may return without one: test
 * the condition again. */
void cond_wait(struct cond *c, struct mutex *m);
/* The same, for ns nanoseconds at most. -1 when they are over. */
int cond_timedwait(struct cond *c, struct mutex *m, uint64 ns);
void cond_signal(struct cond *c); /* wake one at least, if any waits */
void cond_broadcast(struct cond *c);

#endif
