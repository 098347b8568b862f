/*
 * Descriptors: a process's table of open files. The first few slots are in
 * struct proc; who opens more gets a page for the table.
 */
#include "lib/string.h"
#include "mm/kalloc.h"
#include "proc/proc.h"

_Static_assert(FD_MAX * sizeof(struct file *) <= PGSIZE, "one page");

/* Move to the large table. 0 or -ENOMEM. */
static int enlarge(struct proc *p) {
  struct file **table = kalloc_zero(PAGE_KERNEL);

  if (table == NULL)
    return -ENOMEM;
  memcpy(table, p->files, p->nfiles * sizeof(*table));
  p->files = table;
  p->nfiles = FD_MAX;
  return 0;
}

struct file *fd_file(int fd) {
  struct proc *p = myproc();

  return fd >= 0 && fd < p->nfiles ? p->files[fd] : NULL;
}

int fd_install(struct file *f) {
  struct proc *p = myproc();

  for (int fd = 0; fd < p->nfiles; fd++) {
    if (p->files[fd] == NULL) {
      p->files[fd] = f;
      return fd;
    }
  }
  if (p->nfiles == FD_MAX)
    return -EMFILE;
  return fd_install_at(p->nfiles, f);
}

int fd_install_at(int fd, struct file *f) {
  struct proc *p = myproc();

  if (fd < 0 || fd >= FD_MAX)
    return -EBADF;
  if (fd >= p->nfiles && enlarge(p) < 0)
    return -ENOMEM;
  p->files[fd] = f;
  return fd;
}

struct file *fd_remove(int fd) {
  struct file *f = fd_file(fd);

  if (f != NULL)
    myproc()->files[fd] = NULL;
  return f;
}

int fd_copy(struct proc *child, struct proc *parent) {
  if (parent->nfiles > child->nfiles && enlarge(child) < 0)
    return -ENOMEM;
  for (int fd = 0; fd < parent->nfiles; fd++) {
    if (parent->files[fd] != NULL)
      child->files[fd] = file_dup(parent->files[fd]);
  }
  return 0;
}

void fd_close_all(struct proc *p) {
  for (int fd = 0; fd < p->nfiles; fd++) {
    struct file *f = p->files[fd];

    p->files[fd] = NULL;
    if (f != NULL)
      file_close(f);
  }
}
