/*
 * The reader of ACPI tables. The input's bytes become tables at places that the
 * list of tables names, mostly with the right checksum, so that more than that is
 * looked at. Each mapping is a block of its own, just as long as was asked for, and
 * gone at the next.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the reader needs of the machine; its instructions are not ours. */
#define X86_H
#define PGSIZE 4096
#include "arch/x86/acpi.c"

#define ROOM 0x104000 /* of physical memory that there is */
#define RSDP_AT 0xf5a40
#define TABLES_AT 0x100000
#define TABLE_ROOM 0x800
#define TABLES 7
#define RSDP_SIZE_CHANGED 16 /* bytes of the input for that, at most */

static uchar memory[ROOM];
static void *mapped;

uint apic_id_of_cpu(void) { return 2; }

#undef printf
void kernel_printf(const char *fmt, ...) { (void)fmt; }

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

static uint table_at(uint i) { return TABLES_AT + i * TABLE_ROOM; }

static void seal(uint at) {
  uint length;

  memcpy(&length, memory + at + 4, 4);
  if (length >= 10 && length <= ROOM - at)
    sum(at, length, 9);
}

/* Lists of all tables at the last two places; the input may write over them. */
static void write_lists(void) {
  uint rsdt = table_at(TABLES), xsdt = rsdt + TABLE_ROOM / 2;

  memcpy(memory + RSDP_AT, "RSD PTR ", 8);
  put(RSDP_AT + 15, 2, 1);
  put(RSDP_AT + 16, rsdt, 4);
  put(RSDP_AT + 20, 36, 4);
  put(RSDP_AT + 24, xsdt, 8);
  for (uint i = 0; i < TABLES; i++) {
    put(rsdt + 36 + 4 * i, table_at(i), 4);
    put(xsdt + 36 + 8 * i, table_at(i), 8);
  }
  put(rsdt + 4, 36 + 4 * TABLES, 4);
  put(xsdt + 4, 36 + 8 * TABLES, 4);
  seal(rsdt);
  seal(xsdt);
}

/* A table: what it is, its length and whether the checksum is right, its bytes.
 * Returns how many of the input it took. */
static size_t write_table(uint at, const uchar *bytes, size_t n) {
  static const char kinds[][5] = {"APIC", "FACP", "SSDT", "DSDT"};
  uint length;

  if (n < 4)
    return n;
  length = (bytes[1] | bytes[2] << 8) % TABLE_ROOM;
  length = length <= n - 4 ? length : n - 4;
  memcpy(memory + at + 36, bytes + 4, length <= TABLE_ROOM - 36 ? length : 0);
  memcpy(memory + at, kinds[bytes[0] % 4], 4);
  put(at + 4, 36 + length + (bytes[3] & 2 ? bytes[3] : 0), 4);
  if (bytes[0] % 4 == 1 && !(bytes[3] & 4))
    put(at + 40, table_at(TABLES - 1), 4); /* a FADT's DSDT */
  if (!(bytes[3] & 1))
    seal(at);
  return 4 + length;
}

int LLVMFuzzerTestOneInput(const uchar *bytes, size_t n) {
  memset(memory + TABLES_AT, 0, ROOM - TABLES_AT);
  write_lists();
  for (uint i = 0; i < TABLES; i++) {
    size_t used = write_table(table_at(i), bytes, n);

    bytes += used;
    n -= used;
  }
  for (uint i = 0; i + 1 < n && i < RSDP_SIZE_CHANGED; i += 2)
    memory[RSDP_AT + bytes[i] % sizeof(struct rsdp)] = bytes[i + 1];
  sum(RSDP_AT, 20, 8);
  sum(RSDP_AT, sizeof(struct rsdp), 32);
  memset(&acpi, 0, sizeof(acpi));
  acpi_init(map_memory);
  free(mapped);
  mapped = NULL;
  if (acpi.ncpu < 1 || acpi.ncpu > NCPU || acpi.apic_id[0] != apic_id_of_cpu())
    abort();
  return 0;
}
