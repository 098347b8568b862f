/*
 * What ps, top, vmmap and their like have in common: the lists of processes and
 * of regions, and how their numbers are written.
 */
#include "extra.h"
#include "user/user.h"

#define PROCS_FIRST 64 /* entries tried first */
#define REGIONS_FIRST 32

EXTRA struct procinfo *all_procs(int *count) {
  struct procinfo *all = 0;
  int size = PROCS_FIRST / 2;

  do {
    size *= 2;
    all = xrealloc(all, size * sizeof(all[0]));
    *count = procs(all, size);
    if (*count < 0)
      fatal("cannot list processes");
  } while (*count >= size);
  return all;
}

EXTRA struct vmregion *all_regions(int pid, int *count) {
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

EXTRA const char *proc_state(int state) {
  static const char *const names[] = {
      [P_EMBRYO] = "new",     [P_RUNNING] = "run",   [P_RUNNABLE] = "ready",
      [P_SLEEPING] = "sleep", [P_ZOMBIE] = "zombie",
  };

  return state >= P_EMBRYO && state <= P_ZOMBIE ? names[state] : "?";
}

EXTRA void proc_name(int pid, char *name) {
  struct procinfo *all;
  int n;

  if (pid == PID_KERNEL) {
    strcpy(name, "kernel");
    return;
  }
  strcpy(name, "?");
  all = all_procs(&n);
  for (int i = 0; i < n; i++)
    if (all[i].pid == pid)
      strcpy(name, all[i].name);
  free(all);
}

EXTRA void print_faults(const struct fault_counts *f) {
  printf("page faults %u, refused %u\n", f->total, f->refused);
  printf("  zeros %u, copied %u, reused %u, files %u, superpages %u\n", f->zero,
         f->copy, f->reuse, f->file, f->super);
}
