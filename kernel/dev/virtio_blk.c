/*
 * Virtio disks (virtio 1.2, 5.2).
 *
 * A request is a chain of three descriptors: a header that says what to do and
 * where, the data, and a status byte that the device writes. Header and status
 * of a request are in the slot with the request's number. What does not fit
 * into the queue waits in a list. Requests end in the interrupt, in whatever
 * order the device finishes them.
 *
 * A disk that breaks the rules, asks for a reset, or finishes nothing for a
 * long time is given up: all requests end with -EIO, and later ones at once.
 * What is counted are looks, not what the clock says: a virtual machine may stand
 * still for hours, and then its disk has had no more time than its CPUs.
 */
#include "cpu.h"
#include "dev/block.h"
#include "dev/irq.h"
#include "dev/virtio.h"
#include "lib/printf.h"
#include "memlayout.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "sched/timer.h"
#include "sync/spinlock.h"

/* Features (5.2.3). */
#define F_SIZE_MAX (1ULL << 1)
#define F_RO (1ULL << 5)
#define F_BLK_SIZE (1ULL << 6)
#define F_FLUSH (1ULL << 9)

/* Configuration (5.2.4): offsets. */
#define CONFIG_CAPACITY 0 /* 64 bits, sectors of 512 bytes */
#define CONFIG_SIZE_MAX 8
#define CONFIG_BLK_SIZE 20

/* Request types and status (5.2.6). */
#define TYPE_IN 0
#define TYPE_OUT 1
#define TYPE_FLUSH 4
#define STATUS_OK 0
#define STATUS_NONE 0xff /* ours: the device wrote nothing */

#define PIECES 3           /* descriptors of a request: header, data, status */
#define REQUEST_MAX MiB(1) /* bytes of one request */
#define LOOK_NS (5ULL * NSEC_PER_SEC)
#define LOOKS_MAX 12 /* without any request done */

struct slot {
  uint32 type; /* header: these three */
  uint32 reserved;
  uint64 sector;
  uint8 status;
  struct bio *bio;
};
#define HEADER_SIZE offsetof(struct slot, status)
_Static_assert(sizeof(struct slot) * VIRTQ_MAX <= PGSIZE, "slots in a page");

struct disk {
  struct blockdev block;
  struct virtio_dev *dev;
  struct spinlock lock;
  struct virtq queue;        /* [lock] */
  struct slot *slots;        /* [lock] one for each request number */
  struct bio *first_waiting; /* [lock] requests that found no room */
  struct bio **last_waiting; /* [lock] */
  uint under_way;            /* [lock] requests that the device has */
  bool failed;               /* [lock] */
  uint looks;                /* [lock] since a request began to be the only
                                     one, or was done */
  bool watched;              /* [lock] the timer below runs */
  struct timer watchdog;
};

static struct slab_cache disks =
    SLAB_CACHE(disks, "disks", sizeof(struct disk));

/* Give a request to the device. -EAGAIN: the queue is full. */
static int start_locked(struct disk *k, struct bio *b) {
  static const uint32 types[] = {
      [BIO_READ] = TYPE_IN, [BIO_WRITE] = TYPE_OUT, [BIO_FLUSH] = TYPE_FLUSH};
  struct virtq_buf bufs[PIECES];
  struct slot *s;
  int n = 0;

  if (k->queue.nfree < PIECES)
    return -EAGAIN;
  s = &k->slots[virtq_next(&k->queue)];
  *s = (struct slot){.type = types[b->op], .status = STATUS_NONE, .bio = b};
  s->sector = b->op == BIO_FLUSH ? 0 : b->sector;
  bufs[n++] = (struct virtq_buf){s, HEADER_SIZE, false};
  if (b->op != BIO_FLUSH)
    bufs[n++] = (struct virtq_buf){b->data, b->sectors * SECTOR_SIZE,
                                   b->op == BIO_READ};
  bufs[n++] = (struct virtq_buf){&s->status, 1, true};
  virtq_add(&k->queue, bufs, n);
  k->under_way++;
  return 0;
}

/* Give waiting requests to the device, as many as fit. */
static void start_waiting_locked(struct disk *k) {
  bool any = false;
  struct bio *b;

  while ((b = k->first_waiting) != NULL && start_locked(k, b) == 0) {
    k->first_waiting = b->next;
    any = true;
  }
  if (k->first_waiting == NULL)
    k->last_waiting = &k->first_waiting;
  if (any)
    virtq_kick(&k->queue);
}

/* The watchdog is started for the first of a series of requests and stops by
 * itself when it finds none. */
static void watch_locked(struct disk *k) {
  if (k->under_way == 0)
    k->looks = 0;
  if (!k->watched)
    timer_start(&k->watchdog, clock_ns() + LOOK_NS);
  k->watched = true;
}

static void disk_submit(struct blockdev *block, struct bio *b) {
  struct disk *k = block->driver;
  bool now = false;

  b->next = NULL;
  acquire(&k->lock);
  if (k->failed) {
    b->status = -EIO;
    now = true;
  } else if (b->op == BIO_FLUSH && !(k->dev->features & F_FLUSH)) {
    b->status = 0; /* such a disk has no cache (5.2.6.2) */
    now = true;
  } else {
    watch_locked(k);
    *k->last_waiting = b;
    k->last_waiting = &b->next;
    start_waiting_locked(k);
  }
  release(&k->lock);
  if (now)
    b->done(b);
}

