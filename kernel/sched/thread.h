/*
 * A thread: a kernel stack and what the scheduler needs to know. A kernel
 * thread is only that; a user thread belongs to a process (proc/proc.h).
 */
#ifndef SCHED_THREAD_H
#define SCHED_THREAD_H

#include "arch_thread.h" /* struct context, struct arch_thread */
#include "lib/list.h"
#include "mm/pagetable.h"
#include "sched/sleep.h"
#include "sync/spinlock.h"

struct arch_space;
struct file;
struct inode;
struct proc;

/*
 *              thread_start            sched (chosen)
 *   T_EMBRYO ----------------> T_RUNNABLE ---------> T_RUNNING
 *                                ^   ^   yield, tick   |  |  | thread_exit
 *                                |   +-----------------+  |  +--------> T_DEAD
 *                                |  wakeup, kill, timeout | sleep
 *                                +-------- T_SLEEPING <---+
 */
enum thread_state { T_EMBRYO, T_RUNNABLE, T_RUNNING, T_SLEEPING, T_DEAD };

/* It lies on top of its kernel stack, which grows down from it.
 *
 * Guarded by: [t] lock; [q] the run queue's lock; [w] the wait queue's lock;
 * [p] its process's lock; [o] only the thread itself; [c] constant once
 * started; [a] atomic. */
struct thread {
  struct spinlock lock;
  enum thread_state state; /* [t]; T_RUNNING without it: sched.c */
  struct waitq *waitq;     /* [t] that it sleeps on */
  bool killable;           /* [t] the sleep ends when it is killed */
  bool alarm;              /* [t] the time set by sleep_until is over */
  bool killed;             /* [a] the thread must leave the kernel and exit */
  struct list waitlink;    /* [w] */
  struct list runlink;     /* [q] */
  struct cpu *cpu;         /* [t] where it runs, or ran last */
  uint64 started_ns;       /* [o] when it last began to run */
  uint64 cpu_ns;           /* [o] processor time used before that */
  vaddr_t kstack;          /* [c] lowest address of the kernel stack */
  int kslot;               /* [c] number of the stack: KSTACK(kslot) */
  struct context context;  /* [t] saved by swtch */
  struct arch_thread arch; /* [o] trapframe, floating point: the machine's */
  int pid;                 /* [c] of its process; 0 for a kernel thread */
  int tid;                 /* [o] its own: pid for a process's first */
  struct proc *proc;       /* [o] NULL for a kernel thread */
  struct list proclink;    /* [p] among its process's threads */
  struct list tidlink;     /* in the table of ids: proc/thread.c */
  vaddr_t clear_tid;       /* [o] user address that gets 0 at the end, or 0 */
  struct file *file;       /* [o] held until the system call ends: proc/fd.c */
  struct inode *cwd;       /* [o] the same */
  struct file *made[2];    /* [o] the pipe that it is just making: the same */
  pagetable_t pagetable;   /* [o] for user mode; its process's */
  struct arch_space *arch_space; /* [o] of the same space */
  uint place;                    /* [o] of its trapframe: tables.h */
  void (*entry)(void *);         /* [c] where it begins */
  void *arg;                     /* [c] */
  uint64 syscalls;               /* [o] since it was last switched to */
  int lasterr;                   /* [o] reason of the last failed system call */
  uint failures_seen;            /* [o] kalloc_failures(): sys/syscall.c */
  char name[16];
};

_Static_assert(sizeof(struct thread) <= THREAD_ROOM, "param.h");

/* The thread that runs here: mythread(), inline in arch_cpu.h. Not before
 * sched_start(). */

/* A thread that has not started, or NULL: out of memory or stacks. */
struct thread *thread_create(const char *name, void (*entry)(void *),
                             void *arg);
/* Let it run. */
void thread_start(struct thread *t);
/* Create and start a thread of the kernel. 0 or -ENOMEM. */
int kthread_start(const char *name, void (*entry)(void *), void *arg);

/* End this thread. Once it is off its stack, a kernel thread's memory is given
 * back; a user thread's when its process is reaped: thread_reap(). */
void thread_exit(void) __attribute__((noreturn));

/* Wait until a thread that called thread_exit() has left its CPU, and free it.
 */
void thread_reap(struct thread *t);
/* Free a thread that never ran or has left its CPU. */
void thread_free(struct thread *t);
/* Prepare the context in which a new thread begins; sched.c. */
void thread_init_context(struct thread *t);

/* The thread uses this space from now on, or none (NULL); it is the running
 * thread or has not started. */
void thread_set_space(struct thread *t, pagetable_t pagetable,
                      struct arch_space *as);

/* Mark it and end its sleep, if that may be ended. */
void thread_kill(struct thread *t);

/* Is this thread being killed? What sleeps or loops for long must ask. */
static inline bool killed(void) {
  return __atomic_load_n(&mythread()->killed, __ATOMIC_RELAXED);
}

#endif
