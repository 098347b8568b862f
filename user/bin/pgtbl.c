/*
 * pgtbl [PID | -k]: a page table as a tree: that of a process, the kernel's
 * with -k, its own without an argument.
 * pgtbl PID ADDRESS, pgtbl -k ADDRESS: one address taken through it step by
 * step.
 *
 * The kernel hands out the leaves, as runs: entries that follow each other in
 * virtual and in physical memory and have the same flags. The inner nodes
 * follow from the addresses, since the table is indexed by their bits. How many
 * levels and bits of each there are, and what a flag is called, is the machine's;
 * the kernel says it (sysinfo).
 *
 * What is kept unmapped on purpose is shown, too: ranges of a process that give
 * no right to anything (--- guard), and how many kernel stacks have a guard.
 */
#include "kernel/riscv.h"
#include "user/user.h"

#define USAGE "[PID | -k [ADDRESS]]"
#define RUNS 64       /* fetched at a time */
#define LEGEND_MAX 70 /* letters in a line of it */

static struct sysinfo sys;

static int entries(void) { return 1 << sys.index_bits; }

/* The lowest bit of an address that indexes the table of a level. */
static int shift(int level) { return PGSHIFT + level * sys.index_bits; }

static int index_at(int level, uint64 va) {
  return (va >> shift(level)) % entries();
}

/* Bytes of an entry: a table fills a page. */
static int entry_size(void) { return PGSIZE / entries(); }

/* "rwxu-ad-": a letter for each flag that is set, but the first, which is
 * always. Into PTE_FLAGSSZ bytes. */
static char *spell(uint64 flags, char *buf) {
  int n = 0;

  for (uint bit = 1; bit < PTE_FLAGSSZ && sys.pte_flags[bit]; bit++)
    buf[n++] = flags >> bit & 1 ? sys.pte_flags[bit] : '-';
  buf[n] = 0;
  return buf;
}

static const char *size_text(uint64 bytes, char *buf, int n) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
    snprintf(buf, n, "%lld MiB", (long long)bytes >> 20);
  else
    snprintf(buf, n, "%lld KiB", (long long)bytes >> 10);
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
    snprintf(text, sizeof(text), "[%d]", (int)(first % entries()));
  else
    snprintf(text, sizeof(text), "[%d..%d]", (int)(first % entries()),
             (int)(last % entries()));
  printf("%-*s ", sys.index_bits > 9 ? 12 : 10, text);
}

/* Hexadecimal digits of an address. */
static int digits(void) { return (shift(sys.levels) + 3) / 4; }

static void show_range(uint64 first, uint64 last) {
  printf("%0*llx-%0*llx", digits(), (unsigned long long)first, digits(),
         (unsigned long long)last);
}

/* The inner entries above a run, those that were not printed already. */
static void show_path(const struct ptentry *r, int levels) {
  for (int level = levels - 1; level > r->level; level--) {
    struct heading h = {r->va >> shift(level),
                        (r->va + r->size - 1) >> shift(level)};

    if (h.first == shown[level].first && h.last == shown[level].last)
      continue;
    shown[level] = h;
    for (int below = level - 1; below >= 0; below--)
      shown[below].first = ~0ULL;
    indent(levels, level);
    show_indexes(h.first, h.last);
    show_range(h.first << shift(level), ((h.last + 1) << shift(level)) - 1);
    printf("\n");
  }
}

static void show_run(const struct ptentry *r, int levels) {
  uint64 end = r->va + r->size - 1;
  char flags[PTE_FLAGSSZ], size[16];

  show_path(r, levels);
  indent(levels, r->level);
  show_indexes(r->va >> shift(r->level), end >> shift(r->level));
  show_range(r->va, end);
  printf(" -> %0*llx %s %9s  %s\n", digits(), (unsigned long long)r->pa,
         spell(r->flags, flags), size_text(r->size, size, sizeof(size)),
         r->name);
}

/* ---- what is not mapped, on purpose ---- */

/* Regions of the process without any right, in order; shown up to `next`. */
static struct vmregion *regions;
static int nregions, next;

static void find_guards(int pid) {
  if (pid != PID_KERNEL)
    regions = all_regions(pid, &nregions);
}

/* Show those that lie below va. */
static void show_guards(uint64 va, int levels) {
  for (; next < nregions && regions[next].end <= va; next++) {
    const struct vmregion *g = &regions[next];
    struct ptentry r = {.va = g->start, .size = g->end - g->start};

    if (g->rights & (VM_READ | VM_WRITE | VM_EXEC))
      continue;
    show_path(&r, levels);
    indent(levels, 0);
    show_indexes(g->start >> PGSHIFT, (g->end - 1) >> PGSHIFT);
    show_range(g->start, g->end - 1);
    printf(" --- %s\n", g->name);
  }
}

/* Is the page below this run the guard of a kernel stack? */
static int has_guard(int pid, const struct ptentry *r) {
  struct ptwalk w;

  return pid == PID_KERNEL && strncmp(r->name, "stack", 5) == 0 &&
         ptwalk(pid, r->va - PGSIZE, &w) == 0 &&
         strncmp(w.name, "guard", 5) == 0;
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
  printf("\nroot page at 0x%llx, %d levels, %d entries a page\n",
         (unsigned long long)w->root, w->levels, entries());
}

