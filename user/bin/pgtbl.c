/*
 * pgtbl [PID | -k]: a page table as a tree: that of a process, the kernel's
 * with -k, its own without an argument.
 * pgtbl PID ADDRESS, pgtbl -k ADDRESS: one address taken through it step by
 * step.
 *
 * The kernel hands out the leaves, as runs: entries that follow each other in
 * virtual and in physical memory and have the same flags. The inner nodes
 * follow from the addresses, since the table is indexed by their bits:
 *
 *   Sv39   | index 2, 9 bits | index 1, 9 bits | index 0, 9 bits | offset, 12 |
 */
#include "kernel/riscv.h"
#include "user/user.h"

#define USAGE "[PID | -k [ADDRESS]]"
#define ENTRIES (PXMASK + 1)
#define RUNS 64 /* fetched at a time */

static const char flag_letters[] = "vrwxugad"; /* PTE_V is bit 0, and so on */

/* "rwxu-ad-": a letter for each flag that is set. Into at least 9 bytes. */
static char *spell(uint64 flags, char *buf) {
  int n = 0;

  for (uint bit = 1; flag_letters[bit]; bit++)
    buf[n++] = flags >> bit & 1 ? flag_letters[bit] : '-';
  buf[n] = 0;
  return buf;
}

static const char *size_text(uint64 bytes, char *buf, int n) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
    snprintf(buf, n, "%ld MiB", (long)(bytes >> 20));
  else
    snprintf(buf, n, "%ld KiB", (long)(bytes >> 10));
  return buf;
}

/* ---- the tree ---- */

/* The entries of one level that the run printed last lies below. */
struct heading {
  uint64 first; /* their numbers, counted over all tables of the level */
  uint64 last;
};

static struct heading shown[PTWALK_LEVELS];

static void indent(int levels, int level) {
  printf("%*s", 2 * (levels - level - 1), "");
}

/* [n] or [n..m]: indexes in a table of this level; m is in a later table if
 * that many entries are passed. */
static void show_indexes(uint64 first, uint64 last) {
  char text[24];

  if (first == last)
    snprintf(text, sizeof(text), "[%d]", (int)(first % ENTRIES));
  else
    snprintf(text, sizeof(text), "[%d..%d]", (int)(first % ENTRIES),
             (int)(last % ENTRIES));
  printf("%-10s ", text);
}

/* The inner entries above a run, those that were not printed already. */
static void show_path(const struct ptentry *r, int levels) {
  for (int level = levels - 1; level > r->level; level--) {
    struct heading h = {r->va >> PXSHIFT(level),
                        (r->va + r->size - 1) >> PXSHIFT(level)};

    if (h.first == shown[level].first && h.last == shown[level].last)
      continue;
    shown[level] = h;
    for (int below = level - 1; below >= 0; below--)
      shown[below].first = ~0UL;
    indent(levels, level);
    show_indexes(h.first, h.last);
    printf("%010lx-%010lx\n", (long)(h.first << PXSHIFT(level)),
           (long)(((h.last + 1) << PXSHIFT(level)) - 1));
  }
}

static void show_run(const struct ptentry *r, int levels) {
  uint64 end = r->va + r->size - 1;
  char flags[16], size[16];

  show_path(r, levels);
  indent(levels, r->level);
  show_indexes(r->va >> PXSHIFT(r->level), end >> PXSHIFT(r->level));
  printf("%010lx-%010lx -> %010lx %s %9s  %s\n", (long)r->va, (long)end,
         (long)r->pa, spell(r->flags, flags),
         size_text(r->size, size, sizeof(size)), r->name);
}

static void refused(int pid) {
  if (pid == PID_KERNEL)
    fatal("page table of the kernel");
  fatal("page table of process %d", pid);
}

static void show_title(int pid, const struct ptwalk *w) {
  char name[PROCNAMESZ];

  proc_name(pid, name);
  if (pid == PID_KERNEL)
    printf("page table of the kernel");
  else
    printf("page table of process %d (%s)", pid, name);
  printf(": root page at 0x%lx, %d levels, %d entries a page\n", (long)w->root,
         w->levels, ENTRIES);
}

