/*
 * Processes: what a program runs in. The threads that run it are in
 * sched/thread.h, its memory in vm/space.h.
 *
 *   struct proc --> threads: one at first, more by clone()
 *               --> space, files, cwd: shared by all of them
 */
#ifndef PROC_PROC_H
#define PROC_PROC_H

#include "abi/inspect.h"
#include "fs/file.h"
#include "lib/list.h"
#include "param.h"
#include "proc/args.h"
#include "sched/thread.h"
#include "vm/space.h"

#define FD_INLINE 16 /* descriptors that need no table of their own */

/*
 *  proc_create      proc_start            exit             wait by the parent
 * ------------> EMBRYO ------> ALIVE --------------> ZOMBIE ------> (freed)
 */
enum proc_state { PROC_EMBRYO, PROC_ALIVE, PROC_ZOMBIE };

/* Bits of a set of USER_THREADS_MAX, in words. */
#define PLACE_BITS 64
#define PLACE_WORDS (USER_THREADS_MAX / PLACE_BITS)

/* Guarded by: [T] proctree_lock; [l] lock; [a] atomic; [c] constant once it
 * runs. */
struct proc {
  struct spinlock lock;
  int pid;               /* [c] */
  enum proc_state state; /* [T] */
  int status;            /* [l] for wait(), once it is ending */
  int pgid;              /* [T] process group */
  struct proc *parent;   /* [T] NULL for init */
  struct list children;  /* [T] */
  struct list sibling;   /* [T] in parent->children */
  struct list pidlink;   /* [T] in the table of pids */
  struct waitq exited;   /* a child became a zombie, or may have */
  struct list threads;   /* [l] struct thread.proclink; of a zombie the last */
  int nthreads;          /* [l] in that list; [a] to read */
  bool ending;           /* [l] all threads are to end */
  struct thread *sole;   /* [l] it executes exec: the others are to end */
  struct waitq left;     /* a thread has ended */
  uint64 places[PLACE_WORDS]; /* [l] thread.place of which are in use */
  uint64 past_ns;      /* [l] processor time of threads that have ended */
  struct space *space; /* [l], and only by the one thread that there is; all
                            of its threads read it freely */
  struct inode *cwd;   /* [l] */
  struct inode
      *program; /* its file, which may not be written to; only by the one
                            thread that there is */
  uint rights;  /* [a] RIGHT_* */
  char name[PROCNAMESZ];                /* [l] */
  struct file **files;                  /* [l] open files by descriptor */
  int nfiles;                           /* [l] slots in files */
  struct file *inline_files[FD_INLINE]; /* [l] */
};

extern struct spinlock proctree_lock;
extern struct proc *init_proc; /* process 1 */

/* The process of the running thread; NULL in a kernel thread. */
static inline struct proc *myproc(void) { return mythread()->proc; }

/* Read options; boot. */
void proc_init(void);
/* Start process 1: it runs start(), which execs. If process 1 ever ends,
 * gone(status) is called in its place. */
void proc_start_init(void (*start)(void *), void (*gone)(int status));
extern void (*init_gone)(int status);

/* Copy the calling process; of its threads the child has only the caller. The
 * child's pid, or -EAGAIN: the limit on processes is reached, or -ENOMEM. */
int fork(void);
/* End the calling process, with all its threads. */
void exit(int status) __attribute__((noreturn));

/* --- threads: thread.c --- */

/* One more thread of the calling process. It begins where the caller is, with
 * 0 as the result of the call and stack pointer `stack`. Flags: CLONE_* of
 * abi/sched.h; the addresses are the user's, and used if a flag says so: `tls`
 * is its thread pointer; its id is stored at parent_tid; when it ends, 0 is
 * stored at child_tid and a futex there woken. Its id; -EINVAL; -EAGAIN: too
 * many threads; -ENOMEM; -EFAULT; -EINTR. */
int clone(uint flags, vaddr_t stack, vaddr_t parent_tid, vaddr_t tls,
          vaddr_t child_tid);
/* End the calling thread. If it is the last, the process ends with that
 * status. */
void exit_thread(int status) __attribute__((noreturn));

/* --- futexes: futex.c --- */

void futex_init(void);
#define FUTEX_FOREVER (~0ULL) /* clock_ns() does not get there */
/* If the word at user address va of the caller is `value`, sleep until
 * futex_wake() there. 0: woken; -EAGAIN: it is not `value`; -ETIMEDOUT: at
 * clock_ns() == deadline_ns; -EINTR; -EFAULT; -EINVAL: not aligned. */
int futex_wait(vaddr_t va, uint32 value, uint64 deadline_ns);
/* Wake up to `most` threads that wait at va in space s: those who have waited
 * longest. How many there were, or -EINVAL. */
int futex_wake(struct space *s, vaddr_t va, int most);

/* pid of wait() that means any child. */
#define WAIT_ANY (-1)

/* Wait for a child to exit and free it. Its pid, *status filled in; -ECHILD,
 * -EINTR; with nohang 0 if none has exited yet. */
int wait(int pid, bool nohang, int *status);

/* Ask a process to end. 0, -ESRCH, -EPERM: it is init, or the caller may not.
 */
int kill(int pid);
/* End all processes of a group; any context. */
void kill_group(int pgid);

