/*
 * fork: a second process like the first.
 */
#include "fs/inode.h"
#include "proc/proc.h"
#include "sync/trace.h"
#include "trap.h"

/* Where the child's thread begins. */
static void child_begins(void *unused) {
  (void)unused;
  user_return();
}

/* Copy what the parent has to the child; -ENOMEM: a part may be copied. */
static int copy(struct proc *child, struct proc *parent) {
  struct thread *t = proc_thread(child);
  struct space *s = space_copy(parent->space);

  if (s == NULL)
    return -ENOMEM;
  proc_set_space(child, t, s);
  if (tables_add_trapframe(s->pagetable, &s->arch, t->place,
                           t->arch.trapframe) < 0 ||
      fd_copy(child, parent) < 0)
    return -ENOMEM;
  user_fork(t, mythread());
  child->rights = parent->rights;
  inode_deny_write(parent->program); /* it is denied already, so that works */
  child->program = idup(parent->program);
  return 0;
}

int fork(void) {
  struct proc *parent = myproc(), *child;
  int err, pid;

  child = proc_create(parent->name, child_begins, &err);
  if (child == NULL)
    return err;
  if (copy(child, parent) < 0) {
    proc_free(child);
    return -ENOMEM;
  }
  proc_publish(child, parent);
  pid = child->pid;
  trace(TRACE_FORK, pid, 0);
  thread_start(proc_thread(child)); /* it may be gone from here on */
  return pid;
}
