/*
 * Virtio devices whose registers are in memory (4.2). Old ("legacy") devices,
 * which report version 1, are named and left alone.
 */
#include "dev/virtio.h"

#include "io.h"
#include "lib/printf.h"
#include "memlayout.h"
#include "mm/kalloc.h"
#include "mm/slab.h"

/* Registers (4.2.2), 32 bits each. */
#define MAGIC 0x000
#define MAGIC_VALUE 0x74726976 /* "virt" */
#define VERSION 0x004
#define VERSION_MODERN 2
#define DEVICE_ID 0x008
#define DEVICE_FEATURES 0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL 0x030
#define QUEUE_NUM_MAX 0x034
#define QUEUE_NUM 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define INTERRUPT_STATUS 0x060
#define INTERRUPT_ACK 0x064
#define STATUS 0x070
#define QUEUE_DESC 0x080   /* addresses: low half, high half */
#define QUEUE_DRIVER 0x090 /* the avail ring */
#define QUEUE_DEVICE 0x0a0 /* the used ring */
#define CONFIG 0x100

static uint32 get(struct virtio_dev *d, uint reg) {
  return io_read32(d->regs + reg);
}

static void set(struct virtio_dev *d, uint reg, uint32 x) {
  io_write32(d->regs + reg, x);
}

static void set_address(struct virtio_dev *d, uint reg, paddr_t pa) {
  set(d, reg, (uint32)pa);
  set(d, reg + 4, (uint64)pa >> 32);
}

static uint64 mmio_features(struct virtio_dev *d) {
  uint64 low;

  set(d, DEVICE_FEATURES_SEL, 0);
  low = get(d, DEVICE_FEATURES);
  set(d, DEVICE_FEATURES_SEL, 1);
  return low | (uint64)get(d, DEVICE_FEATURES) << 32;
}

static void mmio_accept(struct virtio_dev *d, uint64 features) {
  set(d, DRIVER_FEATURES_SEL, 0);
  set(d, DRIVER_FEATURES, (uint32)features);
  set(d, DRIVER_FEATURES_SEL, 1);
  set(d, DRIVER_FEATURES, features >> 32);
}

static uint mmio_get_status(struct virtio_dev *d) { return get(d, STATUS); }

static void mmio_set_status(struct virtio_dev *d, uint status) {
  set(d, STATUS, status);
}

static uint mmio_queue_max(struct virtio_dev *d, uint index) {
  set(d, QUEUE_SEL, index);
  return get(d, QUEUE_READY) ? 0 : get(d, QUEUE_NUM_MAX);
}

static int mmio_queue_start(struct virtio_dev *d, uint index, struct virtq *q) {
  set(d, QUEUE_SEL, index);
  set(d, QUEUE_NUM, q->size);
  set_address(d, QUEUE_DESC, V2P(q->desc));
  set_address(d, QUEUE_DRIVER, V2P(q->avail));
  set_address(d, QUEUE_DEVICE, V2P(q->used));
  set(d, QUEUE_READY, 1);
  return 0;
}

static void mmio_notify(struct virtio_dev *d, uint index) {
  set(d, QUEUE_NOTIFY, index);
}

static uint mmio_take_isr(struct virtio_dev *d) {
  uint isr = get(d, INTERRUPT_STATUS);

  set(d, INTERRUPT_ACK, isr);
  return isr;
}

static uint32 mmio_config(struct virtio_dev *d, uint offset) {
  return get(d, CONFIG + offset);
}

static const struct virtio_transport mmio = {
    .features = mmio_features,
    .accept = mmio_accept,
    .get_status = mmio_get_status,
    .set_status = mmio_set_status,
    .queue_max = mmio_queue_max,
    .queue_start = mmio_queue_start,
    .notify = mmio_notify,
    .take_isr = mmio_take_isr,
    .config = mmio_config,
};

static struct slab_cache devices =
    SLAB_CACHE(devices, "virtio devices", sizeof(struct virtio_dev));

void virtio_mmio_probe(paddr_t slot, uint irq) {
  struct virtio_dev here = {
      .transport = &mmio, .regs = (volatile char *)P2IO(slot), .irq = irq};
  struct virtio_dev *d;

  snprintf(here.name, sizeof(here.name), "virtio@%lx", slot);
  if (get(&here, MAGIC) != MAGIC_VALUE || get(&here, DEVICE_ID) == 0)
    return; /* an empty slot */
  if (get(&here, VERSION) != VERSION_MODERN) {
    printf(
        "%s: version %u of virtio-mmio is not supported (QEMU: -global "
        "virtio-mmio.force-legacy=false)\n",
        here.name, get(&here, VERSION));
    return;
  }
  d = slab_alloc(&devices);
  if (d == NULL) {
    printf("%s: no memory\n", here.name);
    return;
  }
  *d = here;
  virtio_found(d, get(d, DEVICE_ID));
}
