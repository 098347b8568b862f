/*
 * top [-n TIMES] [-d SECONDS]: the processes that use the processors, again
 * and again; q ends it.
 *
 * A read of the terminal waits until a key is typed, so a child does it, and
 * its end is the sign that q was. What a process used between two screens is
 * the difference of its times in two lists.
 */
#include "user/user.h"

#define USAGE "[-n TIMES] [-d SECONDS]"
#define DEFAULT_SECONDS 2
#define ROWS 20 /* processes on a screen */

struct snapshot {
  uint64 when; /* clock() */
  struct sysinfo sys;
  struct procinfo *procs;
  int count;
};

static int tty;     /* fd 0 is a terminal, now in raw mode */
static int watcher; /* the child that waits for q */

static void take(struct snapshot *s) {
  if (sysinfo(&s->sys) < 0)
    fatal("sysinfo");
  s->procs = all_procs(&s->count);
  s->when = clock();
}

static uint64 time_before(const struct snapshot *s, int pid) {
  for (int i = 0; i < s->count; i++)
    if (s->procs[i].pid == pid)
      return s->procs[i].cpu_ns;
  return 0;
}

/* Turn times since the start into times since `old`; the busiest first. */
static void rank(struct snapshot *now, const struct snapshot *old) {
  struct procinfo *p = now->procs;

  for (int i = 0; i < now->count; i++) {
    uint64 before = time_before(old, p[i].pid);

    p[i].cpu_ns -= before < p[i].cpu_ns ? before : p[i].cpu_ns;
  }
  for (int i = 1; i < now->count; i++) {
    struct procinfo moved = p[i];
    int j = i;

    for (; j > 0 && p[j - 1].cpu_ns < moved.cpu_ns; j--)
      p[j] = p[j - 1];
    p[j] = moved;
  }
}

static void show_header(const struct snapshot *now,
                        const struct snapshot *old) {
  uint64 passed = (now->when - old->when) / 1000 * now->sys.cpus;
  uint64 idle = (now->sys.idle_ns - old->sys.idle_ns) / 1000;
  struct meminfo m;

  if (meminfo(&m) < 0)
    fatal("meminfo");
  printf("up %ld s, %u CPU%s %ld%% busy, %u processes, %u runnable\n",
         (long)(now->when / 1000000000), now->sys.cpus,
         now->sys.cpus == 1 ? "" : "s",
         passed > idle ? (long)((passed - idle) * 100 / passed) : 0,
         now->sys.processes, now->sys.runnable);
  printf("switches %ld, interrupts %ld, system calls %ld, page faults %ld\n",
         (long)(now->sys.switches - old->sys.switches),
         (long)(now->sys.interrupts - old->sys.interrupts),
         (long)(now->sys.syscalls - old->sys.syscalls),
         (long)(now->sys.faults.total - old->sys.faults.total));
  printf("memory: %ld KiB, %ld free, %ld user, %ld tables, %ld cache\n\n",
         (long)(m.total * m.page_size / 1024),
         (long)(m.free * m.page_size / 1024),
         (long)(m.user * m.page_size / 1024),
         (long)(m.tables * m.page_size / 1024),
         (long)(m.cache * m.page_size / 1024));
}

static void show(struct snapshot *now, const struct snapshot *old) {
  uint64 passed = now->when - old->when;

  if (tty)
    printf("\x1b[H\x1b[2J");
  show_header(now, old);
  rank(now, old);
  printf("%5s %6s %-6s %3s %3s %8s  %s\n", "PID", "CPU%", "STATE", "THR", "CPU",
         "MEM", "NAME");
  for (int i = 0; i < now->count && i < ROWS; i++) {
    struct procinfo *p = &now->procs[i];
    long tenths = p->cpu_ns / 1000 * 1000 / (passed / 1000 + 1);

    printf("%5d %4ld.%ld %-6s %3d %3d %7ldK  %s\n", p->pid, tenths / 10,
           tenths % 10, proc_state(p->state), p->threads, p->cpu,
           (long)(p->resident / 1024), p->name);
  }
}

static void watch_keys(void) {
  char c;

  while (read(0, &c, 1) == 1 && c != 'q')
    continue;
  exit(0);
}

static void begin_screen(void) {
  if (ttyctl(0, TTY_GETMODE, 0) < 0)
    return;
  tty = 1;
  ttyctl(0, TTY_SETMODE, TTY_SIGNAL);
  watcher = fork();
  if (watcher == 0)
    watch_keys();
}

static void end_screen(void) {
  if (!tty)
    return;
  if (watcher > 0) {
    kill(watcher);
    waitpid(watcher, 0, 0);
  }
  ttyctl(0, TTY_SETMODE, TTY_COOKED);
}

/* Returns 1 when q was typed. */
static int wait_seconds(long long seconds) {
  for (long long i = 0; i < seconds * TICKS_PER_SECOND; i++) {
    if (watcher > 0 && waitpid(watcher, 0, WNOHANG) == watcher) {
      watcher = 0;
      return 1;
    }
    if (pause(1) < 0)
      return 1;
  }
  return 0;
}

static void run(long long times, long long seconds) {
  struct snapshot old, now;

  memset(&old, 0, sizeof(old)); /* the first screen counts from the boot */
  for (long long i = 0; times == 0 || i < times; i++) {
    if (i > 0 && wait_seconds(seconds))
      return;
    take(&now);
    show(&now, &old);
    free(old.procs);
    free(now.procs);
    take(&old);
  }
}

int main(int argc, char **argv) {
  long long times = 0, seconds = DEFAULT_SECONDS;
  int option;

  while ((option = getopt(argc, argv, "n:d:")) != -1)
    if (option == '?' ||
        parse_number(optarg, option == 'n' ? &times : &seconds) < 0 ||
        times < 0 || seconds < 1)
      bad_usage(USAGE);
  if (optind < argc)
    bad_usage(USAGE);
  if (times != 1)
    begin_screen();
  run(times, seconds);
  end_screen();
  return 0;
}
