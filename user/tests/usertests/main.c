/*
 * usertests: does the system keep its promises, seen from a program?
 *
 * The tests are grouped by file. Each one runs in a child process, in an empty
 * directory of its own. When it has ended, four things are looked at: its exit
 * status, whether the directory is empty again, whether the memory that it used
 * came back, and whether the kernel's account of all memory holds (memcheck). A
 * test that leaks fails even if all its checks held.
 *
 * What "came back" means: the pages held for processes, page tables, kernel
 * stacks, pipes and by kernel code must be as many as before the test. The
 * cache of disk blocks may have grown or shrunk, because it is given back on
 * demand; small objects (slab) may have grown by what remembered inodes and
 * names take, which is bounded, and by the descriptions of cached blocks. All
 * other pages must be free. Processes and stacks are taken apart after the
 * parent has been told, so the count is repeated for a while before it is called
 * a leak.
 */
#include "usertests.h"

#define WORKDIR "/usertests.d"
#define SLAB_SLACK 192   /* pages that remembered inodes, names may take */
#define SLAB_PER_CACHE 8 /* cached pages that a page of slab describes */
/* Pages of stacks that are kept ready (kernel/mm/kstack.c). */
#define STACK_SLACK (33 * (STACK_SLOT / 4096 - 1))
#define SETTLE_NS 3000000000ULL /* how long memory may take to come back */
#define FAILURES_MAX 64         /* names that the last line can tell */

static const struct {
  const char *name;
  const struct test *tests;
} groups[] = {
    {"copy", copy_tests},       {"mem", mem_tests},
    {"file", file_tests},       {"filemap", filemap_tests},
    {"dir", dir_tests},         {"race", race_tests},
    {"proc", proc_tests},       {"exec", exec_tests},
    {"pipe", pipe_tests},       {"wild", wild_tests},
    {"full", full_tests},       {"inspect", inspect_tests},
    {"sparse", sparse_tests},   {"tables", tables_tests},
    {"thread", thread_tests},   {"tlb", tlb_tests},
    {"machine", machine_tests},
};

const char *test_name = "usertests";
int quick;
static int smallest;
static int keep_going;
static int bare;
static int ran;
static const char *failures[FAILURES_MAX];
static int nfailures;

/* -q leaves out what takes long, -s also does only a few times what is done often
 * (shortage runs a test once for each of its allocations), -l lists the tests, -c
 * goes on after a failure; -b runs the first test that is chosen in this process,
 * and looks at nothing afterwards (shortage does). A name is that of a test or of
 * a group; without names, all run. */
#define USAGE "[-q | -s] [-l] [-c] [-b] [test or group]..."

int repeats(int n, int few) { return smallest ? few : n; }

static void list_tests(void) {
  for (uint g = 0; g < NELEM(groups); g++) {
    printf("%s:", groups[g].name);
    for (const struct test *t = groups[g].tests; t->name; t++)
      printf(" %s%s", t->name, t->slow ? "*" : "");
    printf("\n");
  }
  printf("* takes long, left out by -q\n");
}

/* Empty a directory that a failed test left behind, however deep. */
static void empty_directory(void) {
  struct dirent e;
  char name[DIRSIZ + 1];
  int fd = open(".", O_RDONLY);

  if (fd < 0)
    return;
  while (read(fd, &e, sizeof(e)) == sizeof(e)) {
    memmove(name, e.name, DIRSIZ);
    name[DIRSIZ] = 0;
    if (e.inum == 0 || !strcmp(name, ".") || !strcmp(name, ".."))
      continue;
    if (unlink(name) == 0)
      continue;
    if (chdir(name) == 0) {
      empty_directory();
      chdir("..");
    }
    unlink(name);
  }
  close(fd);
}

static int enter_workdir(void) {
  if (mkdir(WORKDIR) == 0 && chdir(WORKDIR) == 0)
    return 1;
  if (chdir(WORKDIR) == 0) {
    empty_directory();
    return 1;
  }
  printf("usertests: cannot make %s (error %d)\n", WORKDIR, lasterr());
  return 0;
}

/* Was the directory left empty? */
static int leave_workdir(void) {
  if (chdir("/") == 0 && unlink(WORKDIR) == 0)
    return 1;
  printf("  %s: left files in its directory\n", test_name);
  if (chdir(WORKDIR) == 0) /* or it would empty another one */
    empty_directory();
  chdir("/");
  unlink(WORKDIR);
  return 0;
}

