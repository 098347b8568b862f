/*
 * The table of processes.
 *
 * Lock order: proctree_lock, then a process's lock or its thread's. Wait queues
 * `exited` are used with proctree_lock as the lock of their condition.
 */
#include "proc/proc.h"

#include "dev/tty.h"
#include "lib/cmdline.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "trap.h"

#define PID_BUCKETS 64
#define PID_MAX 0x7fffffff

struct spinlock proctree_lock = SPINLOCK("proctree");
struct proc *init_proc;
void (*init_gone)(int status);

static struct list pids[PID_BUCKETS]; /* [T] processes by pid */
static int last_pid;                  /* [T] */
static int nprocs;                    /* [a] those being made included */
static int maxprocs = PROC_MAX;       /* constant after boot */

static struct slab_cache proc_cache =
    SLAB_CACHE(proc_cache, "proc", sizeof(struct proc));

/* Kernel stacks that must be left for the kernel's own threads. */
#define KSTACK_RESERVE 64
#define MAXPROC_MIN 4 /* init, a shell, and what it runs */

void proc_init(void) {
  uint64 wanted;

  for (int i = 0; i < PID_BUCKETS; i++)
    list_init(&pids[i]);
  tty_ops.list_processes = procdump;
  tty_ops.interrupt = kill_group;
  wanted = cmdline_number("maxproc", PROC_MAX);
  maxprocs = MAX(MIN(wanted, KSTACK_MAX - KSTACK_RESERVE), MAXPROC_MIN);
  if (wanted != (uint64)maxprocs)
    printf("boot: maxproc=%lu: %d to %d; using %d\n", (unsigned long)wanted,
           MAXPROC_MIN, KSTACK_MAX - KSTACK_RESERVE, maxprocs);
}

int proc_count(void) { return __atomic_load_n(&nprocs, __ATOMIC_RELAXED); }

int proc_max(void) { return maxprocs; }

struct proc *proc_find_locked(int pid) {
  list_for_each (l, &pids[(uint)pid % PID_BUCKETS]) {
    struct proc *p = list_entry(l, struct proc, pidlink);

    if (p->pid == pid)
      return p;
  }
  return NULL;
}

struct proc *proc_next_locked(int after) {
  struct proc *next = NULL;

  for (int i = 0; i < PID_BUCKETS; i++) {
    list_for_each (l, &pids[i]) {
      struct proc *p = list_entry(l, struct proc, pidlink);

      if (p->pid > after && (next == NULL || p->pid < next->pid))
        next = p;
    }
  }
  return next;
}

/* proctree_lock held. */
static int next_pid(void) {
  do {
    last_pid = last_pid == PID_MAX ? 1 : last_pid + 1;
  } while (proc_find_locked(last_pid) != NULL);
  return last_pid;
}

struct proc *proc_create(const char *name, void (*entry)(void *), int *err) {
  struct proc *p;

  if (__atomic_add_fetch(&nprocs, 1, __ATOMIC_RELAXED) > maxprocs) {
    __atomic_fetch_sub(&nprocs, 1, __ATOMIC_RELAXED);
    *err = -EAGAIN;
    return NULL;
  }
  *err = -ENOMEM;
  p = slab_alloc(&proc_cache);
  if (p == NULL) {
    __atomic_fetch_sub(&nprocs, 1, __ATOMIC_RELAXED);
    return NULL;
  }
  initlock(&p->lock, "proc");
  waitq_init(&p->exited, "child");
  list_init(&p->children);
  list_init(&p->sibling);
  list_init(&p->pidlink);
  p->files = p->inline_files;
  p->nfiles = FD_INLINE;
  p->rights = RIGHT_ALL;
  safestrcpy(p->name, name, sizeof(p->name));
  p->thread = thread_create(name, entry, NULL);
  if (p->thread == NULL) {
    proc_free(p);
    return NULL;
  }
  p->thread->proc = p;
  user_prepare(p->thread);
  return p;
}

void proc_free(struct proc *p) {
  struct thread *t = p->thread;

  if (p->space != NULL)
    space_put(p->space);
  if (p->files != p->inline_files)
    kfree(p->files);
  if (t != NULL) {
    if (t->state == T_EMBRYO)
      thread_free(t);
    else
      thread_reap(t);
  }
  slab_free(&proc_cache, p);
  __atomic_fetch_sub(&nprocs, 1, __ATOMIC_RELAXED);
}

void kill_group(int pgid) {
  acquire(&proctree_lock);
  for (int i = 0; i < PID_BUCKETS; i++) {
    list_for_each (l, &pids[i]) {
      struct proc *p = list_entry(l, struct proc, pidlink);

      if (p->pgid == pgid && p != init_proc && p->state == PROC_ALIVE)
        thread_kill(p->thread);
    }
  }
  release(&proctree_lock);
}

void proc_publish(struct proc *p, struct proc *parent) {
  acquire(&proctree_lock);
  p->pid = p->thread->pid = next_pid();
  p->pgid = parent ? parent->pgid : p->pid;
  p->parent = parent;
  p->state = PROC_ALIVE;
  if (parent != NULL)
    list_add_back(&parent->children, &p->sibling);
  list_add_back(&pids[(uint)p->pid % PID_BUCKETS], &p->pidlink);
  /* kill_group() may just have killed the parent, and not found the child. */
  if (parent != NULL && killed())
    thread_kill(p->thread);
  release(&proctree_lock);
}

struct space *proc_set_space(struct proc *p, struct space *s) {
  struct space *old;

  acquire(&p->lock);
  old = p->space;
  p->space = s;
  thread_set_space(p->thread, s ? s->pagetable : NULL, s ? &s->arch : NULL);
  release(&p->lock);
  return old;
}

void proc_start_init(void (*start)(void *), void (*gone)(int status)) {
  int err;
  struct proc *p = proc_create("init", start, &err);

  if (p == NULL)
    panic("proc_start_init: error %d", err);
  proc_publish(p, NULL);
  init_proc = p;
  init_gone = gone;
  thread_start(p->thread);
}
