/*
 * Virtio: finding the driver, negotiation, and the split virtqueue.
 *
 * A queue is three arrays in memory that is shared with the device (2.7):
 *
 *   descriptors   pieces of memory, chained by index: a request
 *   avail ring    heads of chains that we offer; only we write it
 *   used ring     heads of chains that are done; only the device writes it
 *
 * Chains and lengths are kept in private arrays too. Nothing is read back from
 * the shared ones but the used ring, and an entry there is believed only if it
 * names a request that is under way and a length that the request allows.
 */
#include "dev/virtio.h"

#include "lib/printf.h"
#include "memlayout.h"
#include "mm/kalloc.h"

struct virtq_desc { /* 2.7.5 */
  uint64 addr;
  uint32 len;
  uint16 flags;
  uint16 next;
};
#define DESC_NEXT 1
#define DESC_WRITE 2 /* the device writes it */

struct virtq_avail { /* 2.7.6 */
  uint16 flags;
  uint16 idx;
  uint16 ring[VIRTQ_MAX];
  uint16 used_event;
};

struct virtq_used { /* 2.7.8 */
  uint16 flags;
  uint16 idx;
  struct {
    uint32 id;
    uint32 len;
  } ring[VIRTQ_MAX];
  uint16 avail_event;
};
#define USED_NO_NOTIFY 1

/* The three in one page. */
struct rings {
  struct virtq_desc desc[VIRTQ_MAX];
  struct virtq_avail avail;
  struct virtq_used used __attribute__((aligned(4)));
};
_Static_assert(sizeof(struct rings) <= PGSIZE, "a queue fills one page");

static const struct virtio_driver *const drivers[] = {
    &virtio_blk_driver,
};

void virtio_found(struct virtio_dev *d, uint device_id) {
  for (size_t i = 0; i < NELEM(drivers); i++) {
    if (drivers[i]->device_id != device_id)
      continue;
    if (drivers[i]->probe(d) < 0)
      virtio_fail(d, "it cannot be started");
  }
}

static void add_status(struct virtio_dev *d, uint bits) {
  d->transport->set_status(d, d->transport->get_status(d) | bits);
}

/* The order of steps is that of 3.1.1. */
int virtio_negotiate(struct virtio_dev *d, uint64 wanted) {
  uint64 offered;

  d->transport->set_status(d, 0);
  add_status(d, VIRTIO_STATUS_ACKNOWLEDGE);
  add_status(d, VIRTIO_STATUS_DRIVER);
  offered = d->transport->features(d);
  d->features = offered & (wanted | VIRTIO_F_VERSION_1);
  d->transport->accept(d, d->features);
  add_status(d, VIRTIO_STATUS_FEATURES_OK);
  if ((d->features & VIRTIO_F_VERSION_1) &&
      (d->transport->get_status(d) & VIRTIO_STATUS_FEATURES_OK))
    return 0;
  printf("%s: does not agree on features (offers 0x%llx)\n", d->name,
         (unsigned long long)offered);
  return -ENODEV;
}

void virtio_ready(struct virtio_dev *d) {
  add_status(d, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio_dev *d, const char *why) {
  printf("%s: %s; the device is given up\n", d->name, why);
  d->transport->set_status(d, 0);
  add_status(d, VIRTIO_STATUS_FAILED);
}

bool virtio_is_broken(struct virtio_dev *d, uint isr) {
  return (isr & VIRTIO_ISR_CONFIG) &&
         (d->transport->get_status(d) & VIRTIO_STATUS_NEEDS_RESET);
}

int virtq_init(struct virtq *q, struct virtio_dev *d, uint index, uint min) {
  uint max = d->transport->queue_max(d, index);
  struct rings *r;
  int err;

  *q = (struct virtq){.dev = d, .index = index, .size = VIRTQ_MAX};
  while (q->size > max)
    q->size /= 2;
  if (q->size < min) {
    printf("%s: queue %u takes %u pieces, not %u\n", d->name, index, q->size,
           min);
    return -ENODEV;
  }
  r = kalloc_zero(PAGE_KERNEL);
  if (r == NULL)
    return -ENOMEM;
  q->desc = r->desc;
  q->avail = &r->avail;
  q->used = &r->used;
  q->nfree = q->size;
  for (uint i = 0; i < q->size; i++)
    q->next[i] = i + 1;
  err = d->transport->queue_start(d, index, q);
  if (err < 0)
    virtq_free(q);
  return err;
}

void virtq_free(struct virtq *q) { kfree((void *)q->desc); }

int virtq_add(struct virtq *q, const struct virtq_buf *bufs, int n) {
  uint16 head = q->free, at = head;

  if (n > q->nfree)
    return -EAGAIN;
  q->chain[head] = n;
  q->writable[head] = 0;
  for (int i = 0; i < n; i++, at = q->next[at]) {
    q->desc[at].addr = V2P(bufs[i].data);
    q->desc[at].len = bufs[i].len;
    q->desc[at].next = q->next[at];
    q->desc[at].flags =
        (i + 1 < n ? DESC_NEXT : 0) | (bufs[i].writable ? DESC_WRITE : 0);
    q->writable[head] += bufs[i].writable ? bufs[i].len : 0;
  }
  q->free = at;
  q->nfree -= n;
  q->avail->ring[q->avail->idx % q->size] = head;
  /* The device sees the entry before the index (2.7.13.2). */
  __atomic_thread_fence(__ATOMIC_RELEASE);
  q->avail->idx++;
  return head;
}

void virtq_kick(struct virtq *q) {
  /* The index is visible before the flag is looked at (2.7.13.4.1). */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!(q->used->flags & USED_NO_NOTIFY))
    q->dev->transport->notify(q->dev, q->index);
}

/* Put a chain back into the free list. */
static void free_chain(struct virtq *q, uint16 head) {
  uint16 last = head;

  for (int i = 1; i < q->chain[head]; i++)
    last = q->next[last];
  q->next[last] = q->free;
  q->free = head;
  q->nfree += q->chain[head];
  q->chain[head] = 0;
}

int virtq_take(struct virtq *q, uint32 *len) {
  uint32 id;

  if (q->used->idx == q->last_used)
    return -EAGAIN;
  /* The index is read before the entry (2.7.14). */
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  id = q->used->ring[q->last_used % q->size].id;
  *len = q->used->ring[q->last_used % q->size].len;
  if (id >= q->size || q->chain[id] == 0 || *len > q->writable[id])
    return -EIO;
  q->last_used++;
  free_chain(q, id);
  return id;
}
