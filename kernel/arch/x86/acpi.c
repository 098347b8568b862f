/*
 * Reading the ACPI tables. Each is found from the one before:
 *
 *   RSDP  in the BIOS's memory, known by its signature
 *     -> RSDT or XSDT, a list of addresses
 *          -> MADT  CPUs and interrupt controllers
 *          -> FADT  ports for power and reset
 *               -> DSDT  byte code; only the name \_S5_ is looked for in it
 *          -> SSDT  more byte code
 *
 * Nothing is believed: a table counts only if its length and checksum are right,
 * and each entry is looked at only as far as it lies within its table. What it
 * says is used only if it can be: a CPU that is listed once and has a number of
 * its own, an I/O APIC where there may be one, an interrupt at an input. For the
 * rest there is a message and what PCs have in common. Section
 * and table numbers are those of the ACPI specification 6.4.
 */
#include "acpi.h"

#include "apic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memlayout.h"

struct acpi acpi;

/* 5.2.5.3 */
struct rsdp {
  char signature[8];
  uint8 checksum; /* of the bytes up to and with rsdt */
  char oem[6];
  uint8 revision;
  uint32 rsdt;
  /* from revision 2 on */
  uint32 length;
  uint64 xsdt;
  uint8 checksum2; /* of all */
  uint8 reserved[3];
} __attribute__((packed));

#define RSDP_V1_SIZE offsetof(struct rsdp, length)
#define RSDP_ALIGN 16

/* Where the RSDP may be (5.2.5.1). */
#define EBDA_POINTER 0x40e /* holds the segment of the extended BIOS data */
#define EBDA_SEARCH 1024
#define BIOS_START 0xe0000
#define BIOS_END 0x100000
#define LOW_MEMORY_END 0xa0000

/* 5.2.6 */
struct header {
  char signature[4];
  uint32 length; /* with the header */
  uint8 revision, checksum;
  char oem[6], oem_table[8];
  uint32 oem_revision, creator, creator_revision;
} __attribute__((packed));

#define TABLE_MAX MiB(4) /* a longer one is damaged */

/* 5.2.12 */
struct madt {
  struct header header;
  uint32 lapic;
  uint32 flags;
} __attribute__((packed));

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };

#define MADT_ENABLED 1      /* flag of a CPU */
#define APIC_ID_ALL 255     /* no CPU's: it stands for all (SDM 3A, 11.6.1) */
#define IOAPIC_REGISTERS 32 /* bytes (82093AA, 3.0) */

struct madt_entry {
  uint8 type, length;
  union {
    struct {
      uint8 processor, apic_id;
      uint32 flags;
    } __attribute__((packed)) lapic; /* 5.2.12.2 */
    struct {
      uint8 id, reserved;
      uint32 address, gsi_base;
    } __attribute__((packed)) ioapic; /* 5.2.12.3 */
    struct {
      uint8 bus, irq;
      uint32 gsi;
      uint16 flags;
    } __attribute__((packed)) override; /* 5.2.12.5 */
    struct {
      uint16 reserved;
      uint32 apic_id, flags, processor;
    } __attribute__((packed)) x2apic; /* 5.2.12.12 */
  };
} __attribute__((packed));

#define ENTRY_SIZE(kind) \
  (offsetof(struct madt_entry, kind) + sizeof(((struct madt_entry *)0)->kind))

/* 5.2.3.2: where a register is */
struct gas {
  uint8 space, bits, offset, access;
  uint64 address;
} __attribute__((packed));

#define GAS_IO 1

/* 5.2.9; older tables end earlier */
struct fadt {
  struct header header;
  uint32 facs, dsdt;
  uint8 reserved1, profile;
  uint16 sci;
  uint32 smi_command;
  uint8 acpi_enable, acpi_disable, s4bios, pstate;
  uint32 pm1a_event, pm1b_event, pm1a_control, pm1b_control;
  uint8 skipped[36]; /* other power management */
  uint8 century;
  uint16 boot_flags;
  uint8 reserved2;
  uint32 flags;
  struct gas reset;
  uint8 reset_value;
  uint8 skipped2[11];
  uint64 x_dsdt;
} __attribute__((packed));

_Static_assert(offsetof(struct fadt, century) == 108, "fadt");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "fadt");

#define FADT_CAN_RESET (1u << 10)

static const void *(*map)(paddr_t pa, size_t n); /* acpi_init()'s */

static bool sums_to_zero(const void *p, size_t n) {
  const uint8 *byte = p;
  uint8 sum = 0;

  while (n-- > 0)
    sum += *byte++;
  return sum == 0;
}

/* --- finding tables --- */

static bool rsdp_valid(const struct rsdp *r, size_t room) {
  if (room < RSDP_V1_SIZE || memcmp(r->signature, "RSD PTR ", 8) != 0 ||
      !sums_to_zero(r, RSDP_V1_SIZE))
    return false;
  return r->revision < 2 || (room >= sizeof(*r) && r->length == sizeof(*r) &&
                             sums_to_zero(r, sizeof(*r)));
}

