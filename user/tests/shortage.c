/*
 * shortage [-a | -r | -k] [-d] [-v] [-f N] [-s N] [-m N] [-c N] PROGRAM [ARGUMENT]...
 *
 * Run a program again and again; the first time its first allocation of memory
 * in the kernel fails, then its second, until it comes to its end with none
 * failing. Only the debug kernel can do that (abi/debug.h).
 *
 *   (none)  the n-th allocation fails, and so does the call or the program
 *   -a      the n-th does, and all after it: the program meets true shortage
 *   -r      the n-th does, and the kernel tries again, as it does in need: the
 *           program must not notice
 *   -k      the same, but whoever made the allocation, the kernel's own threads
 *           too
 *
 * -d: each time with caches that know nothing, so that the disk is read; -f where
 * to begin, -s in what steps to go on, -m how many runs at most, -c after
 * how many runs memcheck is asked each time; -v: say how each run ended, and print
 * where the allocation was.
 *
 * The program may end with an error, or be killed. If it, or what it started, waits
 * for somebody who was killed, it is ended, and that is told. When it has, and all that
 * descends from it, nothing of it may be left: no process or zombie, and no page,
 * object or stack of the kernel's. It runs in an empty directory, which is emptied
 * then.
 */
#include "abi/debug.h"
#include "abi/fs.h"
#include "user/thread.h"
#include "user/user.h"

#define DIRECTORY "/shortage.d"
#define LIMIT_NS 60000000000ULL /* for a run, and for memory to come back */
#define SETTLE_NS 10000000000ULL
#define WATCH_NS 1000000000ULL
#define IDLE 5 /* looks that find no progress, until they are ended */
#define PROCS_MAX 256

#define STATUS_NO_EXEC 127 /* it could not be started: as for the shell */

/* Stacks kept ready (kernel/mm/kstack.c), and one; of pages without a guard. */
#ifndef STACK_SLOT          /* mk/debug.mk: the debug kernel's are larger */
#define STACK_SLOT 0x4000UL /* three pages and a guard */
#endif
#define STACK_SLACK (33 * (STACK_SLOT / 4096 - 1))

static long flags;
static int verbose, cold;
static int check_every = 1;

/* What is compared. */
struct held {
  struct meminfo pages;
  long things; /* DEBUG_HELD */
};

/* The watchdog ends what runs for too long, and those who wait: for somebody who
 * was killed, and would have gone on with them. */
static int running;          /* the child, and its process group; 0: none */
static uint64 running_since; /* nanoseconds */
static int too_long;
static int waited; /* runs of which some were ended for that */

/* Of each of the two threads. They are written to before anything is measured. */
static struct procinfo seen[PROCS_MAX], watched[PROCS_MAX];

/* How many processes are in a group; in a list with room for all. */
static int group_size(struct procinfo *list, int pgid, void (*each)(int pid)) {
  int n = procs(list, PROCS_MAX), found = 0;

  for (int i = 0; i < n; i++)
    if (list[i].pgid == pgid) {
      found++;
      if (each)
        each(list[i].pid);
    }
  return found;
}

static void kill_one(int pid) { kill(pid); }

/* Processor time of a group, in nanoseconds. */
static uint64 group_time(int pgid) {
  const struct procinfo *list = watched;
  int n = procs(watched, PROCS_MAX);
  uint64 sum = 0;

  for (int i = 0; i < n; i++)
    sum += list[i].pgid == pgid ? list[i].cpu_ns : 0;
  return sum;
}

static int watch(void *arg) {
  static uint never;
  uint64 time = 0;
  int idle = 0;

  (void)arg;
  for (;;) {
    uint64 ns = WATCH_NS, now;
    int group = __atomic_load_n(&running, __ATOMIC_ACQUIRE);

    futex(&never, FUTEX_WAIT, 0, &ns);
    now = group_time(group);
    idle = now == time ? idle + 1 : 0;
    time = now;
    if (group == 0 || group != __atomic_load_n(&running, __ATOMIC_ACQUIRE))
      continue;
    if (clock() - running_since > LIMIT_NS)
      too_long = 1;
    else if (idle == IDLE)
      waited++;
    if (too_long || idle >= IDLE)
      group_size(watched, group, kill_one);
  }
  return 0;
}

