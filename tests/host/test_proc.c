/*
 * A fork, kernel/proc/fork.c and the table of processes, while the parent's group
 * is killed: at each moment at which another CPU could do so, one after the other.
 */
/* sources: kernel/proc/proc.c kernel/proc/fork.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/tty.h"
#include "dev/tty.h"
#include "fs/inode.h"
#include "lib/cmdline.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sync/trace.h"
#include "trap.h"

struct cpu cpus[NCPU];
struct tty_ops tty_ops;

static struct thread *running;
static struct space space;
static struct proc *child;  /* when it starts */
static int nlocks;          /* that are held */
static int until_kill = -1; /* moments; negative: never */

struct thread *mythread(void) {
  return running;
}

/* Others can do something here, if there is no lock that they need. */
static void moment(void) {
  if (nlocks == 0 && until_kill-- == 0)
    kill_group(myproc()->pgid);
}

void initlock(struct spinlock *lk, const char *name) { lk->name = name; }

void acquire(struct spinlock *lk) {
  moment();
  assert_int_equal(lk->locked, 0);
  lk->locked = 1;
  nlocks++;
}

void release(struct spinlock *lk) {
  assert_int_equal(lk->locked, 1);
  lk->locked = 0;
  nlocks--;
  moment();
}

/* --- what a fork stands on --- */

/* As in thread.c. */
bool proc_end(struct proc *p, struct thread *but, int status) {
  bool first = !p->ending;

  assert_null(but);
  acquire(&p->lock);
  p->status = status;
  p->ending = true;
  release(&p->lock);
  return first;
}

struct thread *thread_create(const char *name, void (*entry)(void *),
                             void *arg) {
  struct thread *t = calloc(1, sizeof(*t));

  moment();
  (void)name, (void)entry, (void)arg;
  return t;
}

void thread_start(struct thread *t) {
  t->state = T_RUNNABLE;
  child = t->proc;
  moment();
}

void thread_free(struct thread *t) { free(t); }

void thread_reap(struct thread *t) { free(t); }

struct space *space_copy(struct space *s) {
  moment();
  return s;
}

int fd_copy(struct proc *to, struct proc *from) {
  moment();
  (void)to, (void)from;
  return 0;
}

void *slab_alloc(struct slab_cache *c) { return calloc(1, c->size); }

void slab_free(struct slab_cache *c, void *object) {
  (void)c;
  free(object);
}

struct inode *idup(struct inode *ip) {
  return ip;
}

int inode_deny_write(struct inode *ip) {
  (void)ip;
  return 0;
}

void proc_set_program(struct proc *p, struct inode *ip) { p->program = ip; }

void space_put(struct space *s) { assert_ptr_equal(s, &space); }

int tables_add_trapframe(pagetable_t pt, struct arch_space *as, uint place,
                         struct trapframe *tf) {
  (void)pt, (void)as, (void)place, (void)tf;
  return 0;
}

void thread_set_space(struct thread *t, pagetable_t pt, struct arch_space *as) {
  t->pagetable = pt;
  t->arch_space = as;
}

void user_prepare(struct thread *t) { (void)t; }

void user_fork(struct thread *to, struct thread *from) { (void)to, (void)from; }

void trace(enum trace_kind kind, vaddr_t a, vaddr_t b) {
  (void)kind, (void)a, (void)b;
}

void waitq_init(struct waitq *q, const char *name) { q->name = name; }

char *safestrcpy(char *dst, const char *src, size_t n) {
  (void)n;
  return strcpy(dst, src); /* the test's names are short */
}

/* --- what is never reached --- */

void panic(const char *fmt, ...) {
  fprintf(stderr, "panic: %s\n", fmt);
  abort();
}

void user_return(void) { panic("user_return"); }

void kfree(void *page) {
  (void)page;
  panic("kfree");
}

void printf(const char *fmt, ...) { panic("%s", fmt); }

void procdump(void) { panic("procdump"); }

/* --- boot --- */

void futex_init(void) {}

void oom_init(void) {}

uint64 cmdline_number(const char *name, uint64 usual) {
  (void)name;
  return usual;
}

/* --- the tests --- */

static struct proc *must_create(void) {
  int err;
  struct proc *p = proc_create("test", NULL, &err);

  assert_non_null(p);
  p->space = &space;
  proc_publish(p, NULL);
  return p;
}

static void take_away(struct proc *p) {
  list_remove(&p->sibling);
  list_remove(&p->pidlink);
  proc_free(p);
}

/* Fork, and kill the group at the n'th moment. False: there are not so many. */
static bool fork_killed_at(int n) {
  struct proc *other = must_create(), *parent = must_create();
  bool kill;

  running = proc_thread(parent);
  child = NULL;
  until_kill = n;
  assert_int_equal(fork(), parent->pid + 1);
  kill = until_kill < 0;
  until_kill = -1;
  assert_ptr_equal(child->parent, parent);
  assert_int_equal(child->pgid, parent->pgid);
  assert_int_equal(parent->ending, kill);
  assert_int_equal(child->ending, kill);
  assert_int_equal(child->status, kill ? STATUS_KILLED : 0);
  assert_false(other->ending);
  take_away(child);
  take_away(parent);
  take_away(other);
  return kill;
}

static void a_killed_group_has_no_new_child(void **state) {
  int n = 0;

  (void)state;
  proc_init();
  while (fork_killed_at(n))
    n++;
  assert_true(n > 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_killed_group_has_no_new_child),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
