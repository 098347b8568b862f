/*
 * The facts of page tables that are true on each machine, checked on the tables
 * that the machine is using right now. What is true on one only is in machine.c
 * of its folder.
 */
#include "tables.h"

struct ptwalk walked;
struct kernel_seen seen;

uint64 leaf_flags(int pid, addr va) {
  CHECK_EQ(ptwalk(pid, va, &walked), 0);
  CHECK(walked.steps > 0);
  CHECK(walked.step[walked.steps - 1].leaf);
  return walked.step[walked.steps - 1].pte & PTE_RIGHTS;
}

/* A walk goes through all levels: each index is some bits of the address, each
 * entry lies in the page that the one before names. */
static void check_steps(int pid, addr va) {
  uint64 table;

  CHECK_EQ(ptwalk(pid, va, &walked), 0);
  CHECK_EQ(walked.levels, TABLE_LEVELS);
  table = walked.root;
  for (int i = 0; i < walked.steps; i++) {
    int level = TABLE_LEVELS - 1 - i;
    int shift = 12 + TABLE_INDEX_BITS * level;
    uint64 pte = walked.step[i].pte;

    CHECK_EQ(walked.step[i].level, level);
    CHECK_EQ(walked.step[i].index, va >> shift & ((1 << TABLE_INDEX_BITS) - 1));
    CHECK_EQ(walked.step[i].pte_addr, table + PTE_BYTES * walked.step[i].index);
    CHECK_EQ(table % 4096, 0);
    CHECK_EQ(pte >> (PTE_BYTES * 8 - PTE_UNUSED_BITS), 0);
    table = pte_target(pte);
    if (walked.step[i].leaf)
      CHECK_EQ(walked.pa, table + (va & ((1UL << shift) - 1)));
    else if (i + 1 < walked.steps)
      CHECK(is_branch(pte));
  }
}

static void walks(void) {
  static const addr process[] = WALKED_PROCESS, kernel[] = WALKED_KERNEL;
  int local;

  check_steps(getpid(), (addr)walks + 1);
  check_steps(getpid(), (addr)scratch);
  check_steps(getpid(), (addr)&local);
  check_steps(1, 0);
  for (uint i = 0; i < NELEM(process); i++)
    check_steps(getpid(), process[i]);
  for (uint i = 0; i < NELEM(kernel); i++)
    check_steps(PID_KERNEL, kernel[i]);
  check_steps(PID_KERNEL, STACKS_TOP - 8);
}

/* Each process has a root page of its own (A3, A10; B2). */
static void roots(void) {
  uint64 mine, inits;

  CHECK_EQ(ptwalk(getpid(), 0, &walked), 0);
  mine = walked.root;
  CHECK_EQ(ptwalk(1, 0, &walked), 0);
  inits = walked.root;
  CHECK_EQ(ptwalk(PID_KERNEL, 0, &walked), 0);
  CHECK(mine != inits && mine != walked.root && inits != walked.root);
}

void check_text(const struct ptentry *e) {
  CHECK_EQ(e->va, seen.text_end);
  seen.text_end += e->size;
}

void check_stack(const struct ptentry *e) {
  CHECK(e->va + e->size <= STACKS_TOP);
  CHECK(e->va % STACK_SLOT != 0);
  CHECK(e->va % STACK_SLOT + e->size <= STACK_SLOT);
  seen.stacks += e->size;
}

/* The kernel's whole page table (A4, A5, A6): direct-mapped devices and RAM,
 * text from KERNEL_START on that may not be written, all else that may, nothing
 * for user mode. */
static void kernelspace(void) {
  static struct ptentry e[64];
  struct meminfo m;
  uint64 from = 0;
  int n;

  seen.text_end = KERNEL_START;
  while ((n = ptdump(PID_KERNEL, from, e, NELEM(e))) > 0)
    for (int i = 0; i < n; i++) {
      check_kernel_mapping(&e[i]);
      from = e[i].va + e[i].size;
    }
  CHECK_EQ(n, 0);
  CHECK_EQ(meminfo(&m), 0);
  CHECK(seen.text_end > KERNEL_START + 0x4000);
  CHECK(seen.text_end < KERNEL_START + 0x400000);
  check_ram_end(seen.ram_end, m.total);
  CHECK(seen.stacks > 0 && seen.stacks <= m.stacks * 4096);
}

/* Under each kernel stack is a page that is not valid (A5). */
static void kernelguards(void) {
  for (addr slot = STACKS_TOP - STACK_SLOT; slot > STACKS_TOP - 20 * STACK_SLOT;
       slot -= STACK_SLOT) {
    CHECK_EQ(ptwalk(PID_KERNEL, slot, &walked), 0);
    CHECK_EQ(walked.fault, PT_INVALID);
    CHECK_EQ(memcmp(walked.name, "guard", 5), 0);
  }
  leaf_flags(PID_KERNEL, STACKS_TOP - 8);
}

/* A small process has no more of page table than it needs. */
static void tablesize(void) {
  static struct procinfo p[64];
  int n = procs(p, NELEM(p));

  for (int i = 0; i < n; i++)
    if (p[i].pid == 1)
      CHECK_EQ(p[i].tables, INIT_TABLES * 4096);
}

const struct test tables_tests[] = {TEST(walks),       TEST(roots),
                                    TEST(kernelspace), TEST(kernelguards),
                                    TEST(tablesize),   TESTS_END};