static void measure(struct held *h) {
  h->things = debug(DEBUG_HELD, 0);
  meminfo(&h->pages);
}

static int held_more(const struct held *a, int complain) {
  struct held b;
  int more = 0;

  measure(&b);
  const struct {
    const char *what;
    long before, after;
  } row[] = {
      {"pages of processes", a->pages.user, b.pages.user},
      {"pages of page tables", a->pages.tables, b.pages.tables},
      {"pages of stacks", a->pages.stacks + STACK_SLACK, b.pages.stacks},
      {"pages of pipes", a->pages.pipes, b.pages.pipes},
      {"pages of the kernel", a->pages.kernel, b.pages.kernel},
      {"objects and stacks", a->things, b.things},
  };
  for (uint i = 0; i < sizeof(row) / sizeof(row[0]); i++)
    if (row[i].after > row[i].before) {
      more = 1;
      if (complain)
        printf("shortage: lost %d %s\n", (int)(row[i].after - row[i].before),
               row[i].what);
    }
  return more;
}

/* All that is left goes away within a while. The watchdog has a page of the kernel
 * now and then, so one look at which it has not is enough. */
static int all_came_back(const struct held *before) {
  uint64 start = clock();

  while (held_more(before, 0)) {
    if (clock() - start >= SETTLE_NS)
      return !held_more(before, 1);
    yield();
  }
  return 1;
}

static int all_gone(int group) {
  uint64 start = clock();

  while (group_size(seen, group, 0) > 0 && clock() - start < LIMIT_NS)
    yield();
  if (group_size(seen, group, 0) == 0)
    return 1;
  printf("shortage: processes are left\n");
  group_size(seen, group, kill_one);
  return 0;
}

static int accounts_hold(void) {
  struct memfault f = {0};
  struct memcheck sum;
  int n = memcheck(&sum, &f, 1);

  if (n == 0)
    return 1;
  printf(
      "shortage: memcheck finds %d faults: kind %d, frame 0x%llx, va 0x%llx, "
      "%u, %u\n",
      n, f.kind, (unsigned long long)f.pa, (unsigned long long)f.va, f.count,
      f.found);
  return 0;
}

static void __attribute__((noreturn)) child(long n, char **argv) {
  char path[DIRSIZ + 2];

  snprintf(path, sizeof(path), "/%s", argv[0]);
  setpgid(0, 0);
  if (debug(DEBUG_FAIL, flags | n) < 0)
    exit(STATUS_NO_EXEC);
  exec(path, argv);
  exit(STATUS_NO_EXEC);
}

/* Its status. */
static int run(long n, char **argv) {
  int status = -1;
  int pid = fork();

  if (pid < 0)
    fatal("fork");
  if (pid == 0)
    child(n, argv);
  too_long = 0;
  running_since = clock();
  __atomic_store_n(&running, pid, __ATOMIC_RELEASE);
  if (waitpid(pid, &status, 0) != pid)
    fatal("waitpid");
  if (!all_gone(pid))
    too_long = 1;
  __atomic_store_n(&running, 0, __ATOMIC_RELEASE);
  return status;
}

/* Is there anything but itself and the one above in it? 0: nor the directory. */
static int has_names(const char *directory) {
  struct dirent e;
  int fd = open(directory, O_RDONLY), found = 0;

  if (fd < 0)
    return 0;
  while (read(fd, &e, sizeof(e)) == sizeof(e))
    found |= e.inum != 0 && strcmp(e.name, ".") && strcmp(e.name, "..");
  close(fd);
  return found;
}

