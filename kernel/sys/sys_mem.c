/*
 * System calls about memory. What they mean is in vm/map.h.
 */
#include "abi/system.h"
#include "fs/file.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "vm/map.h"

long sys_sbrk(void) {
  vaddr_t old;
  int r = space_sbrk(myproc()->space, argint(0), argint(1) != SBRK_LAZY, &old);

  return r < 0 ? r : (long)old;
}

/* The object of an open file, for a mapping of it. */
static int map_file(struct mapping *m, int fd, long offset) {
  struct file *f = fd_hold(fd);

  if (offset % PGSIZE)
    return -EINVAL;
  if (offset < 0)
    return -EOVERFLOW;
  if (f == NULL)
    return -EBADF;
  m->first = offset / PGSIZE;
  return file_object(f, m->rights, m->flags & MAP_SHARED, &m->object,
                     &m->allowed);
}

long sys_mmap(void) {
  struct mapping m = {.at = argaddr(0),
                      .size = argaddr(1),
                      .rights = argint(2),
                      .allowed = PROT_ALL,
                      .flags = argint(3)};
  struct memobject *o;
  int r = 0;

  if (!(m.flags & MAP_ANONYMOUS))
    r = map_file(&m, argint(4), arglong(5));
  if (r < 0)
    return r;
  o = m.object;
  r = space_map(myproc()->space, &m);
  if (o != NULL)
    o->ops->put(o);
  return r < 0 ? r : (long)m.at;
}

long sys_munmap(void) {
  return space_unmap(myproc()->space, argaddr(0), argaddr(1));
}

long sys_mprotect(void) {
  return space_protect(myproc()->space, argaddr(0), argaddr(1), argint(2));
}

long sys_msync(void) {
  return space_sync(myproc()->space, argaddr(0), argaddr(1), argint(2));
}

long sys_madvise(void) {
  return space_advise(myproc()->space, argaddr(0), argaddr(1), argint(2));
}
