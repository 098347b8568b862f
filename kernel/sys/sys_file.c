/*
 * System calls about files.
 */
#include "abi/fcntl.h"
#include "fs/inode.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "vm/usercopy.h"

long sys_read(void) {
  struct file *f = argfile(0);
  int n = argint(2);

  if (f == NULL)
    return -EBADF;
  return n < 0 ? -EINVAL : file_read(f, myproc()->space, argaddr(1), n);
}

long sys_write(void) {
  struct file *f = argfile(0);
  int n = argint(2);

  if (f == NULL)
    return -EBADF;
  return n < 0 ? -EINVAL : file_write(f, myproc()->space, argaddr(1), n);
}

long sys_fstat(void) {
  struct file *f = argfile(0);
  struct stat st = {0};
  int r;

  if (f == NULL)
    return -EBADF;
  r = file_stat(f, &st);
  if (r == 0)
    r = copyout(myproc()->space, argaddr(1), &st, sizeof(st));
  return r;
}

long sys_lseek(void) {
  struct file *f = argfile(0);

  return f ? file_seek(f, arglong(1), argint(2)) : -EBADF;
}

long sys_ftruncate(void) {
  struct file *f = argfile(0);

  if (f == NULL)
    return -EBADF;
  return arglong(1) < 0 ? -EINVAL : file_truncate(f, arglong(1));
}

long sys_ttyctl(void) {
  struct file *f = argfile(0);

  return f ? file_ctl(f, argint(1), argint(2)) : -EBADF;
}

/* A descriptor for f, or an error and f is closed. */
static long install(struct file *f) {
  int fd = fd_install(f);

  if (fd < 0)
    file_close(f);
  return fd;
}

long sys_open(void) {
  struct path path;
  struct file *f;
  int r = path_arg(&path, 0);

  if (r < 0)
    return r;
  f = file_open(cwd_hold(), path.text, argint(1), &r);
  path_free(&path);
  return f ? install(f) : r;
}

long sys_close(void) {
  struct file *f = fd_remove(argint(0));

  if (f == NULL)
    return -EBADF;
  file_close(f);
  return 0;
}

long sys_dup(void) {
  struct file *f = argfile(0);

  return f ? install(file_dup(f)) : -EBADF;
}

long sys_dup2(void) {
  struct file *f = argfile(0), *old = NULL;
  int fd = argint(1), r;

  if (f == NULL)
    return -EBADF;
  if (fd == argint(0))
    return fd;
  r = fd_replace(fd, file_dup(f), &old);
  if (r < 0)
    file_close(f);
  if (old != NULL)
    file_close(old);
  return r;
}

long sys_pipe(void) {
  struct thread *t = mythread();
  struct file *end[2];
  int fd[2] = {-1, -1}, r = pipe_alloc(&end[0], &end[1]);

  if (r < 0)
    return r;
  /* another thread may close them as soon as they are in the table, so that has
   * references of its own; copyout() may wait for long, so the self-check must
   * find ours meanwhile */
  memcpy(t->made, end, sizeof(end));
  for (int i = 0; i < 2 && r == 0; i++) {
    fd[i] = fd_install(file_dup(end[i]));
    if (fd[i] < 0) {
      file_close(end[i]);
      r = fd[i];
    }
  }
  if (r == 0)
    r = copyout(myproc()->space, argaddr(0), fd, sizeof(fd));
  for (int i = 0; i < 2; i++) {
    if (r < 0 && fd[i] >= 0 && fd_take_back(fd[i], end[i]))
      file_close(end[i]);
    t->made[i] = NULL; /* before it is gone, as in fd_release() */
    file_close(end[i]);
  }
  return r;
}

/* Calls that take one path, or two. */
static long with_path(int (*op)(struct inode *cwd, const char *path)) {
  struct path path;
  int r = path_arg(&path, 0);

  if (r < 0)
    return r;
  r = op(cwd_hold(), path.text);
  path_free(&path);
  return r;
}

static long with_paths(int (*op)(struct inode *cwd, const char *from,
                                 const char *to)) {
  struct path from, to;
  int r = path_arg(&from, 0);

  if (r < 0)
    return r;
  r = path_arg(&to, 1);
  if (r == 0) {
    r = op(cwd_hold(), from.text, to.text);
    path_free(&to);
  }
  path_free(&from);
  return r;
}

long sys_mkdir(void) { return with_path(fs_mkdir); }

long sys_unlink(void) { return with_path(fs_unlink); }

long sys_link(void) { return with_paths(fs_link); }

long sys_rename(void) { return with_paths(fs_rename); }

static int mknod(struct inode *cwd, const char *path) {
  return fs_mknod(cwd, path, (short)argint(1), (short)argint(2));
}

long sys_mknod(void) { return with_path(mknod); }

static int chdir(struct inode *cwd, const char *path) {
  int err = 0;
  struct inode *dir = fs_directory(cwd, path, &err);

  if (dir == NULL)
    return err;
  cwd_set(dir);
  return 0;
}

long sys_chdir(void) { return with_path(chdir); }

long sys_getcwd(void) {
  struct proc *p = myproc();
  int n = argint(1), r;
  char *path;

  if (n <= 0)
    return -EINVAL;
  path = kalloc();
  if (path == NULL)
    return -ENOMEM;
  r = fs_getcwd(cwd_hold(), path, MIN(n, PATH_MAX));
  if (r == 0)
    r = copyout(p->space, argaddr(0), path, strlen(path) + 1);
  kfree(path);
  return r;
}

long sys_sync(void) { return fs_sync(); }
