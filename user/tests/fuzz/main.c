/*
 * fuzz [-s SEED] [-n CALLS] [-m SECONDS] [-p FAMILIES] [-t THREADS] [-r ROUND]
 * [-v]: all system calls, with arguments drawn from what hurts, from several
 * processes and threads at once that share memory, files and pipes.
 *
 *   fuzz, the supervisor: makes no wild call, has all rights
 *     family: a process without the right to end others, with threads, and
 *             children that have threads and children
 *     family ...
 *
 * Whatever a family does to itself is no fault: it may be killed, unmap its own
 * text, call exec or exit, wait for ever. The supervisor sees that it is gone,
 * or that its count of calls stands still and kills it; then the next round
 * begins with a new one. A kill must be obeyed, and when all is over everything
 * must be as before: no process left, no memory, no file (the test that runs
 * this looks at the disk), and memcheck finds nothing.
 *
 * Each thread of each round draws from a stream of its own, made from the seed:
 * the same seed makes the same calls again, if not in the same order across
 * threads. -r begins at a later round; -v prints every call.
 */
#include "fuzz.h"

#include "abi/fs.h"
#include "kernel/stat.h"

#define ROUND_CALLS 4000 /* of a family */
#define TICK_NS 5000000ULL
#define STILL_TICKS 20         /* without a call: it waits for something */
#define DEAD_NS 60000000000ULL /* a kill must have been obeyed */
#define SETTLE_NS 20000000000ULL
#define SAY_EVERY 20000       /* calls, between two lines of progress */
#define SAY_NS 30000000000ULL /* the same for a slow computer */
#define CROWD 32              /* processes: strays are not left any time then */
#define PASSES 4              /* over the strays, at a time */

struct shared *shared;
int verbose;

static uint64 seed = 1;
static uint64 wanted = 20000;
static uint64 until_ns = ~0ULL; /* or clock() */
static uint nfamilies = 3, nthreads = 3;

static struct family {
  int pid; /* 0: none */
  uint round;
  uint64 seen;      /* calls when last looked at */
  uint still;       /* ticks since that changed */
  uint64 killed_ns; /* 0: not killed */
} families[FAMILIES_MAX];

static struct {
  uint64 calls; /* of rounds that are over */
  uint rounds, waiting, died;
} counts;

static void nap(void) {
  static uint never;
  uint64 ns = TICK_NS;

  futex(&never, FUTEX_WAIT, 0, &ns);
}

/* --- files --- */

static void copy_program(const char *to) {
  static char buf[16384];
  int from = open("/true", O_RDONLY), fd = open(to, O_CREATE | O_RDWR), n;

  while ((n = read(from, buf, sizeof(buf))) > 0)
    write(fd, buf, n);
  close(from);
  close(fd);
}

/* --- a family --- */

/* Descriptors from 0 on: console, file, directory, pipes, and once more. */
static void open_files(void) {
  int fd[2];

  for (int i = 0; i < 16; i++)
    close(i);
  open("/console", O_RDONLY);
  open("a", O_CREATE | O_RDWR);
  open(".", O_RDONLY);
  pipe(fd);
  pipe(fd);
  write(fd[1], "0123456789abcdef", 16);
  open("../s/shared", O_CREATE | O_RDWR);
  open(PROGRAM, O_RDONLY);
  open("b", O_CREATE | O_WRONLY | O_APPEND);
  dup(1);
  open("c", O_CREATE | O_RDWR);
  pipe(fd);
  unlink("c"); /* it lives until it is closed */
}

/* One family in so many begins with no descriptor left. */
#define FULL_IN 4

static void fill_descriptors(void) {
  while (dup(0) >= 0)
    ;
}

static void enter_directory(uint i) {
  char name[2] = {(char)('A' + i), 0};

  chdir("/");
  mkdir(WORKDIR);
  chdir(WORKDIR);
  mkdir("s");
  mkdir(name);
  if (chdir(name) < 0)
    exit(1);
  each_name(remove_tree);
  mkdir("d");
  copy_program(PROGRAM);
}

static void family_begins(uint i, uint round) {
  static struct fuzzer f[FAMILIES_MAX * 2];

  enter_directory(i);
  open_files();
  if (mix(seed + i, round) % FULL_IN == 0)
    fill_descriptors();
  restrict_rights(round % 2 ? RIGHT_INSPECT : 0);
  for (uint k = 0; k < nthreads; k++)
    f[k] = (struct fuzzer){.random = mix(mix(seed, i), (uint64)round << 8 | k),
                           .family = i,
                           .number = k,
                           .stop = ROUND_CALLS,
                           .left = ~0u};
  values_prepare(f);
  for (uint k = 1; k < nthreads; k++)
    thread_create(fuzz_thread, &f[k]);
  fuzz_thread(f);
}