static bool find_rsdp_in(paddr_t start, size_t n, struct rsdp *found) {
  const char *memory = map(start, n);

  for (size_t at = 0; memory != NULL && at < n; at += RSDP_ALIGN) {
    const struct rsdp *r = (const struct rsdp *)(memory + at);

    if (rsdp_valid(r, n - at)) {
      memset(found, 0, sizeof(*found));
      memmove(found, r, r->revision < 2 ? RSDP_V1_SIZE : sizeof(*r));
      return true;
    }
  }
  return false;
}

static bool find_rsdp(struct rsdp *found) {
  const uint16 *segment = map(EBDA_POINTER, sizeof(*segment));
  paddr_t ebda = segment != NULL ? (paddr_t)*segment << 4 : 0;

  if (ebda >= PGSIZE && ebda + EBDA_SEARCH <= LOW_MEMORY_END &&
      find_rsdp_in(ebda, EBDA_SEARCH, found))
    return true;
  return find_rsdp_in(BIOS_START, BIOS_END - BIOS_START, found);
}

static const void *bad_table(paddr_t pa, const char *why) {
  printf("acpi: table at 0x%lx: %s; it is not used\n", pa, why);
  return NULL;
}

/* A whole table, or NULL; valid until the next call. */
static const struct header *get_table(paddr_t pa, size_t least) {
  const struct header *h = pa != 0 ? map(pa, sizeof(*h)) : NULL;
  uint32 length;

  if (h == NULL)
    return bad_table(pa, "cannot be read");
  length = h->length;
  if (length < least || length > TABLE_MAX || pa + length < pa)
    return bad_table(pa, "its length is wrong");
  h = map(pa, length);
  if (h == NULL)
    return bad_table(pa, "cannot be read");
  if (!sums_to_zero(h, length))
    return bad_table(pa, "its checksum is wrong");
  return h;
}

/* --- the tables --- */

/* What there is of it is read. Two MADTs say two things of one machine. */
static struct {
  bool madt, ioapic, this_cpu;
  uint bad_cpus;
} seen;

static bool cpu_is_known(uint apic_id) {
  for (int i = 1; i < acpi.ncpu; i++)
    if (acpi.apic_id[i] == apic_id)
      return true;
  return apic_id == acpi.apic_id[0] && seen.this_cpu;
}

/* A CPU; the one that runs is the first, whatever the order of the table. */
static void add_cpu(uint apic_id) {
  if (apic_id == APIC_ID_ALL || cpu_is_known(apic_id))
    seen.bad_cpus++;
  else if (apic_id == acpi.apic_id[0])
    seen.this_cpu = true;
  else if (acpi.ncpu == NCPU)
    acpi.unused++;
  else
    acpi.apic_id[acpi.ncpu++] = apic_id;
}

static void add_ioapic(uint32 address) {
  if (seen.ioapic || address < IOAPIC ||
      address > IOAPICS_END - IOAPIC_REGISTERS) {
    printf("acpi: I/O APIC at 0x%x: not used\n", address);
    return;
  }
  acpi.ioapic = address;
  seen.ioapic = true;
}

static void add_override(uint irq, uint gsi, uint16 flags) {
  if (irq >= ISA_IRQS || gsi >= IRQ_MSI)
    printf("acpi: interrupt %u is said to be input %u: not used\n", irq, gsi);
  else
    acpi.isa[irq] = (struct isa_line){gsi, flags};
}

static void read_madt_entry(const struct madt_entry *e) {
  if (e->type == MADT_LAPIC && e->length >= ENTRY_SIZE(lapic)) {
    if (e->lapic.flags & MADT_ENABLED)
      add_cpu(e->lapic.apic_id);
  } else if (e->type == MADT_IOAPIC && e->length >= ENTRY_SIZE(ioapic)) {
    if (e->ioapic.gsi_base == 0)
      add_ioapic(e->ioapic.address);
  } else if (e->type == MADT_OVERRIDE && e->length >= ENTRY_SIZE(override)) {
    add_override(e->override.irq, e->override.gsi, e->override.flags);
  } else if (e->type == MADT_X2APIC && e->length >= ENTRY_SIZE(x2apic)) {
    if (e->x2apic.flags & MADT_ENABLED)
      acpi.unused++; /* its number needs the APIC's other mode */
  }
}

static void read_madt(paddr_t pa) {
  const struct header *h = get_table(pa, sizeof(struct madt));
  const char *p, *end;

  if (h == NULL)
    return;
  if (seen.madt) {
    bad_table(pa, "there was a list of CPUs before");
    return;
  }
  seen.madt = true;
  p = (const char *)h + sizeof(struct madt);
  end = (const char *)h + h->length;
  while (end - p >= 2) {
    const struct madt_entry *e = (const struct madt_entry *)p;

    if (e->length < 2 || e->length > end - p) {
      bad_table(pa, "an entry is longer than it");
      return;
    }
    read_madt_entry(e);
    p += e->length;
  }
}

