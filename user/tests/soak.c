/*
 * soak [-s SEED] [-m MINUTES] [-r SECONDS]: everything at once, round after
 * round, with little memory left.
 *
 * A round lasts a minute (-r), or until what has begun is over. There are two
 * kinds, in turns:
 *
 *   strict  programs that need what they ask for, and say whether it was right,
 *           each again and again with new seeds. A process holds most of the
 *           memory, but leaves enough. Every program must succeed.
 *   rough   those, others that use up processes, memory and disk, and hardly
 *           any memory. Programs may fail or be killed; at the end all are.
 *
 * After each round all that it made must be gone, memory, processes and files,
 * and memcheck must find nothing wrong. The same seed makes the same programs
 * run with the same arguments, but not at the same moments.
 */
#include "kernel/types.h"

#include "user/user.h"

#define WORKDIR "/soak.d"
#define OUTPUT "output" /* of a program, in its worker's directory */
#define ARGS_MAX 6
#define PROCS_MAX 64
#define MB_PAGES 256 /* pages of a mebibyte */
#define STRICT_LEFT (32 * MB_PAGES)
#define ROUGH_LEFT (3 * MB_PAGES)
#define BALLAST_STEP 64 /* pages */
#define PAGE 4096
#define SECOND 1000000000ULL
#define PATIENCE (300 * SECOND) /* for what must go away */
#define SLACK \
  300 /* pages of kernel objects and stacks that are kept (usertests) */
#define CACHED_PER_OBJECTS 8 /* cached pages for which one of objects may be */
#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

/* A program, which a worker of its own runs. SEED becomes a number. */
static const struct job {
  const char *argv[ARGS_MAX];
  enum { ROUGH, EITHER, STRICT } use; /* EITHER: it may fail in both */
} jobs[] = {
    {{"/grind", "-s", "SEED", "-n", "300"}, STRICT},
    {{"/vmthreads", "-s", "SEED", "-n", "60"}, EITHER},
    {{"/vmthreads", "-s", "SEED", "-n", "40"}, EITHER},
    {{"/vmmodel", "-s", "SEED", "-n", "100"}, STRICT},
    {{"/stressfs"}, STRICT},
    {{"/fptest"}, STRICT},
    {{"/isolation", "-s", "SEED", "structs", "remains_files"}, STRICT},
    {{"/sh", "-c", "ls -l / | cat | sort | cat | wc; cat /README | grep a"},
     STRICT},
    {{"/sh", "-c", "ps; vmmap; free; memcheck; cp /sh x; ./x -c true; rm x"},
     STRICT},
    {{"/fuzz", "-s", "SEED", "-n", "2000"}, ROUGH},
    {{"/usertests", "-q", "-c"}, ROUGH},
    {{"/forktest"}, ROUGH},
    {{"/vmpressure"}, ROUGH},
};

/* What all processes see. */
static struct common {
  uint stop;    /* [a] no more programs */
  uint runs;    /* [a] programs that ended */
  uint failed;  /* [a] of these, with an error, */
  uint wrong;   /* [a] and must not */
  uint ballast; /* [a] pages that the ballast has */
} * common;

static int strict;
static int base[PROCS_MAX]; /* processes that were there before */
static int nbase;
static struct meminfo at_first;

