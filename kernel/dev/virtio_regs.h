/*
 * What the registers of a device are like on each transport: the same ones, at
 * other offsets. What takes 64 bits is accessed in halves.
 */
#ifndef DEV_VIRTIO_REGS_H
#define DEV_VIRTIO_REGS_H

#include "dev/virtio.h"
#include "io.h"
#include "memlayout.h"

static inline uint32 virtio_get32(struct virtio_dev *d, uint reg) {
  return io_read32(d->regs + reg);
}

static inline void virtio_set32(struct virtio_dev *d, uint reg, uint32 x) {
  io_write32(d->regs + reg, x);
}

/* Feature bits: `select` says which half is at `reg` (2.2, 4.1.4.3, 4.2.2). */
static inline uint64 virtio_get_features(struct virtio_dev *d, uint select,
                                         uint reg) {
  uint64 low;

  virtio_set32(d, select, 0);
  low = virtio_get32(d, reg);
  virtio_set32(d, select, 1);
  return low | (uint64)virtio_get32(d, reg) << 32;
}

static inline void virtio_set_features(struct virtio_dev *d, uint select,
                                       uint reg, uint64 features) {
  virtio_set32(d, select, 0);
  virtio_set32(d, reg, (uint32)features);
  virtio_set32(d, select, 1);
  virtio_set32(d, reg, features >> 32);
}

static inline void virtio_set_address(struct virtio_dev *d, uint reg,
                                      const volatile void *memory) {
  uint64 pa = V2P(memory);

  virtio_set32(d, reg, (uint32)pa);
  virtio_set32(d, reg + 4, pa >> 32);
}

/* Where the parts of the selected queue are. */
static inline void virtio_set_queue(struct virtio_dev *d, const struct virtq *q,
                                    uint desc, uint avail, uint used) {
  virtio_set_address(d, desc, q->desc);
  virtio_set_address(d, avail, q->avail);
  virtio_set_address(d, used, q->used);
}

#endif
