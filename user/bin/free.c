/*
 * free: who holds the physical memory. The parts sum to the total. Then how large
 * a block could still be had in one piece, and what page faults did since boot.
 */
#include "user/user.h"

struct part {
  const char *name;
  uint64 pages;
  const char *what;
};

static void show(const struct part *p, const struct meminfo *m) {
  uint64 tenths = m->total ? p->pages * 1000 / m->total : 0;

  printf("%-9s %9ld %11ld %5ld.%ld%%  %s\n", p->name, (long)p->pages,
         (long)(p->pages * m->page_size / 1024), (long)tenths / 10,
         (long)tenths % 10, p->what);
}

static void show_faults(void) {
  struct sysinfo s;

  if (sysinfo(&s) < 0)
    fatal("sysinfo");
  print_faults(&s.faults);
}

int main(int argc, char **argv) {
  struct meminfo m;

  (void)argv;
  if (argc != 1)
    bad_usage("");
  if (meminfo(&m) < 0)
    fatal("meminfo");

  struct part parts[] = {
      {"free", m.free, "on the free lists"},
      {"user", m.user, "processes: what they wrote or share"},
      {"tables", m.tables, "page tables"},
      {"cache", m.cache, "files, disk blocks, text of programs"},
      {"pipes", m.pipes, "data in pipes"},
      {"zero", m.zero, "the page of zeros: untouched memory"},
      {"slab", m.slab, "small objects of the kernel"},
      {"stacks", m.stacks, "kernel stacks"},
      {"kernel", m.kernel, "other memory of the kernel"},
      {"image", m.image, "the kernel; the table of frames"},
      {"reserved", m.reserved, "never handed out"},
  };
  struct part total = {"total", 0, ""};
  struct part ram = {"RAM", m.total, "what the machine has"};
  int n = sizeof(parts) / sizeof(parts[0]);

  printf("%-9s %9s %11s %7s\n", "", "pages", "KiB", "share");
  for (int i = 0; i < n; i++) {
    show(&parts[i], &m);
    total.pages += parts[i].pages;
  }
  show(&total, &m);
  show(&ram, &m);
  printf("largest free block: %ld pages\n", (long)m.largest);
  show_faults();
  return 0;
}
