/*
 * Processes: what a program runs in. The thread that runs it is in
 * sched/thread.h, its memory in vm/space.h.
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

/* Guarded by: [T] proctree_lock; [l] lock; [o] its own thread; [c] constant
 * once it runs. */
struct proc {
  struct spinlock lock;
  int pid;               /* [c] */
  enum proc_state state; /* [T] */
  int status;            /* [T] exit status, of a zombie */
  int pgid;              /* [T] process group */
  struct proc *parent;   /* [T] NULL for init */
  struct list children;  /* [T] */
  struct list sibling;   /* [T] in parent->children */
  struct list pidlink;   /* [T] in the table of pids */
  struct waitq exited;   /* a child became a zombie, or may have */
  struct thread *thread; /* [c] */
  struct space *space;   /* [l] to change; its own thread reads it freely */
  struct inode *cwd;     /* [o] */
  uint rights;           /* [o] RIGHT_* */
  char name[PROCNAMESZ]; /* [l] */
  struct file **files;   /* [o] open files by descriptor */
  int nfiles;            /* [o] slots in files */
  struct file *inline_files[FD_INLINE]; /* [o] */
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

/* Copy the calling process. The child's pid, or -EAGAIN: the limit on
 * processes is reached, or -ENOMEM. */
int fork(void);
/* End the calling process. */
void exit(int status) __attribute__((noreturn));

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

/* --- descriptors: fd.c; the calling process's own --- */

/* The file of a descriptor, or NULL. */
struct file *fd_file(int fd);
/* The lowest free descriptor now stands for f (whose reference it takes over).
 * The descriptor, or -EMFILE. */
int fd_install(struct file *f);
/* The same at a given place, which must be free. */
int fd_install_at(int fd, struct file *f);
/* Free a descriptor. Its file (the caller closes it), or NULL. */
struct file *fd_remove(int fd);
/* Give a child the same open files. 0 or -ENOMEM. */
int fd_copy(struct proc *child, struct proc *parent);
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

/* A new process that is in no table yet; with trapframe, without a space. NULL
 * and *err. */
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
/* The process uses this space from now on. Returns the old one. */
struct space *proc_set_space(struct proc *p, struct space *s);

#endif
