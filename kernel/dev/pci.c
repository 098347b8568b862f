/*
 * PCI: configuration space by the two ports of "mechanism 1" (3.2.2.3.2), which
 * every PC has.
 *
 * The firmware has numbered the buses and given each device its addresses; both
 * are used as they are. Bus 0 is where it begins; a bridge names the bus behind
 * it, which has a higher number than its own, so that one pass over the buses
 * in order sees all of them.
 *
 * To learn how much memory a device has, its address must be changed for a
 * moment. So devices are found before other CPUs run, and started later. (QEMU
 * 7.2 crashes when another CPU uses any device at such a moment.)
 *
 * The kernel maps the addresses from DEVICES up (memlayout.h). A device whose
 * registers are elsewhere is reported, and its driver finds them missing.
 */
#include "dev/pci.h"

#include "io.h"
#include "lib/printf.h"
#include "memlayout.h"
#include "sync/spinlock.h"

#define CONFIG_ADDRESS P2IO(0xcf8)
#define CONFIG_DATA P2IO(0xcfc)
#define CONFIG_ENABLE 0x80000000U

#define BUSES 256
#define SLOTS 32
#define FUNCTIONS 8
#define FOUND_MAX 16 /* devices that are used */

/* Configuration space (6.1): the rest of the offsets. */
#define COMMAND 0x04
#define COMMAND_IO 0x1
#define COMMAND_MEMORY 0x2
#define COMMAND_MASTER 0x4
#define STATUS 0x06
#define STATUS_CAPABILITIES 0x10
#define HEADER 0x0e
#define HEADER_BRIDGE 1
#define HEADER_TYPE 0x7f
#define HEADER_FUNCTIONS 0x80 /* more than one */
#define BAR(i) (0x10 + 4 * (i))
#define SECONDARY_BUS 0x19 /* of a bridge (PCI-to-PCI Bridge 1.2, 3.2) */
#define CAPABILITIES 0x34
#define CAPABILITIES_MIN 0x40 /* below is the header */

#define NO_VENDOR 0xffff

/* Base address registers (6.2.5.1). */
#define BAR_IO 1
#define BAR_IO_FLAGS 0x3U
#define BAR_IO_MASK 0xfffcU
#define BAR_MEMORY_TYPE 6
#define BAR_64_BITS 4
#define BAR_MEMORY_FLAGS 0xfU

/* MSI-X (6.8.2): the capability, and an entry of the table. */
#define CAP_MSIX 0x11
#define MSIX_CONTROL 2
#define MSIX_LAST 0x7ff  /* number of the last entry */
#define MSIX_MASK 0x4000 /* all of them */
#define MSIX_ENABLE 0x8000
#define MSIX_TABLE 4
#define MSIX_TABLE_BAR 7
#define ENTRY_SIZE 16
#define ENTRY_ADDRESS 0 /* low half, high half */
#define ENTRY_DATA 8
#define ENTRY_CONTROL 12 /* bit 0: masked */

static struct spinlock pci_lock = SPINLOCK("pci"); /* the two ports */

static const struct pci_driver *const drivers[] = {
    &virtio_pci_driver,
};

static struct pci_dev found[FOUND_MAX]; /* [c] that drivers want */
static uint nfound;                     /* [c] */

static void select(const struct pci_dev *d, uint offset) {
  io_write32(CONFIG_ADDRESS, CONFIG_ENABLE | (uint)d->bus << 16 |
                                 (uint)d->slot << 11 | (uint)d->function << 8 |
                                 (offset & ~3U));
}

uint32 pci_read32(const struct pci_dev *d, uint offset) {
  uint32 x;

  acquire(&pci_lock);
  select(d, offset);
  x = io_read32(CONFIG_DATA);
  release(&pci_lock);
  return x;
}

uint16 pci_read16(const struct pci_dev *d, uint offset) {
  return pci_read32(d, offset) >> 8 * (offset & 2);
}

