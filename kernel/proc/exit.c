/*
 * The end of a process: its last moments, wait, kill. How its threads end is in
 * thread.c.
 *
 * The last thread gives back everything but the kernel stack it runs on and the
 * entry in the table, which hold the status until the parent fetches it with
 * wait().
 */
#include "abi/tty.h"
#include "proc/proc.h"
#include "sync/trace.h"

/* Give our children to init. proctree_lock held. */
static void reparent(struct proc *p) {
  struct list *l;

  while ((l = list_pop(&p->children)) != NULL) {
    list_entry(l, struct proc, sibling)->parent = init_proc;
    list_add_back(&init_proc->children, l);
  }
  wakeup(&init_proc->exited);
}

/* Memory, files and directory; may sleep. */
static void release_resources(struct proc *p) {
  struct space *s;

  fd_close_all(p);
  s = proc_set_space(p, mythread(), NULL);
  if (s != NULL)
    space_end(s);
  proc_set_program(p, NULL);
}

void proc_finish(int status) {
  struct proc *p = myproc();

  proc_end(p, mythread(), status);
  trace(TRACE_EXIT, p->status, 0);
  if (p == init_proc)
    init_gone(p->status);
  release_resources(p);
  proc_tid_drop(mythread());
  acquire(&proctree_lock);
  reparent(p);
  p->state = PROC_ZOMBIE;
  wakeup(&p->parent->exited);
  release(&proctree_lock);
  thread_exit();
}

/* A child that matches: an exited one if there is any. *any: was there one at
 * all? proctree_lock held. */
static struct proc *find_child(struct proc *p, int pid, bool *any) {
  *any = false;
  list_for_each (l, &p->children) {
    struct proc *c = list_entry(l, struct proc, sibling);

    if (pid != WAIT_ANY && c->pid != pid)
      continue;
    *any = true;
    if (c->state == PROC_ZOMBIE)
      return c;
  }
  return NULL;
}

/* Take a zombie out of the tables. proctree_lock held. */
static int unpublish(struct proc *c, int *status) {
  *status = c->status;
  list_remove(&c->sibling);
  list_remove(&c->pidlink);
  return c->pid;
}

int wait(int pid, bool nohang, int *status) {
  struct proc *p = myproc(), *c;
  bool any;
  int r = 0;

  acquire(&proctree_lock);
  while ((c = find_child(p, pid, &any)) == NULL && r == 0) {
    if (!any || nohang) {
      release(&proctree_lock);
      return any ? 0 : -ECHILD;
    }
    r = sleep_killable(&p->exited, &proctree_lock);
  }
  if (c == NULL) {
    release(&proctree_lock);
    return r;
  }
  pid = unpublish(c, status);
  release(&proctree_lock);
  proc_free(c);
  return pid;
}

static bool is_descendant(struct proc *p, struct proc *of) {
  while (p != NULL && p != of)
    p = p->parent;
  return p != NULL;
}

int kill(int pid) {
  struct proc *self = myproc(), *p;
  int r = 0;

  acquire(&proctree_lock);
  p = proc_find_locked(pid);
  if (p == NULL)
    r = -ESRCH;
  else if (p == init_proc ||
           (!(self->rights & RIGHT_KILL) && !is_descendant(p, self)))
    r = -EPERM;
  else if (p->state == PROC_ALIVE)
    proc_end(p, NULL, STATUS_KILLED);
  release(&proctree_lock);
  return r;
}

int setpgid(int pid, int pgid) {
  struct proc *self = myproc(), *p;
  int r = -ESRCH;

  acquire(&proctree_lock);
  p = pid == 0 ? self : proc_find_locked(pid);
  if (p != NULL && (p == self || p->parent == self) && pgid >= 0) {
    p->pgid = pgid ? pgid : p->pid;
    r = 0;
  }
  release(&proctree_lock);
  return r;
}
