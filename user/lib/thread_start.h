/*
 * The part of thread.c that is the machine's (lib/<machine>/thread.S).
 */
#ifndef USER_LIB_THREAD_START_H
#define USER_LIB_THREAD_START_H

struct thread;

/* clone(); but the new thread calls thread_run(t) on a stack that ends at t,
 * which is aligned as the machine's calls want it. */
int thread_start(unsigned flags, struct thread *t, int *parent_tid, void *tls,
                 int *child_tid);
void thread_run(struct thread *t) __attribute__((noreturn));

#endif
