/*
 * Character devices by major number. Registered at boot, never removed.
 */
#include "dev/chardev.h"

#include "lib/panic.h"

static struct chardev *devices[CHARDEV_MAX]; /* [a] */

void chardev_register(int major, struct chardev *d) {
  if (major < 0 || major >= CHARDEV_MAX || devices[major])
    panic("chardev_register: %s: major %d is taken or too large", d->name,
          major);
  __atomic_store_n(&devices[major], d, __ATOMIC_RELEASE);
}

struct chardev *chardev_find(int major) {
  if (major < 0 || major >= CHARDEV_MAX)
    return NULL;
  return __atomic_load_n(&devices[major], __ATOMIC_ACQUIRE);
}
