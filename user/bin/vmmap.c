/*
 * vmmap PID: the regions of a process's address space, its own without PID.
 *
 * A region says what may be there; MEM is how much of it is.
 */
#include "user/user.h"

#define USAGE "[PID]"
#define REGIONS_FIRST 32
#define PAGE_BITS 12 /* of an address: the offset in a page */

static struct vmregion *all_regions(int pid, int *count) {
  struct vmregion *all = 0;
  int size = REGIONS_FIRST / 2;

  do {
    size *= 2;
    all = xrealloc(all, size * sizeof(all[0]));
    *count = vmregions(pid, all, size);
    if (*count < 0)
      fatal("%d", pid);
  } while (*count >= size);
  return all;
}

static int digits; /* of an address */

static void show(const struct vmregion *r) {
  printf("%0*llx-%0*llx %9ld %9ld  %c%c%c%c %-6s  %s\n", digits,
         (unsigned long long)r->start, digits, (unsigned long long)r->end,
         (long)((r->end - r->start) / 1024), (long)(r->resident / 1024),
         r->rights & VM_READ ? 'r' : '-', r->rights & VM_WRITE ? 'w' : '-',
         r->rights & VM_EXEC ? 'x' : '-', r->rights & VM_USER ? 'u' : '-',
         r->shared ? "shared" : "", r->name);
}

int main(int argc, char **argv) {
  uint64 size = 0, resident = 0;
  char name[PROCNAMESZ];
  struct vmregion *all;
  struct sysinfo sys;
  long long pid = getpid();
  int n;

  if (argc > 2 || (argc == 2 && parse_number(argv[1], &pid) < 0))
    bad_usage(USAGE);
  if (sysinfo(&sys) < 0)
    fatal("sysinfo");
  digits = (PAGE_BITS + sys.levels * sys.index_bits + 3) / 4;
  all = all_regions(pid, &n);
  proc_name(pid, name);
  printf("address space of process %lld (%s)\n", pid, name);
  printf("%-*s %9s %9s  %-4s %-6s  %s\n", 2 * digits + 1, "ADDRESSES", "KiB",
         "MEM", "MAY", "", "WHAT");
  for (int i = 0; i < n; i++) {
    show(&all[i]);
    size += all[i].end - all[i].start;
    resident += all[i].resident;
  }
  printf("%-*s %9ld %9ld\n", 2 * digits + 1, "total", (long)(size / 1024),
         (long)(resident / 1024));
  return 0;
}
