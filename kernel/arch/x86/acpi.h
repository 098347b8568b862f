/*
 * What the firmware's ACPI tables say of the machine (ACPI specification 6.4,
 * chapter 5), as far as this kernel uses it.
 */
#ifndef ACPI_H
#define ACPI_H

#include "param.h"
#include "types.h"

#define ISA_IRQS 16 /* interrupt lines of the old bus */

/* Flags of an interrupt line (table 5.26, "MPS INTI flags"): 0 in a field is
 * what the bus is used to. */
#define MPS_POLARITY 0x3
#define MPS_ACTIVE_LOW 0x3
#define MPS_TRIGGER 0xc
#define MPS_LEVEL 0xc

/* Where an ISA interrupt arrives. */
struct isa_line {
  uint gsi;     /* input of the I/O APIC */
  uint16 flags; /* MPS_* */
};

struct acpi {
  int ncpu;           /* CPUs that can be used, 1 to NCPU */
  int unused;         /* CPUs beyond those */
  uint apic_id[NCPU]; /* of the first ncpu; the one that runs is the first */
  paddr_t ioapic;     /* the I/O APIC that has input 0 */
  struct isa_line isa[ISA_IRQS];

  /* I/O ports, 0: there is none */
  uint16 smi_command, pm1a, pm1b;
  uint8 acpi_enable;      /* to smi_command: hand power control to us */
  uint8 sleep_a, sleep_b; /* what \_S5_ says to write to pm1a, pm1b */
  bool has_s5;            /* ... if it was found */
  uint16 reset_port;
  uint8 reset_value;
};

/* Valid once acpi_init() has run, constant from then on. */
extern struct acpi acpi;

/* Read the tables. `map` makes n bytes of physical memory readable until it is
 * called again, or returns NULL. Without tables, or where they make no sense,
 * the defaults of a PC with one CPU remain, and a message says so. */
void acpi_init(const void *(*map)(paddr_t pa, size_t n));

#endif
