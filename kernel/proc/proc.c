/*
 * The table of processes.
 *
 * Lock order: proctree_lock, then a process's lock, then a thread's. Wait queues
 * `exited` are used with proctree_lock as the lock of their condition.
 */
#include "proc/proc.h"

#include "abi/tty.h"
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
static struct list tids[PID_BUCKETS]; /* [T] threads, but those with a pid */
static int last_pid;                  /* [T] */
static int nprocs;                    /* [a] those being made included */
static int nthreads;                  /* [a] of all processes, the same */
static int maxprocs = PROC_MAX;       /* constant after boot */

static struct slab_cache proc_cache =
    SLAB_CACHE(proc_cache, "proc", sizeof(struct proc));

/* Kernel stacks that must be left for the kernel's own threads. */
#define KSTACK_RESERVE 64
#define THREADS_MAX (KSTACK_MAX - KSTACK_RESERVE) /* of all processes */
#define MAXPROC_MIN 4 /* init, a shell, and what it runs */

void proc_init(void) {
  uint64 wanted;

  for (int i = 0; i < PID_BUCKETS; i++) {
    list_init(&pids[i]);
    list_init(&tids[i]);
  }
  futex_init();
  tty_ops.list_processes = procdump;
  tty_ops.interrupt = kill_group;
  oom_init();
  wanted = cmdline_number("maxproc", PROC_MAX);
  maxprocs = MAX(MIN(wanted, THREADS_MAX), MAXPROC_MIN);
  if (wanted != (uint64)maxprocs)
    printf("boot: maxproc=%llu: %d to %d; using %d\n",
           (unsigned long long)wanted, MAXPROC_MIN, THREADS_MAX, maxprocs);
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

static struct list *tid_bucket(int id) { return &tids[(uint)id % PID_BUCKETS]; }

/* Is it a thread's? proctree_lock held. */
static bool tid_taken(int id) {
  list_for_each (l, tid_bucket(id)) {
    if (list_entry(l, struct thread, tidlink)->tid == id)
      return true;
  }
  return false;
}

/* Processes and threads share the numbers. proctree_lock held. */
static int next_id(void) {
  do {
    last_pid = last_pid == PID_MAX ? 1 : last_pid + 1;
  } while (proc_find_locked(last_pid) != NULL || tid_taken(last_pid));
  return last_pid;
}

void proc_tid_assign(struct thread *t) {
  acquire(&proctree_lock);
  t->tid = next_id();
  list_add_back(tid_bucket(t->tid), &t->tidlink);
  release(&proctree_lock);
}

void proc_tid_drop(struct thread *t) {
  acquire(&proctree_lock);
  list_remove(&t->tidlink);
  release(&proctree_lock);
}

/* One more, unless that is more than `most`. Never more for a moment either:
 * somebody else would be refused although there is room. */
static bool count_up(int *n, int most) {
  int now = __atomic_load_n(n, __ATOMIC_RELAXED);

  while (now < most)
    if (__atomic_compare_exchange_n(n, &now, now + 1, true, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
      return true;
  return false;
}

static void count_down(int *n) { __atomic_fetch_sub(n, 1, __ATOMIC_RELAXED); }

struct thread *proc_new_thread(struct proc *p, void (*entry)(void *),
                               int *err) {
  struct thread *t;

  *err = -EAGAIN;
  if (!count_up(&nthreads, THREADS_MAX))
    return NULL;
  *err = -ENOMEM;
  t = thread_create(p->name, entry, NULL);
  if (t == NULL) {
    count_down(&nthreads);
    return NULL;
  }
  list_init(&t->proclink);
  list_init(&t->tidlink);
  t->proc = p;
  t->pid = p->pid;
  user_prepare(t);
  return t;
}

void proc_free_thread(struct thread *t) {
  if (t->state == T_EMBRYO)
    thread_free(t);
  else
    thread_reap(t);
  count_down(&nthreads);
}

void proc_thread_left(struct thread *t) {
  t->proc = NULL;
  count_down(&nthreads);
}

struct proc *proc_create(const char *name, void (*entry)(void *), int *err) {
  struct thread *t;
  struct proc *p;

  *err = -EAGAIN;
  if (!count_up(&nprocs, maxprocs))
    return NULL;
  *err = -ENOMEM;
  p = slab_alloc(&proc_cache);
  if (p == NULL) {
    count_down(&nprocs);
    return NULL;
  }
  initlock(&p->lock, "proc");
  waitq_init(&p->exited, "child");
  waitq_init(&p->left, "threads");
  list_init(&p->threads);
  list_init(&p->children);
  list_init(&p->sibling);
  list_init(&p->pidlink);
  p->files = p->inline_files;
  p->nfiles = FD_INLINE;
  p->rights = RIGHT_ALL;
  safestrcpy(p->name, name, sizeof(p->name));
  t = proc_new_thread(p, entry, err);
  if (t == NULL) {
    proc_free(p);
    return NULL;
  }
  list_add_back(&p->threads, &t->proclink);
  p->nthreads = 1;
  p->places[0] = 1; /* its place is 0 */
  return p;
}

struct thread *proc_thread(struct proc *p) {
  return list_entry(p->threads.next, struct thread, proclink);
}

void proc_free(struct proc *p) {
  if (p->space != NULL)
    space_put(p->space);
  proc_set_program(p, NULL);
  if (p->files != p->inline_files)
    kfree(p->files);
  if (p->nthreads > 0)
    proc_free_thread(proc_thread(p));
  slab_free(&proc_cache, p);
  count_down(&nprocs);
}

void proc_each_locked(void (*see)(struct proc *p, void *arg), void *arg) {
  for (int i = 0; i < PID_BUCKETS; i++)
    list_for_each (l, &pids[i])
      see(list_entry(l, struct proc, pidlink), arg);
}

static void end_member(struct proc *p, void *pgid) {
  if (p->pgid == *(int *)pgid && p != init_proc && p->state == PROC_ALIVE)
    proc_end(p, NULL, STATUS_KILLED);
}

void kill_group(int pgid) {
  acquire(&proctree_lock);
  proc_each_locked(end_member, &pgid);
  release(&proctree_lock);
}

bool proc_ending(struct proc *p) {
  bool ending;

  acquire(&p->lock);
  ending = p->ending;
  release(&p->lock);
  return ending;
}

void proc_publish(struct proc *p, struct proc *parent) {
  struct thread *t = proc_thread(p);

  acquire(&proctree_lock);
  p->pid = t->pid = t->tid = next_id();
  p->pgid = parent ? parent->pgid : p->pid;
  p->parent = parent;
  p->state = PROC_ALIVE;
  if (parent != NULL)
    list_add_back(&parent->children, &p->sibling);
  list_add_back(&pids[(uint)p->pid % PID_BUCKETS], &p->pidlink);
  /* kill_group() may just have killed the parent, and not found the child. */
  if (parent != NULL && proc_ending(parent))
    proc_end(p, NULL, STATUS_KILLED);
  release(&proctree_lock);
}

struct space *proc_set_space(struct proc *p, struct thread *t,
                             struct space *s) {
  struct space *old;

  acquire(&p->lock);
  old = p->space;
  p->space = s;
  thread_set_space(t, s ? s->pagetable : NULL, s ? &s->arch : NULL);
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
  thread_start(proc_thread(p));
}