static int remove_all(char *directory) {
  char *argv[] = {"/rm", "-r", "-f", directory, 0};
  int status = -1, pid = fork();

  if (pid == 0) {
    exec(argv[0], argv);
    exit(STATUS_NO_EXEC);
  }
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* The directory, and what usertests leaves when it is killed. */
static int empty(void) {
  struct stat st;

  if (stat("/usertests.d", &st) == 0 && !remove_all("/usertests.d"))
    return 0;
  if (!has_names(DIRECTORY))
    return 1;
  chdir("/");
  return remove_all(DIRECTORY) && mkdir(DIRECTORY) == 0 &&
         chdir(DIRECTORY) == 0;
}

/* With the n-th failing. How many failed, or -1: that went wrong. `before` 0:
 * nothing is compared. */
static long attempt(long n, char **argv, const struct held *before) {
  int status = cold && debug(DEBUG_FORGET, 0) < 0 ? -1 : run(n, argv);
  long failed = debug(DEBUG_FAIL_END, 0);
  int good = !too_long;

  if (verbose)
    printf("shortage: %d: %d failed, status %d\n", (int)n, (int)failed, status);
  if (too_long)
    printf("shortage: it did not end\n");
  if (status != 0 && (failed == 0 || (flags & FAIL_AGAIN))) {
    printf("shortage: it ended with status %d, though %s\n", status,
           failed == 0 ? "nothing failed" : "the kernel could try again");
    good = 0;
  }
  if (!empty()) {
    printf("shortage: its directory cannot be emptied\n");
    good = 0;
  }
  good &= !before || all_came_back(before);
  if (n % check_every == 0)
    good &= accounts_hold();
  if (!good)
    printf("shortage: n = %d\n", (int)n);
  return good ? failed : -1;
}

static int all(long first, long step, long most, char **argv) {
  struct held before;
  long n = first, runs = 0, failed, injected = 0;
  long places = debug(DEBUG_FAIL_PLACES, 0);
  int bad = 0;

  remove_all(DIRECTORY);
  if (mkdir(DIRECTORY) < 0 || chdir(DIRECTORY) < 0)
    fatal(DIRECTORY);
  /* once as it is: then the caches know all that they will */
  if (attempt(FAIL_NUMBER, argv, 0) != 0) {
    printf("shortage: FAILED, when nothing was short\n");
    return 1;
  }
  measure(&before);
  held_more(&before, 0); /* its stack, too, is there from now on */
  measure(&before);
  do {
    failed = attempt(n, argv, &before);
    injected += failed > 0 ? failed : 0;
    bad += failed < 0;
    if (failed < 0)
      measure(&before);
    runs++;
    n += step;
  } while (failed != 0 && runs < most && bad < 5);
  printf("shortage: %d runs, %d failures at %d new places%s: ", (int)runs,
         (int)injected, (int)(debug(DEBUG_FAIL_PLACES, 0) - places),
         failed == 0 ? "" : ", not all");
  if (waited > 0)
    printf("%d ended that waited: ", waited);
  printf(bad ? "FAILED\n" : "OK\n");
  return bad > 0;
}

#define USAGE                                                           \
  "[-a | -r | -k] [-d] [-v] [-f first] [-s step] [-m most] [-c check] " \
  "program "                                                            \
  "[argument]..."

int main(int argc, char **argv) {
  long long first = 1, step = 1, most = FAIL_NUMBER, check = 1;
  int c, r, bad = 0;

  while ((c = getopt(argc, argv, "arkdvf:s:m:c:")) != -1) {
    long long *number = c == 'f'   ? &first
                        : c == 's' ? &step
                        : c == 'm' ? &most
                        : c == 'c' ? &check
                                   : 0;

    if (number)
      bad |= parse_number(optarg, number) < 0 || *number < 1 ||
             *number > FAIL_NUMBER;
    bad |= c == '?';
    flags |= c == 'a'   ? FAIL_FROM
             : c == 'r' ? FAIL_AGAIN
             : c == 'k' ? FAIL_AGAIN | FAIL_ALL
             : c == 'v' ? FAIL_TELL
                        : 0;
    verbose |= c == 'v';
    cold |= c == 'd';
  }
  if (bad || optind == argc)
    bad_usage(USAGE);
  check_every = check;
  if (debug(DEBUG_FAIL_END, 0) < 0)
    fatal("not the debug kernel");
  memset(seen, 1, sizeof(seen));
  memset(watched, 1, sizeof(watched));
  if (!thread_create(watch, 0))
    fatal("no thread");
  r = all(first, step, most, argv + optind);
  chdir("/");
  unlink(DIRECTORY);
  exit(r);
}
