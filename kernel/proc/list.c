/*
 * Looking at processes: for ps, for Ctrl-P, for those who inspect memory.
 */
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/proc.h"

struct space *proc_space(int pid) {
  struct space *s = NULL;
  struct proc *p;

  acquire(&proctree_lock);
  p = proc_find_locked(pid);
  if (p != NULL) {
    acquire(&p->lock);
    s = p->space ? space_get(p->space) : NULL;
    release(&p->lock);
  }
  release(&proctree_lock);
  return s;
}

bool proc_may_inspect(int pid) {
  struct proc *self = myproc();

  return pid == self->pid || (self->rights & RIGHT_INSPECT);
}

static enum procstate shown_state(const struct thread *t) {
  switch (t->state) {
    case T_RUNNING:
      return P_RUNNING;
    case T_SLEEPING:
      return P_SLEEPING;
    case T_EMBRYO:
      return P_EMBRYO;
    default:
      return P_RUNNABLE;
  }
}

/* Does one thread in this state make its process be in it, whatever another is
 * in? The first that applies is shown. */
static const enum procstate by_weight[] = {P_RUNNING, P_RUNNABLE, P_SLEEPING,
                                           P_EMBRYO};

static bool outweighs(enum procstate a, enum procstate b) {
  for (uint i = 0; i < NELEM(by_weight) && by_weight[i] != b; i++) {
    if (by_weight[i] == a)
      return true;
  }
  return false;
}

/* Add what there is to say of one more thread. Its process's lock is held. */
static void describe_thread(struct thread *t, struct procinfo *info) {
  enum procstate state;

  acquire(&t->lock);
  state = shown_state(t);
  if (info->threads == 0 || outweighs(state, info->state)) {
    info->state = state;
    info->cpu = t->cpu ? t->cpu->id : 0;
    memset(info->waiting, 0, sizeof(info->waiting)); /* of another thread */
    if (t->state == T_SLEEPING && t->waitq != NULL)
      safestrcpy(info->waiting, t->waitq->name, sizeof(info->waiting));
  }
  info->threads++;
  info->cpu_ns += t->cpu_ns;
  if (__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == T_RUNNING)
    info->cpu_ns += clock_ns() - t->started_ns;
  release(&t->lock);
}

/* What is known without sleeping. proctree_lock held. */
static void describe(struct proc *p, struct procinfo *info) {
  *info = (struct procinfo){
      .pid = p->pid, .ppid = p->parent ? p->parent->pid : 0, .pgid = p->pgid};
  acquire(&p->lock);
  safestrcpy(info->name, p->name, sizeof(info->name));
  info->cpu_ns = p->past_ns;
  list_for_each (l, &p->threads)
    describe_thread(list_entry(l, struct thread, proclink), info);
  release(&p->lock);
  if (p->state == PROC_ZOMBIE)
    info->state = P_ZOMBIE;
}

/* The same of the first process with a higher pid; false: there is none. */
static bool describe_next(int after, struct procinfo *info) {
  struct proc *p;

  acquire(&proctree_lock);
  p = proc_next_locked(after);
  if (p != NULL)
    describe(p, info);
  release(&proctree_lock);
  return p != NULL;
}

/* What takes the space's lock. */
static void describe_memory(struct procinfo *info) {
  struct space *s = proc_space(info->pid);
  struct uvm_usage usage = {0};

  if (s == NULL)
    return;
  acquire_shared(&s->lock);
  uvm_usage(s, 0, SPACE_END, &usage);
  info->size = s->size * PGSIZE;
  info->resident = usage.resident * PGSIZE;
  info->faults = s->faults;
  info->tables = pagetable_pages(s->pagetable, &s->ptl) * PGSIZE;
  release_shared(&s->lock);
  space_put(s);
}

int proc_list(int after, struct procinfo *buf, int max) {
  int n = 0;

  while (n < max && describe_next(after, &buf[n])) {
    describe_memory(&buf[n]);
    after = buf[n++].pid;
  }
  return n;
}

static const char *const state_names[] = {
    [P_EMBRYO] = "embryo",  [P_RUNNING] = "run",   [P_RUNNABLE] = "runnable",
    [P_SLEEPING] = "sleep", [P_ZOMBIE] = "zombie",
};

void procdump(void) {
  struct procinfo info;
  int after = 0;

  printf("\n  pid  ppid  state     cpu  name             waits for\n");
  while (describe_next(after, &info)) {
    printf("%5d %5d  %-9s %3d  %-16s %s\n", info.pid, info.ppid,
           state_names[info.state], info.cpu, info.name, info.waiting);
    after = info.pid;
  }
}
