/*
 * tour_levels: how many levels the page table has, and what each is good for. The
 * same program says other things where the machine was booted with more.
 */
#include "machine.h"
#include "tour.h"

#define OFFSET_BITS 12 /* of an address: the place in a page */

static struct sysinfo sys;

static int entries(void) { return 1 << sys.index_bits; }

static int entry_size(void) { return PAGE / entries(); }

/* The lowest bit of an address that indexes the table of a level. */
static int shift(int level) { return OFFSET_BITS + level * sys.index_bits; }

static int tables(void) { return (int)(my_info().tables / PAGE); }

static const char *size_text(int log2, char *buf, int n) {
  static const char *const units[] = {"bytes", "KiB", "MiB",
                                      "GiB",   "TiB", "PiB"};

  snprintf(buf, n, "%d %s", 1 << log2 % 10, units[log2 / 10]);
  return buf;
}

static int log2_of(int power) {
  int n = 0;

  while (power >> (n + 1))
    n++;
  return n;
}

static const struct tour_mode modes[] = TOUR_MODES;
#define MODES (int)(sizeof(modes) / sizeof(modes[0]))

/* Of each mode: how far it reaches, and what a table without levels would take. */
static void show_modes(void) {
  for (int i = 0; i < MODES; i++) {
    int bits = OFFSET_BITS + modes[i].levels * (int)sys.index_bits;
    char reach[16], flat[16];

    say("%s %s: %d levels, %d bits: %s; one flat table: %s",
        modes[i].levels == (int)sys.levels ? "*" : " ", modes[i].name,
        modes[i].levels, bits, size_text(bits, reach, sizeof(reach)),
        size_text(bits - OFFSET_BITS + log2_of(entry_size()), flat,
                  sizeof(flat)));
  }
}

static void show_walk(const volatile void *at) {
  struct ptwalk w = walk(getpid(), (unsigned long)at);

  say("0x%lx goes through %d tables", (unsigned long)at, w.steps);
  for (int i = 0; i < w.steps; i++)
    say("  level %d: bits %d-%d are %d; entry at 0x%llx: 0x%llx%s",
        w.step[i].level, shift(w.step[i].level + 1) - 1, shift(w.step[i].level),
        w.step[i].index, (ull)w.step[i].pte_addr, (ull)w.step[i].pte,
        w.step[i].leaf ? ", a leaf" : "");
  say("  bits 11-0 are 0x%x: physical address 0x%llx",
      (int)((unsigned long)at % PAGE), (ull)w.pa);
}

/* An address whose way leaves that of all others at the root. */
static void *far(void) { return (void *)(1UL << (shift(sys.levels) - 2)); }

static void touch_far(void) {
  int before = tables();
  volatile char *at =
      mmap(far(), PAGE, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

  if (at == MAP_FAILED)
    fatal("mmap");
  at[0] = 1;
  say("%d tables before, %d now, for one page more", before, tables());
  show_walk(at);
}

int main(void) {
  int here = 0;

  sys = system_info();
  say("a table is a page of %d entries of %d bytes", entries(), entry_size());
  show_modes();
  step("* is in use; now walk an address of my stack");
  show_walk(&here);
  say("my tables: %d pages", tables());
  step("now touch one page far away from all others");
  touch_far();
  step("a table of its own at each level but the root; now the end");
  say(TOUR_OTHER_MODES);
  return 0;
}
