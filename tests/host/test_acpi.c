/*
 * The reader of ACPI tables on tables like those of a PC and on thousands of
 * damaged ones: those may give any answer, but nothing outside what was mapped
 * may be read. Each mapping is a block of its own, just as long as was asked
 * for, and gone at the next, so that the sanitizers see every step too far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the reader needs of the machine; its instructions are not ours. */
#define X86_H
#define PGSIZE 4096
#include "arch/x86/acpi.c"

#define ROOM 0x101000 /* of physical memory that the test has */
#define RSDP 0xf5a40
#define RSDT 0x100000
#define XSDT 0x100100
#define MADT 0x100200
#define FADT 0x100400
#define DSDT 0x100600
#define SSDT 0x100700
#define SELF 2 /* number of the CPU that reads */

static uchar memory[ROOM];
static void *mapped;
static int messages;

uint apic_id_of_cpu(void) { return SELF; }

#undef printf
void kernel_printf(const char *fmt, ...) {
  (void)fmt;
  messages++;
}

static const void *map_memory(paddr_t pa, size_t n) {
  free(mapped);
  mapped = NULL;
  if (pa > ROOM || n > ROOM - pa)
    return NULL;
  mapped = malloc(n);
  return memcpy(mapped, memory + pa, n);
}

static void put(uint at, uint64 x, int bytes) {
  memcpy(memory + at, &x, bytes);
}

static void sum(uint at, uint n, uint checksum) {
  uchar total = 0;

  memory[at + checksum] = 0;
  for (uint i = 0; i < n; i++)
    total += memory[at + i];
  memory[at + checksum] = -total;
}

static void seal(uint at, const char *signature, uint length) {
  memcpy(memory + at, signature, 4);
  put(at + 4, length, 4);
  sum(at, length, 9);
}

/* Entries of the MADT; each returns where the next one goes. */
static uint cpu(uint at, uint number, uint flags) {
  put(at, 0 | 8 << 8 | 77 << 16 | number << 24, 4);
  put(at + 4, flags, 4);
  return at + 8;
}

static uint ioapic(uint at, uint address, uint base) {
  put(at, 1 | 12 << 8, 4);
  put(at + 4, address, 4);
  put(at + 8, base, 4);
  return at + 12;
}

static uint override(uint at, uint irq, uint gsi, uint flags) {
  put(at, 2 | 10 << 8 | irq << 24, 4);
  put(at + 4, gsi, 4);
  put(at + 8, flags, 2);
  return at + 10;
}

static void write_madt(int ncpu) {
  uint at = MADT + sizeof(struct madt);

  for (int i = 0; i < ncpu; i++)
    at = cpu(at, i, 1);
  at = cpu(at, 200, 0); /* not there */
  at = ioapic(at, 0xfec01000, 24);
  at = ioapic(at, 0xfec08000, 0);
  at = override(at, 0, 2, 0);
  at = override(at, 9, 9, 0xd);
  seal(MADT, "APIC", at - MADT);
}

static void write_fadt(uint length) {
  put(FADT + 40, DSDT, 4);
  put(FADT + 48, 0xb2, 4);
  put(FADT + 52, 0xf1, 1);
  put(FADT + 64, 0x604, 4);
  put(FADT + 112, 1 << 10, 4);
  put(FADT + 116, 0x0801, 4); /* an I/O port of 8 bits */
  put(FADT + 120, 0xcf9, 8);
  put(FADT + 128, 0xf, 1);
  seal(FADT, "FACP", length);
}

/* Name \_S5_, package of 4: 5, 6, 0, 0; with another use of the name before. */
static const uchar s5[] =
    "\x10\x5f\x53\x35\x5f\x99\x08_S5_\x12\x08\x04"
    "\x0a\x05\x0a\x06\x00\x00";

static void write_dsdt(uint at, const char *signature, bool with_s5) {
  memset(memory + at + sizeof(struct header), 0x5f, sizeof(s5));
  if (with_s5)
    memcpy(memory + at + sizeof(struct header), s5, sizeof(s5) - 1);
  seal(at, signature, sizeof(struct header) + sizeof(s5));
}

static void write_lists(void) {
  uint tables[] = {FADT, MADT, SSDT};

  for (int i = 0; i < 3; i++) {
    put(RSDT + 36 + 4 * i, tables[i], 4);
    put(XSDT + 36 + 8 * i, tables[i], 8);
  }
  seal(RSDT, "RSDT", 36 + 3 * 4);
  seal(XSDT, "XSDT", 36 + 3 * 8);
}

static void write_rsdp(uint at, uint revision) {
  memcpy(memory + at, "RSD PTR ", 8);
  put(at + 15, revision, 1);
  put(at + 16, RSDT, 4);
  put(at + 20, 36, 4);
  put(at + 24, XSDT, 8);
  sum(at, 20, 8);
  sum(at, 36, 32);
}