static int status_of(const struct slot *s, uint32 len) {
  uint32 expected = 1; /* the status byte */

  if (s->type == TYPE_IN)
    expected += s->bio->sectors * SECTOR_SIZE;
  return s->status == STATUS_OK && len >= expected ? 0 : -EIO;
}

static void fail_locked(struct disk *k, const char *why) {
  if (!k->failed)
    virtio_fail(k->dev, why);
  k->failed = true;
}

/* Move a request to a list of those to finish. */
static void end_locked(struct bio *b, int status, struct bio **done) {
  b->status = status;
  b->next = *done;
  *done = b;
}

/* Collect the requests that the device finished. */
static void collect_locked(struct disk *k, struct bio **done) {
  uint32 len;
  int id;

  while ((id = virtq_take(&k->queue, &len)) >= 0) {
    struct slot *s = &k->slots[id];

    end_locked(s->bio, status_of(s, len), done);
    s->bio = NULL;
    k->under_way--;
    k->looks = 0;
  }
  if (id != -EAGAIN)
    fail_locked(k, "it finished a request that it did not have");
}

/* The disk failed, so that the device has no request any more: collect all. */
static void abandon_locked(struct disk *k, struct bio **done) {
  struct bio *next;

  for (uint i = 0; i < VIRTQ_MAX; i++) {
    if (k->slots[i].bio)
      end_locked(k->slots[i].bio, -EIO, done);
    k->slots[i].bio = NULL;
  }
  for (struct bio *b = k->first_waiting; b; b = next) {
    next = b->next;
    end_locked(b, -EIO, done);
  }
  k->first_waiting = NULL;
  k->under_way = 0;
}

/* Tell who waits, without the lock: done() may submit. */
static void finish(struct bio *b) {
  struct bio *next;

  for (; b; b = next) {
    next = b->next;
    b->done(b);
  }
}

static void disk_interrupt(void *arg) {
  struct disk *k = arg;
  uint isr = k->dev->transport->take_isr(k->dev);
  struct bio *done = NULL;

  acquire(&k->lock);
  if (!k->failed)
    collect_locked(k, &done);
  if (virtio_is_broken(k->dev, isr))
    fail_locked(k, "it asks for a reset");
  if (k->failed)
    abandon_locked(k, &done);
  else
    start_waiting_locked(k);
  release(&k->lock);
  finish(done);
}

static void disk_watchdog(struct timer *t) {
  struct disk *k = container_of(t, struct disk, watchdog);
  struct bio *done = NULL;

  acquire(&k->lock);
  k->watched = false;
  if (k->under_way > 0 && k->looks++ == LOOKS_MAX) {
    fail_locked(k, "it does not answer");
    abandon_locked(k, &done);
  } else if (k->under_way > 0) {
    watch_locked(k);
  }
  release(&k->lock);
  finish(done);
}

static uint32 config(struct virtio_dev *d, uint offset) {
  return d->transport->config(d, offset);
}

/* What the disk is like. 0, or -ENODEV if it is none for us. */
static int configure(struct disk *k) {
  struct virtio_dev *d = k->dev;
  uint max = REQUEST_MAX;

  if (virtio_negotiate(d, F_SIZE_MAX | F_RO | F_BLK_SIZE | F_FLUSH) < 0)
    return -ENODEV;
  if ((d->features & F_BLK_SIZE) && config(d, CONFIG_BLK_SIZE) != SECTOR_SIZE) {
    printf("%s: blocks of %u bytes are not supported\n", d->name,
           config(d, CONFIG_BLK_SIZE));
    return -ENODEV;
  }
  if (d->features & F_SIZE_MAX)
    max = MIN(max, config(d, CONFIG_SIZE_MAX));
  if (max < PGSIZE) {
    printf("%s: requests of %u bytes are too small\n", d->name, max);
    return -ENODEV;
  }
  k->block.sectors =
      config(d, CONFIG_CAPACITY) | (uint64)config(d, CONFIG_CAPACITY + 4) << 32;
  k->block.max_sectors = max / SECTOR_SIZE;
  k->block.readonly = d->features & F_RO;
  return 0;
}

/* The queue and the slots for its requests. */
static int start_queue(struct disk *k) {
  int err = virtq_init(&k->queue, k->dev, 0, PIECES);

  if (err < 0)
    return err;
  k->slots = kalloc_zero(PAGE_KERNEL);
  err = k->slots ? irq_register(k->dev->irq, k->dev->name, disk_interrupt, k)
                 : -ENOMEM;
  if (err < 0) {
    virtq_free(&k->queue);
    if (k->slots)
      kfree(k->slots);
  }
  return err;
}

static int virtio_blk_probe(struct virtio_dev *d) {
  struct disk *k = slab_alloc(&disks);
  int err;

  if (k == NULL)
    return -ENOMEM;
  k->dev = d;
  k->block.name = d->name;
  k->block.submit = disk_submit;
  k->block.driver = k;
  k->last_waiting = &k->first_waiting;
  k->watchdog.fire = disk_watchdog;
  initlock(&k->lock, "virtio_blk");
  err = configure(k);
  if (err == 0)
    err = start_queue(k);
  if (err < 0) {
    slab_free(&disks, k);
    return err;
  }
  virtio_ready(d);
  block_register(&k->block);
  return 0;
}

const struct virtio_driver virtio_blk_driver = {
    .device_id = VIRTIO_ID_BLOCK,
    .probe = virtio_blk_probe,
};
