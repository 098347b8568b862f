/*
 * A machine for tests of the explorer that needs no kernel: 32 pages of RAM as one
 * of RISC-V has them, with two processes, and the layout that says where things
 * are. What is where was made up here.
 *
 *   page 0    variables      3  frames[]                 8 + 4p   process p: root,
 *        1    trace_rings    4  proc, space, regions     9, 10    tables below it,
 *        2    kernel's root                              11       a page of memory
 */
#ifndef FUZZ_SMALL_MACHINE_H
#define FUZZ_SMALL_MACHINE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SMALL_START 0x80000000ULL
#define SMALL_PAGES 32
#define SMALL_BYTES (SMALL_PAGES * 4096)
#define SMALL_PROCS 2
#define SMALL_RECORDS 8

/* Physical addresses, and virtual ones: the direct map is one superpage. */
#define SMALL_PAGE(n) (SMALL_START + (n)*4096ULL)
#define SMALL_PROC(p) (SMALL_PAGE(4) + (p)*0x400)
#define SMALL_SPACE(p) (SMALL_PROC(p) + 0x100)
#define SMALL_REGION(p, i) (SMALL_PROC(p) + 0x200 + (i)*0x80)
#define SMALL_PTE(pa, flags) ((pa) >> 2 | (flags))
#define SMALL_LEAF 0xdf /* v r w x u a d */

static const char small_layout[] =
    "machine riscv\nkernel small\noffset 0x0\n"
    "item 0x80000000 0x8 kernel_pagetable\n"
    "item 0x80000060 0x20 main.c:kernel_name\n"
    "item 0x80000010 0x20 proc/proc.c:pids\n"
    "item 0x0 0x10 struct list\nitem 0x0 0x8 list.next\nitem 0x8 0x8 "
    "list.prev\n"
    "item 0x0 0x40 struct proc\nitem 0x0 0x10 proc.pidlink\n"
    "item 0x10 0x4 proc.pid\nitem 0x14 0x4 proc.state\nitem 0x18 0x10 "
    "proc.name\n"
    "item 0x28 0x8 proc.space\n"
    "item 0x0 0x8 space.pagetable\nitem 0x8 0x10 space.regions\n"
    "item 0x18 0x4 space.nregions\nitem 0x20 0x28 space.faults\n"
    "item 0x0 0x10 region.link\nitem 0x10 0x8 region.start\n"
    "item 0x18 0x8 region.end\nitem 0x20 0x4 region.rights\n"
    "item 0x24 0x4 region.flags\nitem 0x28 0x8 region.name\n"
    "item 0x30 0x8 region.object\nitem 0x0 0x8 memobject.ops\n"
    "item 0x80000088 0x8 filemap_ops\n"
    "item 0x80000040 0x8 mm/kalloc.c:frames\n"
    "item 0x80000048 0x8 mm/kalloc.c:nframes\n"
    "item 0x80000050 0x8 mm/kalloc.c:first_frame\n"
    "item 0x0 0x8 struct page\nitem 0x0 0x1 page.owner\nitem 0x1 0x1 "
    "page.order\n"
    "item 0x2 0x1 page.head\nitem 0x4 0x4 page.count\n"
    "item 0x80000058 0x8 clock_hz\n"
    "item 0x80001000 0x110 trace_rings\nitem 0x0 0x110 struct trace_ring\n"
    "item 0x100 0x4 trace_ring.next\nitem 0x0 0x100 trace_ring.records\n"
    "item 0x0 0x20 struct trace_record\nitem 0x0 0x8 trace_record.time\n"
    "item 0x8 0x4 trace_record.pid\nitem 0xc 0x4 trace_record.kind\n"
    "item 0x10 0x8 trace_record.a\nitem 0x18 0x8 trace_record.b\n"
    "enum page_owner 0 free\nenum page_owner 1 kernel\nenum page_owner 2 "
    "table\n"
    "enum page_owner 3 user\n"
    "enum trace_kind 1 fork\nenum trace_kind 2 fault_copy\n";

/* Of its newest two states, if somebody has followed it. */
static const char small_history[] =
    "{\"seq\":7,\"samples\":[{\"free\":9,\"counters\":{\"forks\":1,\"execs\":-"
    "2}},"
    "{\"free\":8,\"counters\":{\"forks\":3,\"execs\":4}}]}";

