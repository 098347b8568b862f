/*
 * Virtio devices whose registers are in memory (4.2). Old ("legacy") devices,
 * which report version 1, are named and left alone.
 */
#include "dev/virtio.h"

#include "dev/virtio_regs.h"
#include "lib/printf.h"
#include "memlayout.h"
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

static uint64 mmio_features(struct virtio_dev *d) {
  return virtio_get_features(d, DEVICE_FEATURES_SEL, DEVICE_FEATURES);
}

static void mmio_accept(struct virtio_dev *d, uint64 features) {
  virtio_set_features(d, DRIVER_FEATURES_SEL, DRIVER_FEATURES, features);
}

static uint mmio_get_status(struct virtio_dev *d) {
  return virtio_get32(d, STATUS);
}

static void mmio_set_status(struct virtio_dev *d, uint status) {
  virtio_set32(d, STATUS, status);
}

static uint mmio_queue_max(struct virtio_dev *d, uint index) {
  virtio_set32(d, QUEUE_SEL, index);
  return virtio_get32(d, QUEUE_READY) ? 0 : virtio_get32(d, QUEUE_NUM_MAX);
}

static int mmio_queue_start(struct virtio_dev *d, uint index, struct virtq *q) {
  virtio_set32(d, QUEUE_SEL, index);
  virtio_set32(d, QUEUE_NUM, q->size);
  virtio_set_queue(d, q, QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE);
  virtio_set32(d, QUEUE_READY, 1);
  return 0;
}

static void mmio_notify(struct virtio_dev *d, uint index) {
  virtio_set32(d, QUEUE_NOTIFY, index);
}

static uint mmio_take_isr(struct virtio_dev *d) {
  uint isr = virtio_get32(d, INTERRUPT_STATUS);

  virtio_set32(d, INTERRUPT_ACK, isr);
  return isr;
}

static uint32 mmio_config(struct virtio_dev *d, uint offset) {
  return virtio_get32(d, CONFIG + offset);
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
  if (virtio_get32(&here, MAGIC) != MAGIC_VALUE ||
      virtio_get32(&here, DEVICE_ID) == 0)
    return; /* an empty slot */
  if (virtio_get32(&here, VERSION) != VERSION_MODERN) {
    printf(
        "%s: version %u of virtio-mmio is not supported (QEMU: -global "
        "virtio-mmio.force-legacy=false)\n",
        here.name, virtio_get32(&here, VERSION));
    return;
  }
  d = slab_alloc(&devices);
  if (d == NULL) {
    printf("%s: no memory\n", here.name);
    return;
  }
  *d = here;
  virtio_found(d, virtio_get32(d, DEVICE_ID));
}