/* --- the supervisor --- */

/* In the round that a family is at. The count is in memory that it shares, so
 * it may have been written over. */
static uint64 calls_of(uint i) {
  uint64 n = __atomic_load_n(&shared->calls[i], __ATOMIC_RELAXED);

  return n < ROUND_CALLS ? n : ROUND_CALLS;
}

static uint64 calls_made(void) {
  uint64 n = counts.calls;

  for (uint i = 0; i < nfamilies; i++)
    n += calls_of(i);
  return n;
}

static void start_family(uint i) {
  struct family *f = &families[i];
  int pid;

  counts.calls += calls_of(i);
  shared->calls[i] = 0;
  pid = fork();
  if (pid == 0)
    family_begins(i, f->round);
  if (pid < 0)
    return; /* no memory just now */
  f->pid = pid;
  f->round++;
  f->still = 0;
  f->killed_ns = 0;
  counts.rounds++;
}

static void show_processes(void) {
  int n;
  struct procinfo *p = all_procs(&n);

  for (int i = 0; i < n; i++)
    printf("  pid %d ppid %d %s threads %d waits for %s: %s\n", p[i].pid,
           p[i].ppid, proc_state(p[i].state), p[i].threads, p[i].waiting,
           p[i].name);
}

static void failed(const char *what, int pid) {
  printf("fuzz: %s (pid %d)\n", what, pid);
  show_processes();
  exit(1);
}

static void watch(uint i) {
  struct family *f = &families[i];
  uint64 now = shared->calls[i];

  if (f->killed_ns != 0) {
    if (clock() - f->killed_ns > DEAD_NS)
      failed("a process was killed and does not end", f->pid);
    return;
  }
  f->still = now == f->seen ? f->still + 1 : 0;
  f->seen = now;
  if (f->still < STILL_TICKS)
    return;
  kill(f->pid);
  f->killed_ns = clock();
  counts.waiting++;
}

static void reap(void) {
  int pid, status;

  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (uint i = 0; i < nfamilies; i++)
      if (families[i].pid == pid) {
        families[i].pid = 0;
        counts.died += status == STATUS_KILLED && families[i].killed_ns == 0;
      }
}

static const struct procinfo *proc_of(const struct procinfo *p, int n,
                                      int pid) {
  for (int i = 0; i < n; i++)
    if (p[i].pid == pid)
      return &p[i];
  return 0;
}

/* Is it neither there before us, nor of a family? */
static int is_stray(const struct procinfo *all, int n,
                    const struct procinfo *p) {
  while (p != 0 && p->pid > getpid()) {
    for (uint i = 0; i < nfamilies; i++)
      if (families[i].pid == p->pid)
        return 0;
    if (p->ppid <= getpid())
      return 1;
    p = proc_of(all, n, p->ppid);
  }
  return 0;
}

/* Kill what families left behind. How many. */
static int kill_strays(void) {
  int n, found = 0;
  struct procinfo *p = all_procs(&n);

  for (int i = 0; i < n; i++)
    if (is_stray(p, n, &p[i])) {
      kill(p[i].pid);
      found++;
    }
  free(p);
  return found;
}

/* Asked at each tick: a list of processes, with what each has in memory, takes
 * long. */
static int crowded(void) {
  struct sysinfo s;

  return sysinfo(&s) == 0 && s.processes >= CROWD;
}

static void end_all(void) {
  uint64 start = clock();

  for (uint i = 0; i < nfamilies; i++)
    if (families[i].pid)
      kill(families[i].pid);
  while (reap(), waitpid(-1, 0, WNOHANG) >= 0 || kill_strays() > 0) {
    if (clock() - start > DEAD_NS)
      failed("processes were killed and do not end", 0);
    nap();
  }
}

/* Whoever waits for this one should see that it goes on. */
static void say(void) {
  static uint64 said, said_ns;
  uint64 made = calls_made();

  if (made - said < SAY_EVERY && clock() - said_ns < SAY_NS)
    return;
  if (said_ns != 0)
    printf("fuzz: %llu calls\n", (unsigned long long)made);
  said = made;
  said_ns = clock();
}

/* Families that wait, and strays, are given a while, so that others meet them;
 * but not so long that those who run leave nothing of the processors to us.
 * Some do nothing but fork: each pass leaves fewer, if it follows at once. */
static void supervise(void) {
  for (uint tick = 0; calls_made() < wanted && clock() < until_ns; tick++) {
    for (uint i = 0; i < nfamilies; i++)
      if (families[i].pid == 0)
        start_family(i);
      else
        watch(i);
    nap();
    reap();
    for (uint i = 0; i < PASSES; i++)
      if ((tick % STILL_TICKS != 0 && !crowded()) || kill_strays() == 0)
        break;
    say();
  }
  end_all();
}

