/* uptime: since when the machine runs, and how busy it is. */
#include "user/user.h"

#define NSEC_PER_SEC 1000000000

/* Share of all CPUs' time that was not idle, in percent. */
static int busy_percent(const struct sysinfo *s) {
  uint64 total = s->uptime_ns / 1000 * s->cpus;
  uint64 idle = s->idle_ns / 1000;

  return total > idle ? (total - idle) * 100 / total : 0;
}

int main(int argc, char **argv) {
  struct sysinfo s;
  long seconds;

  (void)argv;
  if (argc != 1)
    bad_usage("");
  if (sysinfo(&s) < 0)
    fatal("sysinfo");
  seconds = s.uptime_ns / NSEC_PER_SEC;
  printf("up %ld:%02ld:%02ld, %u CPU%s %d%% busy since boot, ", seconds / 3600,
         seconds / 60 % 60, seconds % 60, s.cpus, s.cpus == 1 ? "" : "s",
         busy_percent(&s));
  printf("%u processes, %u runnable\n", s.processes, s.runnable);
  return 0;
}