uint8 pci_read8(const struct pci_dev *d, uint offset) {
  return pci_read32(d, offset) >> 8 * (offset & 3);
}

static void write32(const struct pci_dev *d, uint offset, uint32 x) {
  acquire(&pci_lock);
  select(d, offset);
  io_write32(CONFIG_DATA, x);
  release(&pci_lock);
}

static void write16(const struct pci_dev *d, uint offset, uint16 x) {
  acquire(&pci_lock);
  select(d, offset);
  io_write16((volatile char *)CONFIG_DATA + (offset & 2), x);
  release(&pci_lock);
}

/* --- capabilities (6.7) --- */

static uint next_capability(const struct pci_dev *d, uint link) {
  uint at = pci_read8(d, link) & ~3U;

  return at >= CAPABILITIES_MIN ? at : 0;
}

uint pci_capability(const struct pci_dev *d, uint8 kind, uint after) {
  uint at;

  if (!(pci_read16(d, STATUS) & STATUS_CAPABILITIES))
    return 0;
  at = next_capability(d, after ? after + 1 : CAPABILITIES);
  /* As many as there is room for: the list of a bad device may be a ring. */
  for (int n = 0; at && n < PCI_SPACE / 4; n++) {
    if (pci_read8(d, at) == kind)
      return at;
    at = next_capability(d, at + 1);
  }
  return 0;
}

/* --- registers --- */

/* Which bits of a BAR can be set? Those below its size cannot. */
static uint32 writable_bits(const struct pci_dev *d, uint offset) {
  uint32 old = pci_read32(d, offset), bits;

  write32(d, offset, ~0U);
  bits = pci_read32(d, offset);
  write32(d, offset, old);
  return bits;
}

static void find_ports(struct pci_dev *d, uint i) {
  struct pci_bar *b = &d->bars[i];

  b->base = pci_read32(d, BAR(i)) & BAR_IO_MASK;
  b->size = -(writable_bits(d, BAR(i)) & ~BAR_IO_FLAGS) & 0xffff;
  if (b->base == 0 || b->base + b->size > BAR_IO_MASK)
    b->size = 0;
}

static void find_memory(struct pci_dev *d, uint i, bool wide) {
  struct pci_bar *b = &d->bars[i];
  uint32 high = wide ? pci_read32(d, BAR(i + 1)) : 0;

  b->base = pci_read32(d, BAR(i)) & ~BAR_MEMORY_FLAGS;
  b->size = -(writable_bits(d, BAR(i)) & ~BAR_MEMORY_FLAGS);
  if (b->size == 0 || (b->base == 0 && high == 0))
    b->size = 0; /* not there, or the firmware left it out */
  else if (high > 0 || b->base < DEVICES || b->base >= APICS ||
           b->size > APICS - b->base) {
    printf("%s: registers at 0x%llx are out of the kernel's reach\n", d->name,
           (unsigned long long)high << 32 | b->base);
    b->size = 0;
  }
}

