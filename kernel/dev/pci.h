/*
 * PCI devices of a PC: finding them, their registers, and their interrupts.
 * Section numbers are those of "PCI Local Bus Specification 3.0".
 *
 * A device is not trusted: what its configuration space says is checked before
 * it is used.
 */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include "types.h"

#define PCI_BARS 6 /* base address registers of a device */

/* Configuration space (6.1): its size, offsets. */
#define PCI_SPACE 256
#define PCI_VENDOR 0x00
#define PCI_DEVICE 0x02
#define PCI_SUBSYSTEM 0x2e

#define PCI_CAP_VENDOR 0x09 /* capability: the vendor's own */

/* A stretch of addresses that the device answers at. */
struct pci_bar {
  paddr_t base;
  paddr_t size; /* 0: none that the kernel can reach */
};

struct pci_dev {
  uint8 bus, slot, function;
  uint16 vendor, device;
  char name[16];                 /* for messages: bus:slot.function */
  struct pci_bar bars[PCI_BARS]; /* of a device that a driver wants */
  volatile void *vectors;        /* MSI-X table, once enabled */
};

/* A driver: called for each device of its vendor in a range of numbers. */
struct pci_driver {
  uint16 vendor, first, last;
  int (*probe)(struct pci_dev *d); /* 0 or an error */
};
extern const struct pci_driver virtio_pci_driver;

/* Find the devices that there are drivers for. While this is done they do not
 * answer now and then: on the boot CPU, before the others run. */
void pci_find(void);
/* Start their drivers. */
void pci_start(void);

/* Configuration space: offsets aligned to the size, below 256. */
uint8 pci_read8(const struct pci_dev *d, uint offset);
uint16 pci_read16(const struct pci_dev *d, uint offset);
uint32 pci_read32(const struct pci_dev *d, uint offset);

/* The offset of the next capability of this kind after one, or the first after
 * 0. 0: there is none. At least 4 bytes of it are in the space. A bad device's
 * list may be a ring: count. */
uint pci_capability(const struct pci_dev *d, uint8 kind, uint after);

/* Registers of the device: `size` bytes at an offset in what a BAR covers. NULL
 * if they are not all there, or out of reach. */
volatile void *pci_registers(const struct pci_dev *d, uint bar, uint32 offset,
                             uint32 size);

/* Interrupts by messages (MSI-X). The first turns them on; the device must have
 * at least n. 0 or -ENODEV. The second gives the i-th a number of irq.h, or a
 * negative errno. */
int pci_messages_enable(struct pci_dev *d, uint n);
int pci_message_irq(struct pci_dev *d, uint i);

/* The machine's part: a new interrupt number, sent by writing data to the
 * address. -ENOSPC: all are in use. */
int msi_alloc(uint64 *address, uint32 *data);

#endif