/* --- is all as before? --- */

/* Stacks kept ready (kernel/mm/kstack.c), and one; of pages without a guard. */
#define STACK_SLACK (33 * (STACK_SLOT / PAGE - 1))
#ifndef STACK_SLOT          /* mk/debug.mk: the debug kernel's are larger */
#define STACK_SLOT 0x4000UL /* three pages and a guard */
#endif
#define SLAB_SLACK 256 /* pages: remembered inodes and names */

static int lost(const struct meminfo *a, int complain) {
  struct meminfo b;
  int bad = 0;

  meminfo(&b);
  const struct {
    const char *owner;
    uint64 before, after;
  } row[] = {{"processes", a->user, b.user},
             {"page tables", a->tables, b.tables},
             {"kernel stacks", a->stacks + STACK_SLACK, b.stacks},
             {"pipes", a->pipes, b.pipes},
             {"kernel", a->kernel, b.kernel},
             {"slab", a->slab + SLAB_SLACK + b.cache / 8, b.slab}};
  for (uint i = 0; i < NELEM(row); i++)
    if (row[i].after > row[i].before) {
      bad = 1;
      if (complain)
        printf("fuzz: lost %d pages (%s)\n",
               (int)(row[i].after - row[i].before), row[i].owner);
    }
  return bad;
}

static int memory_lost(const struct meminfo *before) {
  uint64 start = clock();

  while (lost(before, 0) && clock() - start < SETTLE_NS)
    nap();
  return lost(before, 1);
}

static int memory_damaged(void) {
  struct memfault f = {0};
  struct memcheck sum;
  int n = memcheck(&sum, &f, 1);

  if (n != 0)
    printf("fuzz: memcheck finds %d faults: kind %d, frame 0x%llx, va 0x%llx\n",
           n, f.kind, (unsigned long long)f.pa, (unsigned long long)f.va);
  return n != 0;
}

static void options(int argc, char **argv) {
  long long number, first = 0;
  int c, bad = 0;

  while ((c = getopt(argc, argv, "s:n:p:t:r:m:v")) != -1) {
    if (c == 'v') {
      verbose = 1;
      continue;
    }
    bad |= c == '?' || parse_number(optarg, &number) < 0 || number < 0;
    if (c == 's')
      seed = number;
    if (c == 'n')
      wanted = number;
    if (c == 'p')
      nfamilies = number;
    if (c == 't')
      nthreads = number;
    if (c == 'r')
      first = number;
    if (c == 'm')
      until_ns = clock() + (uint64)number * 1000000000ULL;
  }
  if (bad || optind != argc || nfamilies - 1u >= FAMILIES_MAX ||
      nthreads - 1u >= FAMILIES_MAX * 2)
    bad_usage(
        "[-s seed] [-n calls] [-m seconds] [-p families] [-t threads] "
        "[-r round] [-v]");
  for (uint i = 0; i < nfamilies; i++)
    families[i].round = first;
}

/* The counts, where no buffer that runs over its end gets. */
static void map_shared(void) {
  char *at = mmap(0, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  shared = mmap(at + PAGE, PAGE, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (shared == MAP_FAILED)
    fatal("no memory");
}

static void run(void) {
  int mode = ttyctl(1, TTY_GETMODE, 0), group = ttyctl(1, TTY_GETPGRP, 0);

  calls_prepare();
  if (verbose)
    dup2(1, VERBOSE_FD);
  supervise();
  ttyctl(1, TTY_SETMODE, mode);
  ttyctl(1, TTY_SETPGRP, group);
}

/* In a process of its own, so that what it touches does not count. */
static void all_of_it(void) {
  uint64 start = clock(), made;

  map_shared();
  chdir("/");
  note_names();
  run();
  chdir("/");
  remove_new_names();
  sync();
  made = calls_made();
  printf(
      "fuzz: %llu calls, %llu a second; %u families, of which %u were killed "
      "as they waited and %u died of what they did\n",
      (unsigned long long)made,
      (unsigned long long)(made * 1000000000ULL / (clock() - start + 1)),
      counts.rounds, counts.waiting, counts.died);
  exit(0);
}

int main(int argc, char **argv) {
  struct meminfo before;
  int bad = 1;

  options(argc, argv);
  printf("fuzz: seed %llu\n", (unsigned long long)seed);
  lost(&before, 0); /* touch what will be */
  memory_damaged();
  meminfo(&before);
  if (fork() == 0)
    all_of_it();
  wait(&bad);
  bad = bad != 0;
  bad |= memory_lost(&before);
  bad |= memory_damaged();
  printf("fuzz %s (seed %llu)\n", bad ? "FAILED" : "OK",
         (unsigned long long)seed);
  return bad;
}