static void write_all(void) {
  memset(memory, 0, sizeof(memory));
  write_rsdp(RSDP, 2);
  write_lists();
  write_madt(4);
  write_fadt(244);
  write_dsdt(DSDT, "DSDT", true);
  write_dsdt(SSDT, "SSDT", false);
}

static void read_again(void) {
  memset(&acpi, 0, sizeof(acpi));
  messages = 0;
  acpi_init(map_memory);
  free(mapped);
  mapped = NULL;
}

static void check_all(void) {
  assert_int_equal(messages, 0);
  assert_int_equal(acpi.ncpu, 4);
  assert_int_equal(acpi.unused, 0);
  assert_int_equal(acpi.apic_id[0], SELF); /* the others in order */
  assert_int_equal(acpi.apic_id[1], 0);
  assert_int_equal(acpi.apic_id[2], 1);
  assert_int_equal(acpi.apic_id[3], 3);
  assert_int_equal(acpi.ioapic, 0xfec08000);
  assert_int_equal(acpi.isa[0].gsi, 2);
  assert_int_equal(acpi.isa[4].gsi, 4);
  assert_int_equal(acpi.isa[9].flags & MPS_TRIGGER, MPS_LEVEL);
  assert_int_equal(acpi.pm1a, 0x604);
  assert_int_equal(acpi.pm1b, 0);
  assert_int_equal(acpi.smi_command, 0xb2);
  assert_int_equal(acpi.acpi_enable, 0xf1);
  assert_true(acpi.has_s5);
  assert_int_equal(acpi.sleep_a, 5);
  assert_int_equal(acpi.sleep_b, 6);
  assert_int_equal(acpi.reset_port, 0xcf9);
  assert_int_equal(acpi.reset_value, 0xf);
}

static void reads_what_a_pc_has(void **state) {
  (void)state;
  write_all();
  read_again();
  check_all();
}

static void reads_old_tables(void **state) {
  (void)state;
  write_all();
  memset(memory + XSDT, 0, 36); /* before revision 2 there is none */
  write_rsdp(RSDP, 0);
  write_fadt(116);
  read_again();
  assert_int_equal(acpi.ncpu, 4);
  assert_int_equal(acpi.reset_port, 0);
  assert_true(acpi.has_s5);
}

static void finds_the_rsdp_in_the_ebda(void **state) {
  (void)state;
  write_all();
  memset(memory + RSDP, 0, 36);
  put(EBDA_POINTER, 0x9fc0, 2);
  write_rsdp(0x9fc00 + 1024 - 48, 2);
  read_again();
  check_all();
}

static void finds_s5_in_an_ssdt(void **state) {
  (void)state;
  write_all();
  write_dsdt(DSDT, "DSDT", false);
  write_dsdt(SSDT, "SSDT", true);
  read_again();
  check_all();
}

static void more_cpus_are_counted(void **state) {
  (void)state;
  write_all();
  write_madt(NCPU + 3);
  read_again();
  assert_int_equal(acpi.ncpu, NCPU);
  assert_int_equal(acpi.unused, 3);
}

/* A MADT of these CPUs, one I/O APIC and one override. */
static void write_odd_madt(const uchar *ids, uint n, uint io, uint irq,
                           uint gsi) {
  uint at = MADT + sizeof(struct madt);

  write_all();
  for (uint i = 0; i < n; i++)
    at = cpu(at, ids[i], 1);
  at = ioapic(at, io, 0);
  at = override(at, irq, gsi, 0);
  seal(MADT, "APIC", at - MADT);
  read_again();
}

static void cpus_count_once(void **state) {
  static const uchar twice[] = {SELF, 0, 1, 0, SELF, 1};
  static const uchar all[] = {0, 255, SELF};

  (void)state;
  write_odd_madt(twice, NELEM(twice), 0xfec00000, 0, 2);
  assert_int_equal(messages, 1);
  assert_int_equal(acpi.ncpu, 3);
  assert_int_equal(acpi.apic_id[0], SELF);
  assert_int_equal(acpi.apic_id[1], 0);
  assert_int_equal(acpi.apic_id[2], 1);
  assert_int_equal(acpi.unused, 0);

  write_odd_madt(all, NELEM(all), 0xfec00000, 0, 2);
  assert_int_equal(messages, 1);
  assert_int_equal(acpi.ncpu, 2);
  assert_int_equal(acpi.apic_id[1], 0);
}

static void ioapics_are_where_they_can_be(void **state) {
  static const uint wrong[] = {0,          0xd0000000, 0xfebffff0, 0xfecffff0,
                               0xfee00000, 0xfffffff0, 0xffffffff};
  static const uchar self[] = {SELF};

  (void)state;
  for (size_t i = 0; i < NELEM(wrong); i++) {
    write_odd_madt(self, 1, wrong[i], 0, 2);
    assert_int_equal(messages, 1);
    assert_int_equal(acpi.ioapic, 0xfec00000);
  }
  write_odd_madt(self, 1, 0xfec7f000, 0, 2);
  assert_int_equal(messages, 0);
  assert_int_equal(acpi.ioapic, 0xfec7f000);
}

