/*
 * vmmap PID: the regions of a process's address space, its own without PID.
 *
 * A region says what may be there; MEM is how much of it is. Of that, others
 * have SHARED, too: a file's cached pages, memory that fork shares until one
 * writes, the page of zeros. DIRTY is private memory that was written, and SUPER
 * what superpages map. All in KiB. The last line counts what page faults did.
 */
#include "user/user.h"

#define USAGE "[PID]"
#define PAGE_BITS 12 /* of an address: the offset in a page */

static int digits; /* of an address */

static long kib(uint64 bytes) { return (long)(bytes / 1024); }

static void show_sizes(const struct vmregion *r, uint64 size) {
  printf("%8ld %6ld %6ld %6ld %6ld", kib(size), kib(r->resident),
         kib(r->common), kib(r->dirty), kib(r->super));
}

static void show(const struct vmregion *r) {
  printf("%0*llx-%0*llx ", digits, (unsigned long long)r->start, digits,
         (unsigned long long)r->end);
  show_sizes(r, r->end - r->start);
  printf("  %c%c%c%c %-6s %s\n", r->rights & VM_READ ? 'r' : '-',
         r->rights & VM_WRITE ? 'w' : '-', r->rights & VM_EXEC ? 'x' : '-',
         r->rights & VM_USER ? 'u' : '-', r->shared ? "shared" : "", r->name);
}

static void show_all(const struct vmregion *all, int n) {
  struct vmregion total = {0};
  uint64 size = 0;

  printf("%-*s %8s %6s %6s %6s %6s  %-4s %-6s %s\n", 2 * digits + 1,
         "ADDRESSES", "KiB", "MEM", "SHARED", "DIRTY", "SUPER", "MAY", "",
         "WHAT");
  for (int i = 0; i < n; i++) {
    show(&all[i]);
    size += all[i].end - all[i].start;
    total.resident += all[i].resident;
    total.common += all[i].common;
    total.dirty += all[i].dirty;
    total.super += all[i].super;
  }
  printf("%-*s ", 2 * digits + 1, "total");
  show_sizes(&total, size);
  printf("\n");
}

static void show_faults(long long pid) {
  struct procinfo *all;
  int n;

  all = all_procs(&n);
  for (int i = 0; i < n; i++) {
    if (all[i].pid == pid)
      print_faults(&all[i].faults);
  }
}

int main(int argc, char **argv) {
  char name[PROCNAMESZ];
  struct vmregion *all;
  struct sysinfo sys;
  long long pid = getpid();
  int n;

  if (argc > 2 || (argc == 2 && (parse_number(argv[1], &pid) < 0 || pid < 1)))
    bad_usage(USAGE);
  if (sysinfo(&sys) < 0)
    fatal("sysinfo");
  digits = (PAGE_BITS + sys.levels * sys.index_bits + 3) / 4;
  all = all_regions(pid, &n);
  proc_name(pid, name);
  printf("address space of process %lld (%s)\n", pid, name);
  show_all(all, n);
  show_faults(pid);
  return 0;
}
