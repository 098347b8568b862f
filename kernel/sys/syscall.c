/*
 * From the trap to the handler of a system call, and its arguments.
 */
#include "sys/syscall.h"

#include "mm/kalloc.h"
#include "proc/proc.h"
#include "trap.h"
#include "vm/usercopy.h"

#define SYSCALL(number, name) long sys_##name(void);
#include "syscall_table.h"
#undef SYSCALL

static long (*const handlers[])(void) = {
#define SYSCALL(number, name) [number] = sys_##name,
#include "syscall_table.h"
#undef SYSCALL
};

/*
 * A handler may hold any lock when it finds no memory, so what is left then is
 * what can be taken back without one. Here none is held: mapped files can give
 * up pages, too, or somebody ends who has much of it, and the call is made
 * again. That it can be is a rule for handlers: who returns -ENOMEM has changed
 * nothing that a second call minds. The error may have other reasons; if no
 * allocation has failed since this thread last looked, it has.
 */
static long call_again(long (*handler)(void)) {
  struct thread *t = mythread();
  uint failures = kalloc_failures();
  bool seen = t->failures_seen == failures;

  t->failures_seen = failures;
  if (seen || killed())
    return -ENOMEM;
  fd_release();
  for (uint attempt = 0; !memory_release(); attempt++)
    if (memory_wait(attempt) < 0)
      return -ENOMEM;
  return handler();
}

/* The native ABI: -1 for every error; lasterr() tells the reason. */
static __attribute__((noinline)) long native_error(unsigned long number,
                                                   long r) {
  if (r == -ENOMEM)
    r = call_again(handlers[number]);
  if (r >= 0)
    return r;
  mythread()->lasterr = -r;
  return -1;
}

void syscall(void) {
  struct thread *t = mythread();
  unsigned long number = user_call_number(&t->arch);
  long r = -ENOSYS;

  if (number < NELEM(handlers) && handlers[number] != NULL)
    r = handlers[number]();
  if (r < 0)
    r = native_error(number, r);
  if (t->file != NULL || t->cwd != NULL)
    fd_release(); /* rarely: only processes with threads hold any */
  user_call_result(&t->arch, r);
}

int argint(int i) { return user_call_arg(&mythread()->arch, i); }

long arglong(int i) { return user_call_arg(&mythread()->arch, i); }

vaddr_t argaddr(int i) { return user_call_arg(&mythread()->arch, i); }

int argstr(int i, char *buf, size_t max) {
  return copyinstr(myproc()->space, buf, argaddr(i), max);
}

struct file *argfile(int i) {
  return fd_hold(argint(i));
}

int path_arg(struct path *p, int i) {
  int r;

  p->text = kalloc();
  if (p->text == NULL)
    return -ENOMEM;
  r = argstr(i, p->text, PATH_MAX);
  if (r >= 0)
    return 0;
  kfree(p->text);
  return r;
}

void path_free(struct path *p) { kfree(p->text); }
