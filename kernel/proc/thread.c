/*
 * Threads of a process: how they begin, and how they end.
 *
 *   clone() --> in proc->threads --> exit_thread(), or killed --> leave
 *                                                    the last: proc_finish()
 *
 * What a thread has of its own is a kernel stack, a trapframe and an id. The
 * rest is the process's: space, files, directory. It lives until the last
 * thread has left, which gives it back and stays as the zombie's thread until
 * the parent fetches the status. Any other thread takes itself out of the
 * process, then is a thread of the kernel, and ends as those do: nobody waits
 * for it. A program that wants to wait uses the futex at clear_tid.
 *
 * Nobody can end another thread where it is: it might hold locks. exit(), kill
 * and a fault in one thread mark all of them killed (proc_end), and each ends
 * itself when it next is about to return to user mode; sleeps that may last end
 * at once. exec() marks the others so, and waits until it is alone.
 *
 * proc->lock decides all races: who is in the list when it is taken gets the
 * mark, and clone() adds nobody once the process is ending.
 */
#include "abi/sched.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "trap.h"
#include "vm/usercopy.h"

/* --- places: where user tables map trapframes --- */

/* The lowest place that is free, or -EAGAIN. p->lock held. */
static int place_find_locked(const struct proc *p) {
  for (int i = 0; i < PLACE_WORDS; i++) {
    for (int bit = 0; ~p->places[i] != 0 && bit < PLACE_BITS; bit++) {
      if (!(p->places[i] >> bit & 1))
        return i * PLACE_BITS + bit;
    }
  }
  return -EAGAIN;
}

static void place_drop(struct proc *p, uint place) {
  acquire(&p->lock);
  p->places[place / PLACE_BITS] &= ~(1ULL << place % PLACE_BITS);
  release(&p->lock);
}

/* It is taken from now on. */
static int place_take(struct proc *p) {
  int place;

  acquire(&p->lock);
  place = place_find_locked(p);
  if (place >= 0)
    p->places[place / PLACE_BITS] |= 1ULL << place % PLACE_BITS;
  release(&p->lock);
  return place;
}

/* Map the trapframe of a new thread at a place. */
static int place_enter(struct proc *p, struct thread *t, uint place) {
  struct space *s = p->space;
  int r;

  t->place = place;
  acquire(&s->ptl);
  r = tables_add_trapframe(s->pagetable, &s->arch, place, t->arch.trapframe);
  release(&s->ptl);
  return r;
}

/* The thread does not go to user mode any more. */
static void place_leave(struct proc *p, struct thread *t) {
  struct space *s = p->space;

  acquire(&s->ptl);
  tables_remove_trapframe(s->pagetable, t->place);
  release(&s->ptl);
  place_drop(p, t->place);
}

/* --- beginning --- */

/* Where a new thread of a program begins. */
static void thread_begins(void *unused) {
  (void)unused;
  user_return();
}

/* A new thread at a place of its own, which is in no list yet. NULL and *err.
 * Too many threads are the first thing that is found out, as a program may ask
 * again and again. */
static struct thread *make(struct proc *p, int *err) {
  int place = place_take(p);
  struct thread *t;

  *err = place;
  if (place < 0)
    return NULL;
  t = proc_new_thread(p, thread_begins, err);
  if (t != NULL) {
    *err = place_enter(p, t, place);
    if (*err == 0)
      return t;
    proc_free_thread(t);
  }
  place_drop(p, place);
  return NULL;
}

/* Let t take part, unless the process is ending: -EINTR. */
static int join_process(struct proc *p, struct thread *t) {
  bool late;

  acquire(&p->lock);
  late = p->ending || p->sole != NULL;
  if (!late) {
    list_add_back(&p->threads, &t->proclink);
    __atomic_store_n(&p->nthreads, p->nthreads + 1, __ATOMIC_RELEASE);
  }
  release(&p->lock);
  return late ? -EINTR : 0;
}

/* Undo what clone() did for t. */
static void discard(struct proc *p, struct thread *t) {
  proc_tid_drop(t);
  place_leave(p, t);
  proc_free_thread(t);
}

