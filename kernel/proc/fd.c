/*
 * Descriptors: a process's table of open files, and its directory. The first
 * few slots are in struct proc; who opens more gets a page for the table.
 *
 * All threads of a process share them. What one uses in a system call, another
 * may close meanwhile: so the call holds a reference of its own to the file
 * (fd_hold) and to the directory (cwd_hold) that it uses, kept in struct thread
 * and given up when the call ends (fd_release). While a process has one thread,
 * nobody else can close anything, and none is taken.
 */
#include "fs/inode.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "proc/proc.h"

_Static_assert(FD_MAX * sizeof(struct file *) <= PGSIZE, "one page");

/* Does the calling process have other threads? Only its own threads make new
 * ones. */
static bool has_others(struct proc *p) {
  return __atomic_load_n(&p->nthreads, __ATOMIC_ACQUIRE) > 1;
}

static struct file *file_locked(struct proc *p, int fd) {
  return fd >= 0 && fd < p->nfiles ? p->files[fd] : NULL;
}

struct file *fd_hold(int fd) {
  struct thread *t = mythread();
  struct proc *p = t->proc;
  struct file *f;

  if (!has_others(p))
    return file_locked(p, fd);
  acquire(&p->lock);
  f = file_locked(p, fd);
  if (f != NULL)
    t->file = file_dup(f);
  release(&p->lock);
  return f;
}

struct inode *cwd_hold(void) {
  struct thread *t = mythread();
  struct proc *p = t->proc;

  if (!has_others(p))
    return p->cwd;
  acquire(&p->lock);
  if (t->cwd == NULL && p->cwd != NULL)
    t->cwd = idup(p->cwd);
  release(&p->lock);
  return t->cwd;
}

void fd_release(void) {
  struct thread *t = mythread();
  struct file *f = t->file;
  struct inode *cwd = t->cwd;

  /* the self-check may look at them at any moment: not when they are gone */
  t->file = NULL;
  t->cwd = NULL;
  if (f != NULL)
    file_close(f);
  if (cwd != NULL)
    iput(cwd);
}

void cwd_set(struct inode *dir) {
  struct proc *p = myproc();
  struct inode *old;

  acquire(&p->lock);
  old = p->cwd;
  p->cwd = dir;
  release(&p->lock);
  if (old != NULL)
    iput(old);
}

/* Have the large table, if one was needed: for descriptor fd. 0 or -ENOMEM. */
static int make_room(struct proc *p, int fd) {
  struct file **table;

  if (fd < p->nfiles)
    return 0;
  table = kalloc_zero(PAGE_KERNEL);
  if (table == NULL)
    return -ENOMEM;
  acquire(&p->lock);
  if (p->nfiles < FD_MAX) {
    memcpy(table, p->files, p->nfiles * sizeof(*table));
    p->files = table;
    p->nfiles = FD_MAX;
    table = NULL;
  }
  release(&p->lock);
  if (table != NULL)
    kfree(table); /* another thread was first */
  return 0;
}

/* The lowest free slot, or -1. */
static int free_locked(struct proc *p) {
  for (int fd = 0; fd < p->nfiles; fd++) {
    if (p->files[fd] == NULL)
      return fd;
  }
  return -1;
}

int fd_install(struct file *f) {
  struct proc *p = myproc();
  int fd, slots;

  for (;;) {
    acquire(&p->lock);
    fd = free_locked(p);
    slots = p->nfiles;
    if (fd >= 0)
      p->files[fd] = f;
    release(&p->lock);
    if (fd >= 0)
      return fd;
    if (slots == FD_MAX)
      return -EMFILE;
    if (make_room(p, slots) < 0)
      return -ENOMEM;
  }
}

int fd_replace(int fd, struct file *f, struct file **old) {
  struct proc *p = myproc();

  if (fd < 0 || fd >= FD_MAX)
    return -EBADF;
  if (make_room(p, fd) < 0)
    return -ENOMEM;
  acquire(&p->lock);
  *old = p->files[fd];
  p->files[fd] = f;
  release(&p->lock);
  return fd;
}

struct file *fd_remove(int fd) {
  struct proc *p = myproc();
  struct file *f;

  acquire(&p->lock);
  f = file_locked(p, fd);
  if (f != NULL)
    p->files[fd] = NULL;
  release(&p->lock);
  return f;
}

bool fd_take_back(int fd, struct file *f) {
  struct proc *p = myproc();
  bool there;

  acquire(&p->lock);
  there = file_locked(p, fd) == f;
  if (there)
    p->files[fd] = NULL;
  release(&p->lock);
  return there;
}

int fd_copy(struct proc *child, struct proc *parent) {
  acquire(&parent->lock);
  while (child->nfiles < parent->nfiles) {
    release(&parent->lock);
    if (make_room(child, FD_MAX - 1) < 0)
      return -ENOMEM;
    acquire(&parent->lock);
  }
  for (int fd = 0; fd < parent->nfiles; fd++) {
    if (parent->files[fd] != NULL)
      child->files[fd] = file_dup(parent->files[fd]);
  }
  child->cwd = parent->cwd ? idup(parent->cwd) : NULL;
  release(&parent->lock);
  return 0;
}

size_t fd_memory(struct proc *p) {
  size_t n = 0;

  acquire(&p->lock);
  for (int fd = 0; fd < p->nfiles; fd++)
    if (p->files[fd] != NULL)
      n += file_memory(p->files[fd]);
  release(&p->lock);
  return n;
}

void fd_close_all(struct proc *p) {
  for (int fd = 0; fd < p->nfiles; fd++) {
    struct file *f;

    acquire(&p->lock); /* fd_memory() may just look at it */
    f = p->files[fd];
    p->files[fd] = NULL;
    release(&p->lock);
    if (f != NULL)
      file_close(f);
  }
  if (p->cwd != NULL)
    iput(p->cwd);
  p->cwd = NULL;
}

/* --- the self-check --- */

static void audit_begin(struct proc *p, void *unused) {
  (void)unused;
  for (int fd = 0; fd < p->nfiles; fd++)
    if (p->files[fd] != NULL)
      file_audit_begin(p->files[fd]);
}

/* What a thread holds is in a table, too, or on its way out: then it is not looked
 * at in the end. */
static void audit_find(struct proc *p, void *unused) {
  (void)unused;
  for (int fd = 0; fd < p->nfiles; fd++)
    if (p->files[fd] != NULL)
      file_audit_found(p->files[fd]);
  list_for_each (l, &p->threads) {
    struct thread *t = list_entry(l, struct thread, proclink);

    if (t->file != NULL)
      file_audit_found(t->file);
    for (uint i = 0; i < NELEM(t->made); i++)
      if (t->made[i] != NULL)
        file_audit_found(t->made[i]);
  }
}

static void audit_end(struct proc *p, void *a) {
  for (int fd = 0; fd < p->nfiles; fd++)
    if (p->files[fd] != NULL)
      file_audit_end(p->files[fd], a);
}

void files_audit(struct audit *a) {
  proc_each_locked(audit_begin, NULL);
  proc_each_locked(audit_find, NULL);
  proc_each_locked(audit_end, a);
}