/* Do the same owners hold as much as before? Complains if asked to. */
static int memory_equal(const struct meminfo *a, const struct meminfo *b,
                        int complain) {
  uint64 cached = b->cache > a->cache ? b->cache - a->cache : 0;
  const struct {
    const char *owner;
    uint64 before, after;
  } row[] = {{"user", a->user, b->user},
             {"tables", a->tables, b->tables},
             {"stacks", a->stacks + STACK_SLACK, b->stacks},
             {"pipes", a->pipes, b->pipes},
             {"kernel", a->kernel, b->kernel},
             {"slab", a->slab + SLAB_SLACK + cached / SLAB_PER_CACHE, b->slab}};
  int equal = 1;

  for (uint i = 0; i < NELEM(row); i++) {
    if (row[i].after <= row[i].before)
      continue;
    equal = 0;
    if (complain)
      printf("  %s: lost %d pages (%s)\n", test_name,
             (int)(row[i].after - row[i].before), row[i].owner);
  }
  if (b->free + b->image + b->kernel + b->slab + b->stacks + b->tables +
          b->user + b->cache + b->pipes + b->zero + b->reserved !=
      b->total) {
    if (complain)
      printf("  %s: meminfo does not add up\n", test_name);
    return 0;
  }
  return equal;
}

static int memory_came_back(const struct meminfo *before) {
  struct meminfo now;
  uint64 start = clock();

  do {
    meminfo(&now);
    if (memory_equal(before, &now, 0))
      return 1;
    yield();
  } while (clock() - start < SETTLE_NS);
  meminfo(&now);
  return memory_equal(before, &now, 1);
}

static int accounts_hold(void) {
  struct memfault f = {0};
  struct memcheck sum;
  int n = memcheck(&sum, &f, 1);

  if (n == 0)
    return 1;
  printf(
      "  %s: memcheck finds %d faults: kind %d, frame 0x%llx, va 0x%llx, "
      "%u, %u\n",
      test_name, n, f.kind, (unsigned long long)f.pa, (unsigned long long)f.va,
      f.count, f.found);
  return 0;
}

static int exit_status_good(const struct test *t) {
  int status = -1;
  int pid = fork();

  if (pid < 0) {
    printf("  %s: cannot fork (error %d)\n", test_name, lasterr());
    return 0;
  }
  if (pid == 0) {
    t->run();
    exit(0);
  }
  if (waitpid(pid, &status, 0) != pid) {
    printf("  %s: waitpid failed (error %d)\n", test_name, lasterr());
    return 0;
  }
  if (status == STATUS_KILLED)
    printf("  %s: killed\n", test_name);
  return status == 0;
}

static int run_test(const struct test *t) {
  struct meminfo before;
  uint64 start = clock();
  int good;

  test_name = t->name;
  ran++;
  if (bare) {
    if (!enter_workdir())
      exit(1);
    t->run();
    chdir("/");
    unlink(WORKDIR);
    exit(0);
  }
  printf("test %s:\n", t->name);
  meminfo(&before);
  good = enter_workdir() && exit_status_good(t);
  good = leave_workdir() && good;
  good = memory_came_back(&before) && good;
  good = accounts_hold() && good;
  printf("test %s: %s (%d ms)\n", t->name, good ? "OK" : "FAILED",
         (int)((clock() - start) / 1000000));
  if (!good && nfailures < FAILURES_MAX)
    failures[nfailures++] = t->name;
  return good;
}

/* Does a word of the command line choose this test? */
static int chosen(const char *group, const struct test *t, char **names) {
  if (!*names)
    return !(quick && t->slow);
  for (; *names; names++) {
    if (!strcmp(*names, t->name))
      return 1;
    if (!strcmp(*names, group))
      return !(quick && t->slow);
  }
  return 0;
}

static void run_chosen(char **names) {
  for (uint g = 0; g < NELEM(groups); g++)
    for (const struct test *t = groups[g].tests; t->name; t++)
      if (chosen(groups[g].name, t, names) && !run_test(t) && !keep_going)
        return;
}

static int report(void) {
  if (ran == 0) {
    fprintf(2, "usertests: no such test (usertests -l lists them)\n");
    return 2;
  }
  if (nfailures == 0) {
    printf("ALL TESTS PASSED\n");
    return 0;
  }
  printf("SOME TESTS FAILED:");
  for (int i = 0; i < nfailures; i++)
    printf(" %s", failures[i]);
  printf("\n");
  return 1;
}

int main(int argc, char **argv) {
  int i;

  for (i = 1; i < argc && argv[i][0] == '-'; i++) {
    if (!strcmp(argv[i], "-q")) {
      quick = 1;
    } else if (!strcmp(argv[i], "-s")) {
      quick = smallest = 1;
    } else if (!strcmp(argv[i], "-c")) {
      keep_going = 1;
    } else if (!strcmp(argv[i], "-b")) {
      bare = 1;
    } else if (!strcmp(argv[i], "-l")) {
      list_tests();
      return 0;
    } else {
      bad_usage(USAGE);
    }
  }
  run_chosen(argv + i);
  return report();
}