int clone(uint flags, vaddr_t stack, vaddr_t parent_tid, vaddr_t tls,
          vaddr_t child_tid) {
  const uint known = CLONE_THREAD_FLAGS | CLONE_SYSVSEM | CLONE_SETTLS |
                     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  struct proc *p = myproc();
  struct thread *t;
  int r, tid;

  if ((flags & CLONE_THREAD_FLAGS) != CLONE_THREAD_FLAGS ||
      (flags & ~known) != 0 || stack == 0)
    return -EINVAL;
  t = make(p, &r);
  if (t == NULL)
    return r;
  proc_tid_assign(t);
  tid = t->tid;
  user_clone(t, mythread(), stack, tls, flags & CLONE_SETTLS);
  thread_set_space(t, p->space->pagetable, &p->space->arch);
  if (flags & CLONE_CHILD_CLEARTID)
    t->clear_tid = child_tid;
  if (flags & CLONE_PARENT_SETTID)
    r = copyout(p->space, parent_tid, &tid, sizeof(tid));
  if (r == 0)
    r = join_process(p, t);
  if (r < 0) {
    discard(p, t);
    return r;
  }
  thread_start(t); /* it may be gone from here on */
  return tid;
}

/* --- ending --- */

/* Processor time that t, the running thread, has used. */
static uint64 time_used(const struct thread *t) {
  return t->cpu_ns + (clock_ns() - t->started_ns);
}

/* Tell who waits for the calling thread's end. Its own code does not run any
 * more, so its stack may be freed. */
static void announce(struct thread *t, struct space *s) {
  int none = 0;

  if (t->clear_tid != 0 && !killed() &&
      copyout(s, t->clear_tid, &none, sizeof(none)) == 0)
    futex_wake(s, t->clear_tid, 1);
  t->clear_tid = 0;
}

/* Take the calling thread out of its process; false: it is the last. The
 * process may be gone when this returns true. */
static bool leave(struct proc *p, struct thread *t) {
  bool last;

  proc_tid_drop(t);
  acquire(&p->lock);
  last = p->nthreads == 1;
  if (!last) {
    list_remove(&t->proclink);
    __atomic_store_n(&p->nthreads, p->nthreads - 1, __ATOMIC_RELEASE);
    p->past_ns += time_used(t);
    proc_thread_left(t);
    wakeup(&p->left);
  }
  release(&p->lock);
  return !last;
}

/* From here on the calling thread does not go to user mode, and is in no
 * address space. */
static void leave_space(struct proc *p, struct thread *t) {
  place_leave(p, t);
  announce(t, p->space);
  thread_set_space(t, NULL, NULL);
}

void exit_thread(int status) {
  struct thread *t = mythread();
  struct proc *p = t->proc;

  if (p->nthreads > 1) {
    leave_space(p, t);
    if (leave(p, t))
      thread_exit();
  }
  proc_finish(status);
}

bool proc_end(struct proc *p, struct thread *but, int status) {
  bool first;

  acquire(&p->lock);
  first = !p->ending;
  if (first)
    p->status = status;
  p->ending = true;
  list_for_each (l, &p->threads) {
    struct thread *t = list_entry(l, struct thread, proclink);

    if (t != but)
      thread_kill(t);
  }
  release(&p->lock);
  return first;
}

void exit(int status) {
  proc_end(myproc(), mythread(), status);
  exit_thread(status);
}

int proc_alone(void) {
  struct thread *t = mythread();
  struct proc *p = t->proc;
  int r = 0;

  acquire(&p->lock);
  if (p->ending || p->sole != NULL)
    r = -EINTR;
  for (struct list *l = p->threads.next; r == 0 && l != &p->threads;
       l = l->next) {
    if (l != &t->proclink)
      thread_kill(list_entry(l, struct thread, proclink));
  }
  if (r == 0)
    p->sole = t;
  while (r == 0 && p->nthreads > 1)
    r = sleep_killable(&p->left, &p->lock);
  if (p->sole == t)
    p->sole = NULL;
  release(&p->lock);
  if (r == 0) {
    proc_tid_drop(t);
    t->tid = p->pid;
    t->clear_tid = 0;
  }
  return r;
}
