/*
 * System calls. include/abi/syscall.tbl lists them; a handler is
 *
 *   long sys_name(void)    result (>= 0), or a negative errno
 *
 * and fetches its arguments, which are as the program left them: anything,
 * with the functions below.
 */
#ifndef SYS_SYSCALL_H
#define SYS_SYSCALL_H

#include "fs/file.h"
#include "param.h"
#include "types.h"

/* The i-th argument: as an int, a long, an address (not checked: copyin and
 * copyout do that). */
int argint(int i);
long arglong(int i);
vaddr_t argaddr(int i);
/* As a string, copied to buf. Its length, or -EFAULT, -ENAMETOOLONG. */
int argstr(int i, char *buf, size_t max);
/* As a descriptor: its file, or NULL. It stays open until the call ends. Once
 * in a call. */
struct file *argfile(int i);

/* A path argument, in memory of its own: too long for a kernel stack. */
struct path {
  char *text; /* a page */
};
/* 0, or an error and nothing to free. */
int path_arg(struct path *p, int i);
void path_free(struct path *p);

#endif
