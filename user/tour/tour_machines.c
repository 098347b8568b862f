/*
 * tour_machines: this machine's page tables and address spaces, as the running
 * system says they are, beside the other machine's.
 */
#include "machine.h"
#include "tour.h"

#define OFFSET_BITS 12

static struct sysinfo sys;

/* The lowest address in this process's table that is not for user mode. */
static uint64 kernel_begins(void) {
  struct ptentry run;

  if (!kernels_run(&sys, 0, &run))
    fatal("no end of this process");
  return run.va;
}

static struct tour_machine measured(void) {
  struct ptwalk text = walk(getpid(), TOUR_TEXT);
  struct ptwalk kernels = walk(PID_KERNEL, TOUR_TEXT);

  return (struct tour_machine){
      .arch = sys.arch,
      .levels = sys.levels,
      .index_bits = sys.index_bits,
      .entry = PAGE >> sys.index_bits,
      .superpage = 1U << (OFFSET_BITS + sys.index_bits - 10),
      .flags = sys.pte_flags,
      .no_read = sys.rights & VM_READ,
      .no_execute = sys.rights & VM_EXEC,
      .kernel_in_table = mapped(&text),
      .kernel_begins = kernel_begins(),
      .text_va = TOUR_TEXT,
      .text_pa = kernels.pa,
  };
}

static const char *yes(int is) { return is ? "yes" : "no"; }

static void row(const char *what, const char *here, const char *there) {
  printf("%-32s %-14s %s\n", what, here, there);
}

static void number(const char *what, ull here, ull there) {
  char a[24], b[24];

  snprintf(a, sizeof(a), "%llu", here);
  snprintf(b, sizeof(b), "%llu", there);
  row(what, a, b);
}

static void address(const char *what, ull here, ull there) {
  char a[24], b[24];

  snprintf(a, sizeof(a), "0x%llx", here);
  snprintf(b, sizeof(b), "0x%llx", there);
  row(what, a, b);
}

static void show_tables(const struct tour_machine *a,
                        const struct tour_machine *b) {
  row("", a->arch, b->arch);
  number("levels", a->levels, b->levels);
  number("bits of an index", a->index_bits, b->index_bits);
  number("bytes of an entry", a->entry, b->entry);
  number("KiB of a smallest superpage", a->superpage, b->superpage);
  row("flags, from bit 0", a->flags, b->flags);
  row("can forbid to read", yes(a->no_read), yes(b->no_read));
  row("can forbid to execute", yes(a->no_execute), yes(b->no_execute));
}

static void show_spaces(const struct tour_machine *a,
                        const struct tour_machine *b) {
  row("the kernel is in each table", yes(a->kernel_in_table),
      yes(b->kernel_in_table));
  address("what is the kernel's begins at", a->kernel_begins, b->kernel_begins);
  address("the kernel's text, virtual", a->text_va, b->text_va);
  address("the same, physical", a->text_pa, b->text_pa);
}

/* Each entry on the way to an address, flag by flag. */
static void show_walk(const volatile void *at) {
  struct ptwalk w = walk(getpid(), (unsigned long)at);

  for (int i = 0; i < w.steps; i++) {
    char flags[PTE_FLAGSSZ] = "";

    for (int bit = 0; bit < PTE_FLAGSSZ && sys.pte_flags[bit]; bit++)
      flags[bit] = w.step[i].pte >> bit & 1 ? sys.pte_flags[bit] : '-';
    say("  level %d, entry %d: 0x%llx %s", w.step[i].level, w.step[i].index,
        (ull)w.step[i].pte, flags);
  }
}

int main(void) {
  static const struct tour_machine other = TOUR_OTHER_MACHINE;
  static volatile int variable = 1;
  struct tour_machine here;

  sys = system_info();
  here = measured();
  step("first the tables: left as this machine says, right the other");
  show_tables(&here, &other);
  step("now the address spaces");
  show_spaces(&here, &other);
  step("now an address of this machine's, with the flags of each entry");
  variable = 2;
  show("a variable", &variable);
  show_walk(&variable);
  step("the walk to it has the same entries");
  return 0;
}