static void interrupts_are_inputs(void **state) {
  static const struct {
    uint irq, gsi;
  } wrong[] = {{4, 200}, {4, 0xffffffff}, {4, 32}, {16, 4}, {255, 0}};
  static const uchar self[] = {SELF};

  (void)state;
  for (size_t i = 0; i < NELEM(wrong); i++) {
    write_odd_madt(self, 1, 0xfec00000, wrong[i].irq, wrong[i].gsi);
    assert_int_equal(messages, 1);
    for (uint n = 0; n < ISA_IRQS; n++)
      assert_int_equal(acpi.isa[n].gsi, n);
  }
  write_odd_madt(self, 1, 0xfec00000, 4, 31);
  assert_int_equal(messages, 0);
  assert_int_equal(acpi.isa[4].gsi, 31);
}

/* Which of two MADTs is right is not known: the first counts. */
static void there_is_one_list_of_cpus(void **state) {
  (void)state;
  write_all();
  put(XSDT + 36 + 2 * 8, MADT, 8);
  seal(XSDT, "XSDT", 36 + 3 * 8);
  read_again();
  assert_int_equal(messages, 1);
  messages = 0;
  check_all();
}

static void without_tables_there_is_one_cpu(void **state) {
  (void)state;
  memset(memory, 0, sizeof(memory));
  read_again();
  assert_int_equal(messages, 1);
  assert_int_equal(acpi.ncpu, 1);
  assert_int_equal(acpi.apic_id[0], SELF);
  assert_int_equal(acpi.ioapic, IOAPIC);
  assert_int_equal(acpi.isa[15].gsi, 15);
  assert_int_equal(acpi.pm1a, 0);
}

/* One bad table is said and left out; the others count. */
static void bad_tables_are_skipped(void **state) {
  (void)state;
  write_all();
  memory[MADT + 50]++; /* the checksum is wrong */
  read_again();
  assert_int_equal(messages, 1);
  assert_int_equal(acpi.ncpu, 1);
  assert_true(acpi.has_s5);

  write_all();
  put(FADT + 4, 20, 4); /* shorter than a header */
  read_again();
  assert_int_equal(messages, 1);
  assert_int_equal(acpi.ncpu, 4);
  assert_int_equal(acpi.pm1a, 0);

  write_all();
  put(DSDT + 4, 0xffffff00, 4);
  read_again();
  assert_int_equal(messages, 1);
  assert_false(acpi.has_s5);
  assert_int_equal(acpi.pm1a, 0x604);

  write_all();
  memory[MADT + sizeof(struct madt) + 1] = 0; /* an entry without length */
  sum(MADT, memory[MADT + 4], 9);
  read_again();
  assert_int_equal(messages, 1);
  assert_int_equal(acpi.ncpu, 1);
}

static void check_sane(void) {
  assert_true(acpi.ncpu >= 1 && acpi.ncpu <= NCPU);
  assert_int_equal(acpi.apic_id[0], SELF);
}

/* With the checksums put right, so that the damage is looked at. */
static void damaged_bytes_do_no_harm(void **state) {
  static const struct {
    uint at, length;
  } tables[] = {{RSDT, 48}, {XSDT, 60}, {MADT, 120}, {FADT, 160}, {DSDT, 60}};

  (void)state;
  srand(1);
  for (int round = 0; round < 20000; round++) {
    uint t = rand() % NELEM(tables), at = tables[t].at, length;

    write_all();
    for (int n = 1 + rand() % 3; n > 0; n--)
      memory[at + rand() % tables[t].length] = round % 2 ? rand() : rand() % 16;
    memcpy(&length, memory + at + 4, 4);
    if (length >= 10 && length <= ROOM - at)
      sum(at, length, 9);
    read_again();
    check_sane();
  }
}

static void truncated_tables_do_no_harm(void **state) {
  (void)state;
  for (uint at = MADT; at <= DSDT; at += 0x200) {
    for (uint cut = 10; cut < 244; cut++) {
      write_all();
      put(at + 4, cut, 4);
      sum(at, cut, 9);
      read_again();
      check_sane();
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_a_pc_has),
      cmocka_unit_test(reads_old_tables),
      cmocka_unit_test(finds_the_rsdp_in_the_ebda),
      cmocka_unit_test(finds_s5_in_an_ssdt),
      cmocka_unit_test(more_cpus_are_counted),
      cmocka_unit_test(cpus_count_once),
      cmocka_unit_test(ioapics_are_where_they_can_be),
      cmocka_unit_test(interrupts_are_inputs),
      cmocka_unit_test(there_is_one_list_of_cpus),
      cmocka_unit_test(without_tables_there_is_one_cpu),
      cmocka_unit_test(bad_tables_are_skipped),
      cmocka_unit_test(damaged_bytes_do_no_harm),
      cmocka_unit_test(truncated_tables_do_no_harm),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
