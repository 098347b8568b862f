/*
 * Virtio devices on PCI (4.1), by the "modern" interface: structures somewhere
 * in the device's BARs, which capabilities point to.
 *
 * Two interrupts, both messages: one for the queue, which so needs no look at
 * the device, and one for changes of the configuration, which is passed on to
 * the driver as one of the queue with VIRTIO_ISR_CONFIG set.
 */
#include "dev/irq.h"
#include "dev/pci.h"
#include "dev/virtio.h"
#include "dev/virtio_regs.h"
#include "io.h"
#include "lib/printf.h"
#include "mm/slab.h"

#define VENDOR 0x1af4 /* 4.1.2 */
#define TRANSITIONAL_FIRST 0x1000
#define MODERN_FIRST 0x1040 /* and the device type */
#define LAST 0x107f

/* The capability (4.1.4): offsets in it. */
#define CAP_TYPE 3
#define CAP_BAR 4
#define CAP_REGS_OFFSET 8
#define CAP_REGS_LENGTH 12
#define CAP_NOTIFY_STEP 16
#define CAP_END 20
#define CAPABILITIES_MAX 16 /* that are looked at */

/* Its types. */
#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_DEVICE 4

/* The common structure (4.1.4.3): offsets. */
#define OFFERED_SELECT 0x00
#define OFFERED 0x04
#define ACCEPTED_SELECT 0x08
#define ACCEPTED 0x0c
#define CONFIG_VECTOR 0x10 /* 16 bits */
#define STATUS 0x14        /* 8 bits */
#define QUEUE_SELECT 0x16  /* the rest 16 bits, */
#define QUEUE_SIZE 0x18
#define QUEUE_VECTOR 0x1a
#define QUEUE_ENABLE 0x1c
#define QUEUE_NOTIFY 0x1e
#define QUEUE_DESC 0x20   /* and addresses: low half, high half */
#define QUEUE_DRIVER 0x28 /* the avail ring */
#define QUEUE_DEVICE 0x30 /* the used ring */
#define COMMON_SIZE 0x38

/* Entries of the MSI-X table. */
enum { VECTOR_CONFIG, VECTOR_QUEUE, VECTORS };

#define QUEUES 1            /* that a device may use here */
#define RESET_POLLS 1000000 /* of the status, until a reset must be over */

/* Registers that a capability points to. */
struct part {
  volatile char *regs; /* NULL: there are none */
  uint32 size;
};

struct virtio_pci {
  struct virtio_dev dev; /* its regs: the common structure */
  struct part notify, config;
  uint32 notify_step;              /* between what queues are notified at */
  volatile void *doorbell[QUEUES]; /* where they are */
  bool changed;                    /* [a] the configuration, or the status */
};

static struct slab_cache devices =
    SLAB_CACHE(devices, "virtio devices", sizeof(struct virtio_pci));

static struct virtio_pci *pci_of(struct virtio_dev *d) {
  return container_of(d, struct virtio_pci, dev);
}

static uint get16(struct virtio_dev *d, uint reg) {
  return io_read16(d->regs + reg);
}

static void set16(struct virtio_dev *d, uint reg, uint x) {
  io_write16(d->regs + reg, x);
}

/* Vectors do not survive a reset, and a device that has no room for one says
 * so (4.1.5.1.2). */
static bool set_vector(struct virtio_dev *d, uint reg, uint vector) {
  set16(d, reg, vector);
  return get16(d, reg) == vector;
}

static uint64 vpci_features(struct virtio_dev *d) {
  return virtio_get_features(d, OFFERED_SELECT, OFFERED);
}

static void vpci_accept(struct virtio_dev *d, uint64 features) {
  virtio_set_features(d, ACCEPTED_SELECT, ACCEPTED, features);
}

static uint vpci_get_status(struct virtio_dev *d) {
  return io_read8(d->regs + STATUS);
}

/* A reset is over when the status reads 0 (4.1.4.3.2). */
static void vpci_set_status(struct virtio_dev *d, uint status) {
  io_write8(d->regs + STATUS, status);
  for (uint i = 0; status == 0 && i < RESET_POLLS; i++)
    if (vpci_get_status(d) == 0)
      return;
}

static uint vpci_queue_max(struct virtio_dev *d, uint index) {
  if (index >= QUEUES)
    return 0;
  set16(d, QUEUE_SELECT, index);
  return get16(d, QUEUE_ENABLE) ? 0 : get16(d, QUEUE_SIZE);
}

/* Where the selected queue is notified (4.1.4.4), or NULL. */
static volatile void *find_doorbell(struct virtio_pci *v) {
  uint64 at = (uint64)get16(&v->dev, QUEUE_NOTIFY) * v->notify_step;

  if (at + sizeof(uint16) > v->notify.size)
    return NULL;
  return v->notify.regs + at;
}

static int vpci_queue_start(struct virtio_dev *d, uint index, struct virtq *q) {
  struct virtio_pci *v = pci_of(d);

  set16(d, QUEUE_SELECT, index);
  v->doorbell[index] = find_doorbell(v);
  if (v->doorbell[index] == NULL ||
      !set_vector(d, CONFIG_VECTOR, VECTOR_CONFIG) ||
      !set_vector(d, QUEUE_VECTOR, VECTOR_QUEUE))
    return -ENODEV;
  set16(d, QUEUE_SIZE, q->size);
  virtio_set_queue(d, q, QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE);
  set16(d, QUEUE_ENABLE, 1);
  return 0;
}