/* What the letters of flags mean, those that this machine has; and which
 * rights it has no flag for. */
static void show_legend(void) {
  static const struct {
    char letter;
    const char *meaning;
  } known[] = {
      {'r', "read"},       {'w', "write"},         {'x', "execute"},
      {'u', "user"},       {'g', "global"},        {'a', "accessed"},
      {'d', "dirty"},      {'t', "write-through"}, {'c', "cache off"},
      {'l', "large page"},
  };
  const char *comma = "";
  int length = 0;

  printf("flags:");
  for (uint i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (strchr(sys.pte_flags, known[i].letter)) {
      length += strlen(", x ") + strlen(known[i].meaning);
      printf("%s%s %c %s", comma, length > LEGEND_MAX ? "\n     " : "",
             known[i].letter, known[i].meaning);
      if (length > LEGEND_MAX)
        length = 0;
      comma = ",";
    }
  printf("\n");
  if (!(sys.rights & VM_EXEC))
    printf(
        "This machine has no execute bit: what is mapped can be executed.\n");
}

static void show_tree(int pid) {
  static struct ptentry runs[RUNS];
  uint64 from = 0, pages = 0;
  int guards = 0, kernel = 0, n;
  struct ptwalk w;

  if (ptwalk(pid, 0, &w) < 0)
    refused(pid);
  show_title(pid, &w);
  show_legend();
  for (int level = 0; level < PTWALK_LEVELS; level++)
    shown[level].first = ~0ULL;
  find_guards(pid);
  while ((n = ptdump(pid, from, runs, RUNS)) > 0) {
    for (int i = 0; i < n; i++) {
      show_guards(runs[i].va, w.levels);
      show_run(&runs[i], w.levels);
      guards += has_guard(pid, &runs[i]);
      kernel += strcmp(runs[i].name, "kernel") == 0;
      pages += runs[i].size / PGSIZE;
    }
    from = runs[n - 1].va + runs[n - 1].size;
  }
  if (n < 0)
    refused(pid);
  show_guards(~0ULL, w.levels);
  if (guards > 0)
    printf("--- guard: a page under each of %d stacks is not mapped\n", guards);
  if (kernel > 0)
    printf("kernel: the same in each page table; pgtbl -k says what it is\n");
  printf("%llu pages are mapped\n", (unsigned long long)pages);
}

/* ---- one address ---- */

static void show_split(uint64 va, int levels) {
  printf("virtual address 0x%llx =", (unsigned long long)va);
  for (int level = levels - 1; level >= 0; level--)
    printf(" [%d]", index_at(level, va));
  printf(" + offset 0x%x\n", (int)(va % PGSIZE));
}

static void show_step(const struct ptwalk *w, int i) {
  unsigned long long at = w->step[i].pte_addr, pte = w->step[i].pte;
  int level = w->step[i].level;
  char flags[PTE_FLAGSSZ];

  printf("level %d: bits %d-%d of the address give index %d\n", level,
         shift(level + 1) - 1, shift(level), w->step[i].index);
  printf("  entry at 0x%llx + %d * %d = 0x%llx, value 0x%llx\n",
         at & ~(PGSIZE - 1ULL), w->step[i].index, entry_size(), at, pte);
  if (!(pte & PTE_V)) {
    printf("  not valid: the walk ends here\n");
    return;
  }
  printf("  page number 0x%llx, flags %c%s: %s\n",
         (unsigned long long)PTE2PA(pte) >> PGSHIFT, sys.pte_flags[0],
         spell(PTE_FLAGS(pte), flags),
         w->step[i].leaf ? "a leaf" : "points to the next table");
}

static void show_result(const struct ptwalk *w, uint64 va) {
  int last = w->steps - 1;
  uint64 span = last >= 0 ? 1ULL << shift(w->step[last].level) : PGSIZE;

  if (last >= 0 && w->step[last].leaf)
    printf("physical address: 0x%llx + 0x%llx = 0x%llx\n",
           (unsigned long long)(w->pa - va % span),
           (unsigned long long)(va % span), (unsigned long long)w->pa);
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

  if (ptwalk(pid, (unsigned long)va, &w) < 0)
    refused(pid);
  show_title(pid, &w);
  if (va != (unsigned long)va) {
    printf(
        "virtual address 0x%llx has more than the %d bits that are translated"
        "\n",
        (unsigned long long)va, shift(w.levels));
    w = (struct ptwalk){.fault = PT_BADADDR};
  } else {
    show_split(va, w.levels);
  }
  for (int i = 0; i < w.steps; i++)
    show_step(&w, i);
  show_result(&w, va);
  show_verdict(&w);
}

int main(int argc, char **argv) {
  long long pid = getpid(), va;

  if (argc > 3)
    bad_usage(USAGE);
  if (sysinfo(&sys) < 0)
    fatal("sysinfo");
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