/* Give a child or oneself a process group. 0, -ESRCH. */
int setpgid(int pid, int pgid);

/* Replace the caller's program, with arguments collected before. On success the
 * process begins the new one when it returns to user mode, and the result is
 * argc. Else an error, with nothing changed: -ENOENT, -EACCES, -ENOEXEC,
 * -E2BIG, -ENOMEM, -EIO. */
int exec(const char *path, struct args *args);

/* --- descriptors and directory: fd.c; the calling process's own --- */

/* The file of a descriptor, or NULL. What the other threads do, it stays open
 * until this thread's system call ends. Once in a call. */
struct file *fd_hold(int fd);
/* The directory of the process (NULL: the root), for as long. */
struct inode *cwd_hold(void);
/* The system call ends: let go of both. */
void fd_release(void);
/* The process's directory is dir now, whose reference it takes over. */
void cwd_set(struct inode *dir);
/* The lowest free descriptor now stands for f (whose reference it takes over).
 * The descriptor, or -EMFILE, -ENOMEM. */
int fd_install(struct file *f);
/* The same at a given place; *old is what it stood for before (the caller
 * closes it), or NULL. The descriptor, or -EBADF, -ENOMEM. */
int fd_replace(int fd, struct file *f, struct file **old);
/* Free a descriptor. Its file (the caller closes it), or NULL. */
struct file *fd_remove(int fd);
/* Free a descriptor if it still stands for f. False: another thread has closed
 * it; else its reference is the caller's. */
bool fd_take_back(int fd, struct file *f);
/* Give a child the same open files and directory. 0 or -ENOMEM. */
int fd_copy(struct proc *child, struct proc *parent);
/* Bytes of memory that its open files keep. May be called with proctree_lock. */
size_t fd_memory(struct proc *p);
/* The part of the self-check (mm/audit.h) that counts who has each open file. */
void files_audit(struct audit *a);
/* Close all files and let go of the directory. */
void fd_close_all(struct proc *p);

/* --- for those who look: list.c --- */

/* Find a process and hold its space: NULL if it has none. */
struct space *proc_space(int pid);
/* May the caller look at this process's memory (PID_KERNEL: the kernel's)? */
bool proc_may_inspect(int pid);
/* Describe processes in order of pid, from the first above `after`. The number
 * written to buf. */
int proc_list(int after, struct procinfo *buf, int max);
int proc_count(void);
int proc_max(void);
/* Ctrl-P. */
void procdump(void);

/* --- within proc/ --- */

/* The process runs this program: takes over the caller's reference, and its
 * inode_deny_write(). NULL: none any more. Gives up the old one; may sleep. */
void proc_set_program(struct proc *p, struct inode *ip);
/* When memory runs out: oom.c. */
void oom_init(void);
/* Take memory back from files, also from mapped ones; may sleep, no lock held.
 * False: that did not give enough to go on. */
bool memory_release(void);
/* That did not help a system call, for the attempt'th time: end who has a large
 * part of all memory, unless that is the caller, and wait a little. 0: try again;
 * negative: nobody will give any. May sleep, no lock held. */
int memory_wait(uint attempt);
/* Are all of its threads to end? */
bool proc_ending(struct proc *p);

/* A new process that is in no table yet; with a thread that has a trapframe,
 * without a space. NULL and *err. */
struct proc *proc_create(const char *name, void (*entry)(void *), int *err);
/* Free one that is in no table. */
void proc_free(struct proc *p);
/* Put it into the tables as a child of parent, who is the caller. If that is
 * being killed, so is the child: it ends before its first instruction. */
void proc_publish(struct proc *p, struct proc *parent);
/* By pid; proctree_lock held. NULL if there is none. */
struct proc *proc_find_locked(int pid);
/* The one with the lowest pid above `after`, or NULL; proctree_lock held. */
struct proc *proc_next_locked(int after);
/* Each of them, in no order; proctree_lock held, or nothing changes. */
void proc_each_locked(void (*see)(struct proc *p, void *arg), void *arg);
/* The process, whose only thread is t, uses this space from now on. Returns the
 * old one. */
struct space *proc_set_space(struct proc *p, struct thread *t, struct space *s);
/* The first of its threads. p->lock is held, or the process has not started. */
struct thread *proc_thread(struct proc *p);
/* A thread for a process, in none of its lists, and its trapframe. NULL and
 * *err: -ENOMEM, -EAGAIN. */
struct thread *proc_new_thread(struct proc *p, void (*entry)(void *), int *err);
/* Free a thread of a process that never ran, or that thread_reap() waits for.
 */
void proc_free_thread(struct thread *t);
/* The running thread is a thread of the kernel from now on, which is freed when
 * it ends. */
void proc_thread_left(struct thread *t);
/* All threads of a process but `but` are to end, and it with this status,
 * unless it is ending already: then false. Any context. */
bool proc_end(struct proc *p, struct thread *but, int status);
/* For exec: end all threads but the caller. 0, or -EINTR: it is to end, too. */
int proc_alone(void);
/* Give a thread an id of its own, and take it back (if it has one). */
void proc_tid_assign(struct thread *t);
void proc_tid_drop(struct thread *t);
/* The last thread ends its process; exit.c. */
void proc_finish(int status) __attribute__((noreturn));

#endif