/* Look at the BARs, while the device does not answer at any of them. */
static void find_bars(struct pci_dev *d) {
  uint16 command = pci_read16(d, COMMAND);

  write16(d, COMMAND, command & ~(COMMAND_IO | COMMAND_MEMORY));
  for (uint i = 0; i < PCI_BARS; i++) {
    uint32 bar = pci_read32(d, BAR(i));
    bool wide = !(bar & BAR_IO) && (bar & BAR_MEMORY_TYPE) == BAR_64_BITS &&
                i + 1 < PCI_BARS;

    if (bar & BAR_IO)
      find_ports(d, i);
    else
      find_memory(d, i, wide);
    i += wide; /* the next holds the upper half */
  }
  write16(d, COMMAND, command | COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
}

volatile void *pci_registers(const struct pci_dev *d, uint bar, uint32 offset,
                             uint32 size) {
  paddr_t room = bar < PCI_BARS ? d->bars[bar].size : 0;

  if (size == 0 || offset > room || size > room - offset)
    return NULL;
  return P2IO(d->bars[bar].base + offset);
}

/* --- interrupts --- */

int pci_messages_enable(struct pci_dev *d, uint n) {
  uint at = pci_capability(d, CAP_MSIX, 0);
  uint16 control;
  uint32 table;

  if (at == 0 || at + MSIX_TABLE + 4 > PCI_SPACE)
    return -ENODEV;
  control = pci_read16(d, at + MSIX_CONTROL);
  table = pci_read32(d, at + MSIX_TABLE);
  d->vectors = pci_registers(d, table & MSIX_TABLE_BAR, table & ~MSIX_TABLE_BAR,
                             n * ENTRY_SIZE);
  if ((control & MSIX_LAST) + 1U < n || d->vectors == NULL)
    return -ENODEV;
  write16(d, at + MSIX_CONTROL, (control | MSIX_ENABLE) & ~MSIX_MASK);
  return 0;
}

int pci_message_irq(struct pci_dev *d, uint i) {
  volatile char *entry = (volatile char *)d->vectors + i * ENTRY_SIZE;
  uint64 address;
  uint32 data;
  int irq = msi_alloc(&address, &data);

  if (irq < 0)
    return irq;
  io_write32(entry + ENTRY_ADDRESS, (uint32)address);
  io_write32(entry + ENTRY_ADDRESS + 4, address >> 32);
  io_write32(entry + ENTRY_DATA, data);
  io_write32(entry + ENTRY_CONTROL, 0);
  return irq;
}

/* --- finding devices --- */

static const struct pci_driver *driver_for(const struct pci_dev *d) {
  for (size_t i = 0; i < NELEM(drivers); i++) {
    const struct pci_driver *r = drivers[i];

    if (d->vendor == r->vendor && d->device >= r->first && d->device <= r->last)
      return r;
  }
  return NULL;
}

/* Keep what a driver wants. */
static void keep(struct pci_dev *d) {
  if (driver_for(d) == NULL)
    return;
  if (nfound == NELEM(found)) {
    printf("%s: only %u devices are used\n", d->name, nfound);
    return;
  }
  find_bars(d);
  found[nfound++] = *d;
}

/* One function of a device, if it is there; bits in `buses` for those behind
 * it. */
static void look_at(struct pci_dev *d, bool *buses) {
  uint8 behind;

  d->vendor = pci_read16(d, PCI_VENDOR);
  if (d->vendor == NO_VENDOR)
    return;
  d->device = pci_read16(d, PCI_DEVICE);
  snprintf(d->name, sizeof(d->name), "pci@%02x:%02x.%x", d->bus, d->slot,
           d->function);
  if ((pci_read8(d, HEADER) & HEADER_TYPE) == HEADER_BRIDGE) {
    behind = pci_read8(d, SECONDARY_BUS);
    if (behind > d->bus)
      buses[behind] = true;
  } else {
    keep(d);
  }
}

/* A device has function 0, and says there whether it has others. */
static void look_at_slot(uint bus, uint slot, bool *buses) {
  struct pci_dev first = {.bus = bus, .slot = slot};
  uint functions = 1;

  if (pci_read16(&first, PCI_VENDOR) == NO_VENDOR)
    return;
  if (pci_read8(&first, HEADER) & HEADER_FUNCTIONS)
    functions = FUNCTIONS;
  for (uint f = 0; f < functions; f++) {
    struct pci_dev d = {.bus = bus, .slot = slot, .function = f};

    look_at(&d, buses);
  }
}

void pci_find(void) {
  bool buses[BUSES] = {true};

  for (uint bus = 0; bus < BUSES; bus++)
    for (uint slot = 0; buses[bus] && slot < SLOTS; slot++)
      look_at_slot(bus, slot, buses);
}

void pci_start(void) {
  for (uint i = 0; i < nfound; i++)
    driver_for(&found[i])->probe(&found[i]);
}
