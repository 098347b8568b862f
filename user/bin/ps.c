/*
 * ps: all processes.
 *
 * SIZE is what their regions span, MEM the pages present, TABLES the page-table
 * pages, all in KiB; THR is how many threads it has, and STATE that of the
 * busiest; TIME is processor time in seconds; WAITS is what a
 * sleeping process sleeps on.
 */
#include "user/user.h"

#define KIB 1024
#define NSEC_PER_MSEC 1000000

static void show(const struct procinfo *p) {
  long ms = p->cpu_ns / NSEC_PER_MSEC;

  printf("%4d %4d %4d %3d %-6s %3d %5ld.%02ld %6ld %6ld %6ld %-10s %s\n",
         p->pid, p->ppid, p->pgid, p->cpu, proc_state(p->state), p->threads,
         ms / 1000, ms % 1000 / 10, (long)(p->size / KIB),
         (long)(p->resident / KIB), (long)(p->tables / KIB), p->waiting,
         p->name);
}

int main(int argc, char **argv) {
  struct procinfo *all;
  int n;

  (void)argv;
  if (argc != 1)
    bad_usage("");
  all = all_procs(&n);
  printf("%4s %4s %4s %3s %-6s %3s %8s %6s %6s %6s %-10s %s\n", "PID", "PPID",
         "PGID", "CPU", "STATE", "THR", "TIME", "SIZE", "MEM", "TABLES",
         "WAITS", "NAME");
  for (int i = 0; i < n; i++)
    show(&all[i]);
  return 0;
}
