/*
 * Virtio devices, version 1.x ("modern"), of any transport. Section numbers are
 * those of "Virtual I/O Device (VIRTIO) Version 1.2".
 *
 * The device is not trusted: what it writes is checked, and if it makes no
 * sense the device is reset and given up; its driver ends what is under way
 * with errors.
 */
#ifndef DEV_VIRTIO_H
#define DEV_VIRTIO_H

#include "types.h"

/* Device status (2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER 2
#define VIRTIO_STATUS_DRIVER_OK 4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED 128

#define VIRTIO_F_VERSION_1 (1ULL << 32) /* feature bit (6) */

#define VIRTIO_ID_BLOCK 2 /* device type (5) */

/* Interrupt status (4.2.2). */
#define VIRTIO_ISR_QUEUE 1
#define VIRTIO_ISR_CONFIG 2

struct virtio_dev;
struct virtq;

/* How a device is reached: MMIO or PCI. */
struct virtio_transport {
  uint64 (*features)(struct virtio_dev *d); /* that it offers */
  void (*accept)(struct virtio_dev *d, uint64 features);
  uint (*get_status)(struct virtio_dev *d);
  void (*set_status)(struct virtio_dev *d, uint status); /* 0: reset */
  uint (*queue_max)(struct virtio_dev *d, uint index);   /* 0: no such queue */
  int (*queue_start)(struct virtio_dev *d, uint index, struct virtq *q);
  void (*notify)(struct virtio_dev *d, uint index);
  uint (*take_isr)(struct virtio_dev *d); /* VIRTIO_ISR_*; acknowledges it */
  uint32 (*config)(struct virtio_dev *d, uint offset); /* 4 bytes */
};

struct virtio_dev {
  const struct virtio_transport *transport;
  volatile char *regs; /* the transport's: its main registers */
  uint irq;
  uint64 features; /* negotiated */
  char name[24];   /* for messages */
};

/* Descriptors of a queue at most. The parts of a queue of this size fit into
 * one page. */
#define VIRTQ_MAX 128

struct virtq_desc;
struct virtq_avail;
struct virtq_used;

/* A split virtqueue (2.7). The owner's lock guards it. */
struct virtq {
  struct virtio_dev *dev;
  uint index; /* of the queue in the device */
  uint size;  /* descriptors, a power of two */
  volatile struct virtq_desc *desc;
  volatile struct virtq_avail *avail;
  volatile struct virtq_used *used;
  uint16 next[VIRTQ_MAX];     /* our copy of the chains, and the free list */
  uint16 free, nfree;         /* first free descriptor, how many */
  uint16 last_used;           /* entries of the used ring that we took */
  uint16 chain[VIRTQ_MAX];    /* descriptors of the request, 0: none */
  uint32 writable[VIRTQ_MAX]; /* bytes the device may write for it */
};

/* A piece of memory of a request. */
struct virtq_buf {
  void *data; /* direct-mapped RAM */
  uint32 len;
  bool writable; /* by the device; those come after the others (2.7.4.2) */
};

/* A driver: called for each device of its type. */
struct virtio_driver {
  uint device_id;
  int (*probe)(struct virtio_dev *d); /* 0 or an error */
};
extern const struct virtio_driver virtio_blk_driver;

/* Look for a device in an MMIO slot and start its driver. */
void virtio_mmio_probe(paddr_t slot, uint irq);

/* A transport found a device: hand it to the driver for its type, if any. */
void virtio_found(struct virtio_dev *d, uint device_id);

/* Reset it and negotiate features: VERSION_1 and what it offers of `wanted`.
 * 0 or -ENODEV. */
int virtio_negotiate(struct virtio_dev *d, uint64 wanted);
/* Set up queue `index` with up to VIRTQ_MAX descriptors, at least `min`. 0,
 * -ENODEV or -ENOMEM. */
int virtq_init(struct virtq *q, struct virtio_dev *d, uint index, uint min);
/* Give its memory back, before virtio_ready(). */
void virtq_free(struct virtq *q);
/* The driver is ready; requests may be made. */
void virtio_ready(struct virtio_dev *d);
/* Give the device up: it is reset and does nothing any more. */
void virtio_fail(struct virtio_dev *d, const char *why);
/* Did the device ask for a reset, in an interrupt of this status? */
bool virtio_is_broken(struct virtio_dev *d, uint isr);

/* The number that the next request will get, if there is room for it. */
static inline uint virtq_next(const struct virtq *q) { return q->free; }
/* Put a request of n pieces into the queue. Its number, below q->size, by
 * which virtq_take() names it; or -EAGAIN: too few descriptors are free. */
int virtq_add(struct virtq *q, const struct virtq_buf *bufs, int n);
/* Tell the device that there are new requests. */
void virtq_kick(struct virtq *q);
/* A request that the device is done with, and how many bytes it says it wrote.
 * -EAGAIN: none; -EIO: what the device says makes no sense. */
int virtq_take(struct virtq *q, uint32 *len);

#endif
