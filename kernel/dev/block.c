/*
 * Disks by number, and waiting for one request.
 */
#include "dev/block.h"

#include "lib/printf.h"
#include "sched/sleep.h"

#define DISKS_MAX 16

static struct blockdev *disks[DISKS_MAX]; /* set at boot */
static int ndisks;

void block_register(struct blockdev *d) {
  if (ndisks == DISKS_MAX) {
    printf("%s: only %d disks are used\n", d->name, DISKS_MAX);
    return;
  }
  printf("disk %d: %s, %llu KiB%s\n", ndisks, d->name,
         (unsigned long long)d->sectors / (1024 / SECTOR_SIZE),
         d->readonly ? ", read-only" : "");
  disks[ndisks++] = d;
}

struct blockdev *block_device(int n) {
  return n >= 0 && n < ndisks ? disks[n] : NULL;
}

static int check(struct blockdev *d, struct bio *b) {
  if (b->op == BIO_WRITE && d->readonly)
    return -EROFS;
  if (b->op == BIO_FLUSH)
    return 0;
  if (b->sectors == 0 || b->sectors > d->max_sectors ||
      b->sector > d->sectors || b->sectors > d->sectors - b->sector)
    return -EINVAL;
  return 0;
}

void block_submit(struct blockdev *d, struct bio *b) {
  b->status = check(d, b);
  if (b->status < 0)
    b->done(b);
  else
    d->submit(d, b);
}

/* One lock for all that wait: it outlives them, so that a waiter's stack may
 * go as soon as it sees that it is done. */
static struct spinlock wait_lock = SPINLOCK("block_do");

struct waiter {
  struct waitq queue; /* [wait_lock] */
  bool done;          /* [wait_lock] */
};

static void wake_waiter(struct bio *b) {
  struct waiter *w = b->owner;

  acquire(&wait_lock);
  w->done = true;
  wakeup(&w->queue);
  release(&wait_lock);
}

int block_do(struct blockdev *d, struct bio *b) {
  struct waiter w = {.done = false};

  waitq_init(&w.queue, "disk");
  b->owner = &w;
  b->done = wake_waiter;
  block_submit(d, b);
  acquire(&wait_lock);
  while (!w.done)
    sleep(&w.queue, &wait_lock);
  release(&wait_lock);
  return b->status;
}
