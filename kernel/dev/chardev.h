/*
 * Character devices, found by the major number of a device inode. They move
 * whole buffers of kernel memory; fs/ copies to and from the user.
 */
#ifndef DEV_CHARDEV_H
#define DEV_CHARDEV_H

#include "types.h"

#define CHARDEV_MAX 16 /* majors are 0 to CHARDEV_MAX - 1 */
#define CONSOLE 1      /* xv6's major of the console */

struct chardev {
  const char *name;
  /* Read up to n bytes; sleeps until there is at least one. Bytes read, 0 at
   * end of file, or a negative errno. */
  ssize_t (*read)(struct chardev *d, void *buf, size_t n);
  /* Write n bytes; sleeps until all are accepted. Bytes written, or errno. */
  ssize_t (*write)(struct chardev *d, const void *buf, size_t n);
  /* A TTY_* operation (abi/tty.h), or NULL. Result, or a negative errno. */
  int (*ctl)(struct chardev *d, int op, int arg);
};

void chardev_register(int major, struct chardev *d);
/* NULL if no driver has this major. */
struct chardev *chardev_find(int major);

#endif