static void vpci_notify(struct virtio_dev *d, uint index) {
  io_write16(pci_of(d)->doorbell[index], index);
}

static uint vpci_take_isr(struct virtio_dev *d) {
  bool *changed = &pci_of(d)->changed;

  if (__atomic_load_n(changed, __ATOMIC_RELAXED) &&
      __atomic_exchange_n(changed, false, __ATOMIC_ACQ_REL))
    return VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG;
  return VIRTIO_ISR_QUEUE;
}

static void config_interrupt(void *arg) {
  struct virtio_pci *v = arg;

  __atomic_store_n(&v->changed, true, __ATOMIC_RELEASE);
  irq_dispatch(v->dev.irq);
}

/* What a device leaves out of its structure reads as 0. */
static uint32 vpci_config(struct virtio_dev *d, uint offset) {
  const struct part *p = &pci_of(d)->config;

  if (p->size < sizeof(uint32) || offset > p->size - sizeof(uint32))
    return 0;
  return io_read32(p->regs + offset);
}

static const struct virtio_transport vpci = {
    .features = vpci_features,
    .accept = vpci_accept,
    .get_status = vpci_get_status,
    .set_status = vpci_set_status,
    .queue_max = vpci_queue_max,
    .queue_start = vpci_queue_start,
    .notify = vpci_notify,
    .take_isr = vpci_take_isr,
    .config = vpci_config,
};

/* The first capability of a type that makes sense (4.1.4.1). Its offset, or 0;
 * what it points to is put into *p. *any: is there one at all, in reach or not?
 */
static uint find_part(struct pci_dev *d, uint type, struct part *p, bool *any) {
  uint at = 0;

  for (int n = 0; n < CAPABILITIES_MAX; n++) {
    at = pci_capability(d, PCI_CAP_VENDOR, at);
    if (at == 0)
      break;
    if (at + CAP_END > PCI_SPACE || pci_read8(d, at + CAP_TYPE) != type)
      continue;
    *any = true;
    p->size = pci_read32(d, at + CAP_REGS_LENGTH);
    p->regs = pci_registers(d, pci_read8(d, at + CAP_BAR),
                            pci_read32(d, at + CAP_REGS_OFFSET), p->size);
    if (p->regs)
      return at;
  }
  *p = (struct part){0};
  return 0;
}

/* All parts of the device, or -ENODEV and a message. Who has none at all has
 * the old interface only; others are out of reach, or make no sense. */
static int find_parts(struct pci_dev *d, struct virtio_pci *v) {
  struct part common;
  bool modern = false;
  uint notify;

  find_part(d, TYPE_COMMON, &common, &modern);
  notify = find_part(d, TYPE_NOTIFY, &v->notify, &modern);
  find_part(d, TYPE_DEVICE, &v->config, &modern);
  if (common.size < COMMON_SIZE || notify == 0) {
    printf("%s: no modern registers%s; not used\n", v->dev.name,
           modern ? " in reach" : " (QEMU: disable-modern=off)");
    return -ENODEV;
  }
  v->dev.regs = common.regs;
  v->notify_step = pci_read32(d, notify + CAP_NOTIFY_STEP);
  return 0;
}

static int start_interrupts(struct pci_dev *d, struct virtio_pci *v) {
  int irq, config_irq;

  if (pci_messages_enable(d, VECTORS) < 0) {
    printf("%s: it has no MSI-X interrupts; not used\n", v->dev.name);
    return -ENODEV;
  }
  irq = pci_message_irq(d, VECTOR_QUEUE);
  config_irq = pci_message_irq(d, VECTOR_CONFIG);
  if (irq < 0 || config_irq < 0) {
    printf("%s: too many interrupts; not used\n", v->dev.name);
    return -ENOSPC;
  }
  v->dev.irq = irq;
  return irq_register(config_irq, v->dev.name, config_interrupt, v);
}

/* 4.1.2.1 */
static uint device_type(const struct pci_dev *d) {
  return d->device >= MODERN_FIRST ? d->device - MODERN_FIRST
                                   : pci_read16(d, PCI_SUBSYSTEM);
}

static int virtio_pci_probe(struct pci_dev *d) {
  struct virtio_pci *v = slab_alloc(&devices);
  int err;

  if (v == NULL)
    return -ENOMEM;
  v->dev.transport = &vpci;
  snprintf(v->dev.name, sizeof(v->dev.name), "virtio-%s", d->name);
  err = find_parts(d, v);
  if (err == 0)
    err = start_interrupts(d, v);
  if (err < 0)
    slab_free(&devices, v);
  else
    virtio_found(&v->dev, device_type(d));
  return err;
}

const struct pci_driver virtio_pci_driver = {
    .vendor = VENDOR,
    .first = TRANSITIONAL_FIRST,
    .last = LAST,
    .probe = virtio_pci_probe,
};
