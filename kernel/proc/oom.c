/*
 * When memory is truly gone: a page fault finds none, and no cache has any to
 * give, even after mapped files were unmapped (fs_release). Then the process that
 * has most of it ends, so that all others can go on.
 *
 *   fault_resolve() -> -ENOMEM -> out_of_memory(): choose, say so, kill, wait
 *                  ^                                                      |
 *                  +------------------- try again ------------------------+
 *
 * What counts is what only it keeps alive: its pages, tables and stacks, and the
 * pipes that it has open, by its share; of shared memory all, also what it has
 * unmapped of it.
 *
 * A system call that finds none gives an error: a program can go on after that,
 * and many small ones that make more and more of themselves must not be the end of
 * others. But nothing would work any more if one process had nearly all, and
 * slept: so who has a large part ends for a system call, too (memory_wait), if it
 * is not the caller.
 *
 * Its memory comes back when it has left the kernel, so the thread that faulted
 * waits a little and tries again; nobody else is chosen meanwhile. Should the
 * chosen one not end for long, because it waits for somebody who waits for
 * memory, the next one is.
 */
#include "abi/tty.h"
#include "debug.h"
#include "fs/bcache.h"
#include "fs/inode.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "proc/proc.h"
#include "sync/trace.h"
#include "vm/anon.h"
#include "vm/fault.h"

#define WAIT_NS (NSEC_PER_SEC / 50) /* until the next attempt */
#define PATIENCE 100                /* attempts until another one is chosen */

/* Pages that what runs needs of files at least. */
#define WORKING_SET 64
#define RELEASE_TRIES 5

static uint64 last_end_ns; /* [T] when somebody was last chosen */

/* One page in so many of all is a large part: who has it may have to end for a
 * system call that finds no memory. */
#define LARGE_PART 16

#define NOBODY (-1) /* no process's pid */

/* Who is to end. */
struct victim {
  int pid;      /* 0: nobody, or somebody is ending */
  size_t pages; /* that would come back */
};

/* What a space has in memory that is in no file, its page tables and regions:
 * pages that would come back with it, if those that share them go, too. */
static size_t pages_of(struct space *s) {
  size_t n;

  acquire_shared(&s->lock);
  n = s->nregions * sizeof(struct region) / PGSIZE + anon_held(s);
  acquire(&s->ptl);
  n += s->anon;
  release(&s->ptl);
  n += pagetable_pages(s->pagetable, &s->ptl);
  release_shared(&s->lock);
  return n;
}

/* The size of a process that has `beside` pages outside of its space; 0 if it has
 * no space any more. */
static size_t size_of(int pid, size_t beside) {
  struct space *s = proc_space(pid);
  size_t n;

  if (s == NULL)
    return 0;
  n = pages_of(s) + beside;
  space_put(s);
  return n;
}

/* What is looked at of a process when one is chosen. */
struct candidate {
  int pid;       /* 0: before the first */
  size_t beside; /* pages of its threads' stacks, and of pipes */
  bool ending;
  bool leaving; /* it is ending, and has not given all back yet */
};

/* Is it ending, and its memory on the way back? proctree_lock held. */
static bool leaves(struct proc *p) {
  return p->state == PROC_ALIVE && proc_ending(p);
}

/* The next process; false if there is none. */
static bool next_process(struct candidate *c) {
  struct proc *p;

  acquire(&proctree_lock);
  p = proc_next_locked(c->pid);
  if (p != NULL)
    *c = (struct candidate){
        .pid = p->pid,
        .beside = (size_t)p->nthreads * KSTACK_PAGES + fd_memory(p) / PGSIZE,
        .ending = proc_ending(p),
        .leaving = leaves(p)};
  release(&proctree_lock);
  return p != NULL;
}

/* The largest process that is not ending; nobody, if there is one that is, unless
 * `impatient`. init is never chosen. */
static struct victim choose(bool impatient) {
  struct victim v = {.pid = 0};
  struct candidate c = {.pid = 0};

  while (next_process(&c)) {
    size_t n = c.pid == init_proc->pid ? 0 : size_of(c.pid, c.beside);

    if (c.leaving && !impatient)
      /* without a space: all that it had is being freed */
      return (struct victim){.pid = 0, .pages = n > 0 ? n : pages_total()};
    if (!c.ending && n > v.pages)
      v = (struct victim){.pid = c.pid, .pages = n};
  }
  return v;
}

static void see_leaving(struct proc *p, void *any) {
  *(bool *)any |= leaves(p);
}

/* proctree_lock held. */
static bool somebody_leaves(void) {
  bool any = false;

  proc_each_locked(see_leaving, &any);
  return any;
}

/* End it, if it is the first to be chosen since memory was last short, or all
 * have waited too long. */
static void end(const struct victim *v, bool impatient) {
  struct proc *self = myproc(), *p;
  char name[PROCNAMESZ];
  bool chosen;

  acquire(&proctree_lock);
  p = proc_find_locked(v->pid);
  chosen = p != NULL && !proc_ending(p) && (impatient || !somebody_leaves());
  if (chosen) {
    last_end_ns = clock_ns();
    safestrcpy(name, p->name, sizeof(name));
    proc_end(p, NULL, STATUS_KILLED);
    trace(TRACE_OOM, v->pid, 0);
  }
  release(&proctree_lock);
  if (chosen)
    printf(
        "out of memory: killed pid %d (%s), %lu MB resident, wanted by pid "
        "%d (%s)\n",
        v->pid, name, (unsigned long)(v->pages * PGSIZE / MiB(1)), self->pid,
        self->name);
}

static bool long_since_last(void) {
  bool r;

  acquire(&proctree_lock);
  r = clock_ns() - last_end_ns > PATIENCE * WAIT_NS;
  release(&proctree_lock);
  return r;
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

/* Programs that lost too much would lose the pages that they run from, read them
 * again, lose them ... */
bool memory_release(void) {
  for (int i = 0; i < RELEASE_TRIES; i++) {
    fs_release();
    bcache_shrink(WORKING_SET, pages_total());
    if (pages_owned(PAGE_FREE) >= WORKING_SET)
      return true;
    /* another CPU may be in the cache just then, whose lock is only tried */
    if (pages_owned(PAGE_CACHE) < 2 * WORKING_SET || wait_a_little() < 0)
      break;
  }
  return false;
}

/* End the largest process, or wait for one that is ending. -ENOMEM: it would be
 * the one with pid `but`, or has fewer pages than `least`. */
static int end_largest(uint attempt, int but, size_t least) {
  bool impatient = attempt >= PATIENCE && long_since_last();
  struct victim v = choose(impatient);

  if (v.pid == but || v.pages < least)
    return -ENOMEM;
  if (v.pid != 0)
    end(&v, impatient);
  return wait_a_little();
}

int memory_wait(uint attempt) {
  return end_largest(attempt, myproc()->pid, pages_total() / LARGE_PART);
}

static int out_of_memory(struct space *s, uint attempt) {
  struct proc *self = myproc();

  if (debug_starved())
    return -ENOMEM;
  if (attempt == 0 && memory_release())
    return 0;
  /* a program that is only being loaded is an error, and nobody's end */
  if (self == NULL || self->space != s || killed())
    return -ENOMEM;
  return end_largest(attempt, NOBODY, 0);
}

void oom_init(void) { fault_out_of_memory = out_of_memory; }