static uint get(uint *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

static void add(uint *word, uint n) {
  __atomic_fetch_add(word, n, __ATOMIC_SEQ_CST);
}

/* --- workers --- */

static void show_output(const struct job *job, int status) {
  char buf[2000];
  int n, fd = open(OUTPUT, O_RDONLY);

  printf("soak: %s %s: status %d; its output ends with\n", job->argv[0],
         job->argv[1] ? job->argv[1] : "", status);
  if (fd < 0)
    return;
  if (lseek(fd, -(long)sizeof(buf) + 1, SEEK_END) < 0)
    lseek(fd, 0, SEEK_SET);
  n = read(fd, buf, sizeof(buf) - 1);
  buf[n > 0 ? n : 0] = 0;
  printf("%s\n", buf);
  close(fd);
}

static void become(const struct job *job, uint seed) {
  char *argv[ARGS_MAX + 1], number[16];

  snprintf(number, sizeof(number), "%u", seed);
  for (uint i = 0; i < ARGS_MAX; i++)
    argv[i] = job->argv[i] && strcmp(job->argv[i], "SEED") == 0
                  ? number
                  : (char *)job->argv[i];
  argv[ARGS_MAX] = 0;
  close(1);
  if (open(OUTPUT, O_CREATE | O_TRUNC | O_WRONLY) != 1)
    exit(1);
  dup2(1, 2);
  exec(argv[0], argv);
  exit(1);
}

/* One job's program, until the round is over. */
static void work(uint number, uint seed) {
  const struct job *job = &jobs[number];
  char dir[8];

  snprintf(dir, sizeof(dir), "%u", number);
  if (mkdir(dir) < 0 || chdir(dir) < 0)
    exit(!strict);
  while (!get(&common->stop)) {
    int status = -1, pid = fork();

    if (pid == 0)
      become(job, seed);
    if (pid > 0)
      waitpid(pid, &status, 0);
    else
      pause(1);              /* there may be room for it later */
    seed = seed * 69069 + 1; /* Marsaglia's multiplier */
    add(&common->runs, pid > 0);
    add(&common->failed, status != 0);
    if (status != 0 && strict && job->use == STRICT) {
      add(&common->wrong, 1);
      show_output(job, status);
    }
  }
  exit(0);
}

static int available(void) {
  struct meminfo m;

  return meminfo(&m) < 0 ? 0 : (int)(m.free + m.cache);
}

/* Hold memory until few pages are left. */
static void hold(int left) {
  while (available() > left + BALLAST_STEP) {
    char *p = mmap(0, BALLAST_STEP * PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (p == MAP_FAILED)
      break;
    add(&common->ballast, BALLAST_STEP);
  }
  for (;;)
    pause(100);
}

/* --- rounds --- */

static int is_base(int pid) {
  for (int i = 0; i < nbase; i++)
    if (base[i] == pid)
      return 1;
  return 0;
}

/* End all processes that were not there before. How many there were. */
static int end_others(void) {
  struct procinfo p[PROCS_MAX];
  int n = procs(p, PROCS_MAX), others = 0;

  for (int i = 0; i < n; i++)
    if (!is_base(p[i].pid) && ++others)
      kill(p[i].pid);
  while (waitpid(-1, 0, WNOHANG) > 0)
    ;
  return others;
}

/* What was killed may have left files anywhere. */
static void remove_files(void) {
  chdir("/");
  remove_new_names();
}

/* Pages that must be as many in the end, but for kernel objects and stacks that
 * are kept for the next ones; the more blocks are cached, the more objects. */
static long held(const struct meminfo *m) {
  return (long)(m->user + m->tables + m->pipes + m->kernel);
}

static long lost(const struct meminfo *before, struct meminfo *now) {
  long cached, slab;

  meminfo(now);
  cached = (long)now->cache - (long)before->cache;
  slab =
      (long)(now->slab + now->stacks) - (long)(before->slab + before->stacks);
  slab -= SLACK + (cached > 0 ? cached / CACHED_PER_OBJECTS : 0);
  return held(now) - held(before) + (slab > 0 ? slab : 0);
}

static int memory_back(const struct meminfo *before, struct meminfo *after) {
  uint64 start = clock();
  struct meminfo now;

  while (lost(before, &now) > 0 && clock() - start < PATIENCE)
    yield();
  *after = now;
  if (lost(before, &now) <= 0)
    return 1;
  printf(
      "soak: lost pages: user %d tables %d pipes %d kernel %d slab %d "
      "stacks %d, cache %d more\n",
      (int)(now.user - before->user), (int)(now.tables - before->tables),
      (int)(now.pipes - before->pipes), (int)(now.kernel - before->kernel),
      (int)(now.slab - before->slab), (int)(now.stacks - before->stacks),
      (int)(now.cache - before->cache));
  return 0;
}

static int accounts_hold(void) {
  struct memfault f = {0};
  struct memcheck sum;
  int n = memcheck(&sum, &f, 1);

  if (n != 0)
    printf("soak: memcheck: %d faults; kind %d, frame 0x%llx\n", n, f.kind,
           (unsigned long long)f.pa);
  return n == 0;
}

static int others_gone(void) {
  uint64 start = clock();

  while (end_others() > 0) {
    if (clock() - start > PATIENCE) {
      printf("soak: processes do not end\n");
      return 0;
    }
    pause(1);
  }
  return 1;
}

static int start_all(uint seed) {
  int workers = 0, pid = fork();

  if (pid == 0)
    hold(strict ? STRICT_LEFT : ROUGH_LEFT);
  for (uint i = 0; i < NELEM(jobs); i++) {
    if (strict && jobs[i].use == ROUGH)
      continue;
    pid = fork();
    if (pid == 0)
      work(i, seed + i);
    workers += pid > 0;
  }
  return workers;
}

/* Programs for so long; then nothing of them may be left. */
static int do_all(uint seed, uint64 ns) {
  uint64 start = clock();
  int workers;

  memset(common, 0, sizeof(*common));
  if (mkdir(WORKDIR) < 0 || chdir(WORKDIR) < 0)
    return 0;
  workers = start_all(seed);
  while (clock() - start < ns)
    pause(5);
  add(&common->stop, 1);
  while (strict && workers > 0 && wait(0) > 0)
    workers--; /* the ballast never ends by itself */
  if (!others_gone())
    return 0;
  remove_files();
  return 1;
}

static int soak_round(uint number, uint seed, uint64 ns) {
  struct meminfo after;
  int good;

  strict = number % 2 == 0;
  good = do_all(seed, ns);
  good = memory_back(&at_first, &after) && good;
  good = accounts_hold() && good;
  printf(
      "soak: round %u (%s): %u programs, %u failed, %u pages held back; "
      "%d available, %ld held\n",
      number + 1, strict ? "strict" : "rough", common->runs, common->failed,
      common->ballast, available(), held(&after));
  return good && common->wrong == 0;
}

static void see_base(void) {
  struct procinfo p[PROCS_MAX];

  nbase = procs(p, PROCS_MAX);
  for (int i = 0; i < nbase; i++)
    base[i] = p[i].pid;
}

int main(int argc, char **argv) {
  long long seed = 1, minutes = 2, seconds = 60, *value;
  uint64 start = clock();
  uint n = 0;
  int option;

  while ((option = getopt(argc, argv, "s:m:r:")) != -1) {
    value = option == 's' ? &seed : option == 'm' ? &minutes : &seconds;
    if (option == '?' || parse_number(optarg, value) < 0)
      bad_usage("[-s seed] [-m minutes] [-r seconds]");
  }
  common =
      mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (common == MAP_FAILED)
    fatal("no memory");
  chdir("/");
  remove_tree(WORKDIR); /* of a run that was ended */
  note_names();
  see_base();
  do_all((uint)seed, 0); /* what soak itself needs it has from now on */
  meminfo(&at_first);
  do {
    if (!soak_round(n, (uint)seed + n * 1000, (uint64)seconds * SECOND)) {
      printf("soak: FAILED (seed %lld)\n", seed);
      exit(1);
    }
    n++;
  } while (n < 2 || clock() - start < (uint64)minutes * 60 * SECOND);
  printf("soak OK: %u rounds (seed %lld)\n", n, seed);
  exit(0);
}
