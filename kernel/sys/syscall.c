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

static uint64 counts[NCPU]; /* [a] calls by CPU */

uint64 syscall_count(void) {
  uint64 n = 0;

  for (int i = 0; i < NCPU; i++)
    n += __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
  return n;
}

/* The native ABI: -1 for every error; lasterr() tells the reason. */
static long native_result(struct thread *t, long r) {
  if (r >= 0)
    return r;
  t->lasterr = -r;
  return -1;
}

void syscall(void) {
  struct thread *t = mythread();
  unsigned long number = user_call_number(t);
  long r = -ENOSYS;

  __atomic_fetch_add(&counts[mycpu()->id], 1, __ATOMIC_RELAXED);
  if (number < NELEM(handlers) && handlers[number] != NULL)
    r = handlers[number]();
  user_call_result(t, native_result(t, r));
}

int argint(int i) { return user_call_arg(mythread(), i); }

long arglong(int i) { return user_call_arg(mythread(), i); }

vaddr_t argaddr(int i) { return user_call_arg(mythread(), i); }

int argstr(int i, char *buf, size_t max) {
  return copyinstr(myproc()->space, buf, argaddr(i), max);
}

struct file *argfile(int i) { return fd_file(argint(i)); }

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
