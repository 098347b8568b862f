/*
 * The I/O APIC (Intel 82093AA data sheet), messages from PCI devices, and the
 * 8259s of the first PCs, which are turned off.
 *
 * All device interrupts go to CPU 0, for the reasons that the RISC-V machine's
 * PLIC has: enabled on all CPUs, each would wake all idle ones.
 */
#include "acpi.h"
#include "apic.h"
#include "cpu.h"
#include "dev/irq.h"
#include "dev/pci.h"
#include "io.h"
#include "memlayout.h"
#include "sync/spinlock.h"

/* Two registers give access to all (3.1). */
#define SELECT 0x00
#define WINDOW 0x10
#define REG_VERSION 0x01              /* 3.2.2; bits 16 to 23: the last input */
#define REG_INPUT(i) (0x10 + 2 * (i)) /* 3.2.4: low half, high half */

#define INPUT_ACTIVE_LOW 0x2000
#define INPUT_LEVEL 0x8000
#define INPUT_MASKED 0x10000
#define INPUT_CPU_SHIFT 24

/* A message: what is written where (SDM vol. 3A, 11.11). */
#define MSI_ADDRESS 0xfee00000U
#define MSI_CPU_SHIFT 12

/* 8259A data sheet, "Initialization Command Words". */
#define PIC1 0x20 /* command port; data is the next */
#define PIC2 0xa0
#define ICW1_INIT 0x11 /* ICW4 follows */
#define ICW4_8086 0x01
#define PIC2_INPUT 2    /* of the first that the second hangs on */
#define PIC_VECTOR 0xe0 /* what may still come from noise on their lines */

static struct spinlock ioapic_lock = SPINLOCK("ioapic"); /* both registers */
static uint inputs;                                      /* [c] */
static uint next_msi = IRQ_MSI;                          /* [a] */

_Static_assert(T_IRQ0 + IRQ_MAX <= PIC_VECTOR, "vectors overlap");
_Static_assert(PIC_VECTOR + ISA_IRQS <= T_TIMER, "vectors overlap");

static uint32 ioapic_read(uint reg) {
  io_write32(P2IO(acpi.ioapic + SELECT), reg);
  return io_read32(P2IO(acpi.ioapic + WINDOW));
}

static void ioapic_write(uint reg, uint32 x) {
  io_write32(P2IO(acpi.ioapic + SELECT), reg);
  io_write32(P2IO(acpi.ioapic + WINDOW), x);
}

static void silence_pic(uint port, uint vector, uint wiring) {
  outb(port, ICW1_INIT);
  outb(port + 1, vector);
  outb(port + 1, wiring);
  outb(port + 1, ICW4_8086);
  outb(port + 1, 0xff); /* all masked */
}

void ioapic_init(void) {
  silence_pic(PIC1, PIC_VECTOR, 1 << PIC2_INPUT);
  silence_pic(PIC2, PIC_VECTOR + 8, PIC2_INPUT);
  inputs = MIN(((ioapic_read(REG_VERSION) >> 16) & 0xff) + 1, IRQ_MSI);
  for (uint i = 0; i < inputs; i++)
    ioapic_write(REG_INPUT(i), INPUT_MASKED);
}

uint isa_irq(uint isa) { return acpi.isa[isa].gsi; }

/* How an input is driven. ISA lines rise and fall (edges, active high) unless
 * the firmware says otherwise, PCI lines stay low. */
static uint32 input_mode(uint input) {
  for (uint i = 0; i < ISA_IRQS; i++) {
    uint16 flags = acpi.isa[i].flags;

    if (acpi.isa[i].gsi != input)
      continue;
    return ((flags & MPS_POLARITY) == MPS_ACTIVE_LOW ? INPUT_ACTIVE_LOW : 0) |
           ((flags & MPS_TRIGGER) == MPS_LEVEL ? INPUT_LEVEL : 0);
  }
  return INPUT_ACTIVE_LOW | INPUT_LEVEL;
}

void irq_enable(uint irq) {
  if (irq >= inputs)
    return; /* a message: enabled in the device */
  acquire(&ioapic_lock);
  ioapic_write(REG_INPUT(irq) + 1, cpus[0].hwid << INPUT_CPU_SHIFT);
  ioapic_write(REG_INPUT(irq), input_mode(irq) | (T_IRQ0 + irq));
  release(&ioapic_lock);
}

int msi_alloc(uint64 *address, uint32 *data) {
  uint irq = __atomic_fetch_add(&next_msi, 1, __ATOMIC_RELAXED);

  if (irq >= IRQ_MAX) {
    __atomic_store_n(&next_msi, IRQ_MAX, __ATOMIC_RELAXED);
    return -ENOSPC;
  }
  *address = MSI_ADDRESS | cpus[0].hwid << MSI_CPU_SHIFT;
  *data = T_IRQ0 + irq; /* edge, fixed */
  return irq;
}