/* A number in byte code (20.2.3), of one byte if it is to be of use. */
static bool aml_byte(const uint8 **p, const uint8 *end, uint8 *value) {
  enum { ZERO = 0x00, ONE = 0x01, BYTE = 0x0a };

  if (*p < end && (**p == ZERO || **p == ONE)) {
    *value = *(*p)++;
    return true;
  }
  if (end - *p < 2 || **p != BYTE)
    return false;
  *value = (*p)[1];
  *p += 2;
  return true;
}

/* At p is what follows the name \_S5_: a package (20.2.5.4) of which the first
 * two numbers are for pm1a and pm1b (7.4.2). */
static bool read_s5(const uint8 *p, const uint8 *end) {
  enum { PACKAGE = 0x12, LENGTH_SHIFT = 6 };
  uint8 a, b;

  if (end - p < 2 || *p++ != PACKAGE)
    return false;
  if (end - p <= (*p >> LENGTH_SHIFT) + 1)
    return false;
  p += (*p >> LENGTH_SHIFT) + 1; /* the package's length (20.2.4) */
  p++;                           /* number of elements */
  if (!aml_byte(&p, end, &a) || !aml_byte(&p, end, &b))
    return false;
  acpi.sleep_a = a;
  acpi.sleep_b = b;
  acpi.has_s5 = true;
  return true;
}

static void find_s5(paddr_t pa) {
  const struct header *h = get_table(pa, sizeof(*h));
  const uint8 *p, *end;

  if (h == NULL)
    return;
  end = (const uint8 *)h + h->length;
  for (p = (const uint8 *)(h + 1); end - p > 4; p++)
    if (memcmp(p, "_S5_", 4) == 0 && read_s5(p + 4, end))
      return;
}

static uint16 port(uint32 address) { return address < 0x10000 ? address : 0; }

static void read_fadt(paddr_t pa) {
  const struct header *h = get_table(pa, offsetof(struct fadt, skipped));
  struct fadt f = {0};

  if (h == NULL)
    return;
  memmove(&f, h, MIN(h->length, sizeof(f)));
  acpi.smi_command = port(f.smi_command);
  acpi.acpi_enable = f.acpi_enable;
  acpi.pm1a = port(f.pm1a_control);
  acpi.pm1b = port(f.pm1b_control);
  if ((f.flags & FADT_CAN_RESET) && f.reset.space == GAS_IO) {
    acpi.reset_port = port(f.reset.address);
    acpi.reset_value = f.reset_value;
  }
  if (f.x_dsdt != 0 && f.x_dsdt == (paddr_t)f.x_dsdt)
    f.dsdt = f.x_dsdt;
  if (!acpi.has_s5)
    find_s5(f.dsdt);
}

static void read_table(paddr_t pa) {
  const struct header *h = map(pa, sizeof(*h));
  char signature[4];

  if (h == NULL)
    return;
  memmove(signature, h->signature, sizeof(signature));
  if (memcmp(signature, "APIC", 4) == 0)
    read_madt(pa);
  else if (memcmp(signature, "FACP", 4) == 0)
    read_fadt(pa);
  else if (memcmp(signature, "SSDT", 4) == 0 && !acpi.has_s5)
    find_s5(pa);
}

/* The address in the i-th entry of the list, 0 if there is none or it is out of
 * reach. The list is mapped anew, as each table takes its place. */
static paddr_t list_entry_at(paddr_t list, size_t size, uint i) {
  const char *p = map(list + sizeof(struct header) + i * size, size);
  uint64 address = 0;

  if (p != NULL)
    memmove(&address, p, size); /* little-endian */
  return address == (paddr_t)address ? address : 0;
}

/* All tables of an RSDT (entries of 4 bytes) or XSDT (8). */
static bool read_list(paddr_t list, size_t size) {
  const struct header *h = get_table(list, sizeof(*h));
  uint n;

  if (h == NULL)
    return false;
  n = (h->length - sizeof(*h)) / size;
  for (uint i = 0; i < n; i++) {
    paddr_t pa = list_entry_at(list, size, i);

    if (pa != 0)
      read_table(pa);
  }
  return true;
}

static void set_defaults(void) {
  memset(&seen, 0, sizeof(seen));
  acpi.ncpu = 1;
  acpi.apic_id[0] = apic_id_of_cpu();
  acpi.ioapic = IOAPIC;
  for (uint i = 0; i < ISA_IRQS; i++)
    acpi.isa[i].gsi = i;
}

void acpi_init(const void *(*map_physical)(paddr_t pa, size_t n)) {
  struct rsdp rsdp;

  map = map_physical;
  set_defaults();
  if (!find_rsdp(&rsdp)) {
    printf("acpi: there are no tables; one CPU is used\n");
    return;
  }
  if (rsdp.xsdt == 0 || rsdp.xsdt != (paddr_t)rsdp.xsdt ||
      !read_list(rsdp.xsdt, sizeof(uint64)))
    read_list(rsdp.rsdt, sizeof(uint32));
  if (seen.bad_cpus)
    printf("acpi: %u CPUs are listed twice or have no number\n", seen.bad_cpus);
}