static void small_put(unsigned char *ram, uint64_t pa, uint64_t value,
                      size_t bytes) {
  memcpy(ram + (pa - SMALL_START), &value, bytes);
}

static void small_put8(unsigned char *ram, uint64_t pa, uint64_t value) {
  small_put(ram, pa, value, 8);
}

/* A list of one member. */
static void small_list(unsigned char *ram, uint64_t head, uint64_t link) {
  small_put8(ram, head, link);
  small_put8(ram, head + 8, link);
  small_put8(ram, link, head);
  small_put8(ram, link + 8, head);
}

static void small_region(unsigned char *ram, int p, int i, uint64_t start,
                         uint64_t end) {
  uint64_t at = SMALL_REGION(p, i);

  small_put8(ram, at + 0x10, start);
  small_put8(ram, at + 0x18, end);
  small_put(ram, at + 0x20, 3, 4); /* may read and write */
}

/* Its regions in order: one behind the other, and round. */
static void small_regions(unsigned char *ram, int p, int n) {
  uint64_t head = SMALL_SPACE(p) + 8, before = head;

  for (int i = 0; i < n; i++) {
    small_put8(ram, before, SMALL_REGION(p, i));
    small_put8(ram, SMALL_REGION(p, i) + 8, before);
    before = SMALL_REGION(p, i);
  }
  small_put8(ram, before, head);
  small_put8(ram, head + 8, before);
  small_put(ram, SMALL_SPACE(p) + 0x18, n, 4);
}

static void small_process(unsigned char *ram, int p) {
  uint64_t table = SMALL_PAGE(8 + 4 * p);
  char name[] = "a0";

  name[1] += p;
  small_list(ram, SMALL_START + 0x10 + 0x10 * p, SMALL_PROC(p));
  small_put(ram, SMALL_PROC(p) + 0x10, p + 1, 4);
  memcpy(ram + (SMALL_PROC(p) + 0x18 - SMALL_START), name, sizeof(name));
  small_put8(ram, SMALL_PROC(p) + 0x28, SMALL_SPACE(p));
  small_put8(ram, SMALL_SPACE(p), table);
  small_region(ram, p, 0, 0, 0x1000);
  small_region(ram, p, 1, 0x2000, 0x4000);
  small_regions(ram, p, 2);
  small_put8(ram, table, SMALL_PTE(table + 0x1000, 1));
  small_put8(ram, table + 0x1000, SMALL_PTE(table + 0x2000, 1));
  small_put8(ram, table + 0x2000, SMALL_PTE(table + 0x3000, SMALL_LEAF));
  small_put8(ram, table + 0x2010, SMALL_PTE(SMALL_PAGE(20), SMALL_LEAF));
}

/* Make SMALL_BYTES of RAM. */
static void small_make(unsigned char *ram) {
  memset(ram, 0, SMALL_BYTES);
  small_put8(ram, SMALL_START, SMALL_PAGE(2));
  memcpy(ram + 0x60, "small 1", 8);
  small_put8(ram, SMALL_START + 0x40, SMALL_PAGE(3));
  small_put8(ram, SMALL_START + 0x48, SMALL_PAGES);
  small_put8(ram, SMALL_START + 0x50, SMALL_START);
  small_put8(ram, SMALL_START + 0x58, 1000000);
  small_put8(ram, SMALL_PAGE(2) + 16, SMALL_PTE(SMALL_START, 0xcf));
  for (int i = 0; i < SMALL_PAGES; i++)
    small_put8(ram, SMALL_PAGE(3) + 8 * i, i < 4 ? 1 : i < 24 ? 3 : 0);
  for (int i = 0; i < SMALL_RECORDS; i++) {
    small_put8(ram, SMALL_PAGE(1) + 32 * i, 1000 * (i + 1));
    small_put(ram, SMALL_PAGE(1) + 32 * i + 12, 1 + i % 2, 4);
  }
  small_put(ram, SMALL_PAGE(1) + 0x100, SMALL_RECORDS, 4);
  for (int p = 0; p < SMALL_PROCS; p++)
    small_process(ram, p);
}

#endif
