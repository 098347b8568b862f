/*
 * When memory is truly gone: a page fault finds none, and no cache has any to
 * give, even after mapped files were unmapped (fs_release). Then the process that
 * has most of it ends, so that all others can go on.
 *
 *   fault_resolve() -> -ENOMEM -> out_of_memory(): choose, say so, kill, wait
 *                  ^                                                      |
 *                  +------------------- try again ------------------------+
 *
 * Its memory comes back when it has left the kernel, so the thread that faulted
 * waits a little and tries again; nobody else is chosen meanwhile. Should the
 * chosen one not end for long, because it waits for somebody who waits for
 * memory, the next one is.
 */
#include "abi/tty.h"
#include "fs/inode.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "vm/fault.h"

#define WAIT_NS (NSEC_PER_SEC / 50) /* until the next attempt */
#define PATIENCE 100                /* attempts until another one is chosen */

/* Who is to end. */
struct victim {
  struct proc *p; /* valid under proctree_lock */
  int pid;
  char name[PROCNAMESZ];
  size_t pages; /* private ones, page tables included */
};

/* What a space has in memory that is in no file, and its page tables: pages that
 * would come back with it, if those that others share go, too. */
static size_t pages_of(struct space *s) {
  struct uvm_usage usage = {0};
  size_t tables;

  uvm_usage(s, 0, SPACE_END, &usage);
  acquire(&s->ptl);
  tables = pagetable_pages(s->pagetable);
  release(&s->ptl);
  return usage.dirty + tables;
}

/* The size of a process; 0 if it has no space any more. proctree_lock held. */
static size_t size_of(struct proc *p) {
  size_t n;

  acquire(&p->lock);
  n = p->space != NULL ? pages_of(p->space) : 0;
  release(&p->lock);
  return n;
}

/* The largest process that is not ending; false: there is one that is, or with
 * `impatient`, there is nobody. proctree_lock held. */
static bool choose(struct victim *v, bool impatient) {
  struct proc *p;

  for (int pid = 0; (p = proc_next_locked(pid)) != NULL; pid = p->pid) {
    size_t n = p == init_proc ? 0 : size_of(p);
    bool ending = n > 0 && proc_ending(p);

    if (ending && !impatient)
      return false;
    if (!ending && n > v->pages) {
      *v = (struct victim){.p = p, .pid = p->pid, .pages = n};
      safestrcpy(v->name, p->name, sizeof(v->name));
    }
  }
  return v->p != NULL;
}

/* A little time for somebody to give memory back. -EINTR: it is us. */
static int wait_a_little(void) {
  static struct spinlock lock = SPINLOCK("oom");
  static struct waitq waiters = WAITQ(waiters, "memory");
  int r;

  acquire(&lock);
  r = sleep_until(&waiters, &lock, clock_ns() + WAIT_NS);
  release(&lock);
  return r;
}

static int out_of_memory(struct space *s, uint attempt) {
  struct proc *self = myproc();
  struct victim v = {.p = NULL};
  bool chosen;

  if (attempt == 0) {
    fs_release();
    return 0;
  }
  /* a program that is only being loaded is an error, and nobody's end */
  if (self == NULL || self->space != s || killed())
    return -ENOMEM;
  acquire(&proctree_lock);
  chosen = choose(&v, attempt % PATIENCE == PATIENCE - 1);
  if (chosen)
    proc_end(v.p, NULL, STATUS_KILLED);
  release(&proctree_lock);
  if (chosen)
    printf(
        "out of memory: killed pid %d (%s), %lu MB resident, wanted by pid "
        "%d (%s)\n",
        v.pid, v.name, (unsigned long)(v.pages * PGSIZE / MiB(1)), self->pid,
        self->name);
  return wait_a_little();
}

void oom_init(void) { fault_out_of_memory = out_of_memory; }
