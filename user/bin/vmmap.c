/*
 * vmmap PID: the regions of a process's address space, its own without PID.
 *
 * A region says what may be there; MEM is how much of it is.
 */
#include "user/user.h"

#define USAGE "[PID]"
#define REGIONS_FIRST 32

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

static void show(const struct vmregion *r) {
  printf("%010llx-%010llx %9ld %9ld  %c%c%c%c %-6s  %s\n",
         (unsigned long long)r->start, (unsigned long long)r->end,
         (long)((r->end - r->start) / 1024), (long)(r->resident / 1024),
         r->rights & VM_READ ? 'r' : '-', r->rights & VM_WRITE ? 'w' : '-',
         r->rights & VM_EXEC ? 'x' : '-', r->rights & VM_USER ? 'u' : '-',
         r->shared ? "shared" : "", r->name);
}

int main(int argc, char **argv) {
  uint64 size = 0, resident = 0;
  char name[PROCNAMESZ];
  struct vmregion *all;
  long long pid = getpid();
  int n;

  if (argc > 2 || (argc == 2 && parse_number(argv[1], &pid) < 0))
    bad_usage(USAGE);
  all = all_regions(pid, &n);
  proc_name(pid, name);
  printf("address space of process %lld (%s)\n", pid, name);
  printf("%-21s %9s %9s  %-4s %-6s  %s\n", "ADDRESSES", "KiB", "MEM", "MAY", "",
         "WHAT");
  for (int i = 0; i < n; i++) {
    show(&all[i]);
    size += all[i].end - all[i].start;
    resident += all[i].resident;
  }
  printf("%-21s %9ld %9ld\n", "total", (long)(size / 1024),
         (long)(resident / 1024));
  return 0;
}