static void show_tree(int pid) {
  static struct ptentry runs[RUNS];
  uint64 from = 0, pages = 0;
  struct ptwalk w;
  int n;

  if (ptwalk(pid, 0, &w) < 0)
    refused(pid);
  show_title(pid, &w);
  printf(
      "flags: r read, w write, x execute, u user, g global, a accessed, "
      "d dirty\n");
  for (int level = 0; level < PTWALK_LEVELS; level++)
    shown[level].first = ~0UL;
  while ((n = ptdump(pid, from, runs, RUNS)) > 0) {
    for (int i = 0; i < n; i++) {
      show_run(&runs[i], w.levels);
      pages += runs[i].size / PGSIZE;
    }
    from = runs[n - 1].va + runs[n - 1].size;
  }
  if (n < 0)
    refused(pid);
  printf("%ld pages are mapped\n", (long)pages);
}

/* ---- one address ---- */

static void show_split(uint64 va, int levels) {
  printf("virtual address 0x%lx =", (long)va);
  for (int level = levels - 1; level >= 0; level--)
    printf(" [%d]", (int)PX(level, va));
  printf(" + offset 0x%x\n", (int)(va % PGSIZE));
}

static void show_step(const struct ptwalk *w, int i) {
  uint64 pte = w->step[i].pte;
  int level = w->step[i].level;
  char flags[16];

  printf("level %d: bits %d-%d of the address give index %d\n", level,
         PXSHIFT(level) + 8, PXSHIFT(level), w->step[i].index);
  printf("  entry at 0x%lx + %d * 8 = 0x%lx, value 0x%lx\n",
         (long)PGROUNDDOWN(w->step[i].pte_addr), w->step[i].index,
         (long)w->step[i].pte_addr, (long)pte);
  if (!(pte & PTE_V)) {
    printf("  not valid: the walk ends here\n");
    return;
  }
  printf("  page number 0x%lx, flags v%s: %s\n", (long)(PTE2PA(pte) >> PGSHIFT),
         spell(PTE_FLAGS(pte), flags),
         w->step[i].leaf ? "a leaf" : "points to the next table");
}

static void show_result(const struct ptwalk *w, uint64 va) {
  int last = w->steps - 1;
  uint64 span = last >= 0 ? 1UL << PXSHIFT(w->step[last].level) : PGSIZE;

  if (last >= 0 && w->step[last].leaf)
    printf("physical address: 0x%lx + 0x%lx = 0x%lx\n",
           (long)(w->pa - va % span), (long)(va % span), (long)w->pa);
  if (w->name[0] && w->fault != PT_BADADDR)
    printf("what is there: %s\n", w->name);
}

static void show_verdict(const struct ptwalk *w) {
  static const char *const verdicts[] = {
      [PT_OK] = "is allowed",
      [PT_BADADDR] = "faults: no such virtual address",
      [PT_INVALID] = "faults: an entry is not valid",
      [PT_NOTUSER] = "faults: the page is for the kernel only (no u)",
      [PT_NOTREADABLE] = "faults: the page may not be read (no r)",
  };

  if (w->fault >= PT_OK && w->fault <= PT_NOTREADABLE)
    printf("a read in user mode %s\n", verdicts[w->fault]);
}

static void show_walk(int pid, uint64 va) {
  struct ptwalk w;

  if (ptwalk(pid, va, &w) < 0)
    refused(pid);
  show_title(pid, &w);
  show_split(va, w.levels);
  for (int i = 0; i < w.steps; i++)
    show_step(&w, i);
  show_result(&w, va);
  show_verdict(&w);
}

int main(int argc, char **argv) {
  long pid = getpid(), va;

  if (argc > 3)
    bad_usage(USAGE);
  if (argc > 1) {
    if (strcmp(argv[1], "-k") == 0)
      pid = PID_KERNEL;
    else if (parse_number(argv[1], &pid) < 0 || pid < 1)
      bad_usage(USAGE);
  }
  if (argc == 3 && parse_number(argv[2], &va) < 0)
    bad_usage(USAGE);
  if (argc == 3)
    show_walk(pid, va);
  else
    show_tree(pid);
  return 0;
}
