/*
 * mmaptest [-s] [name...]: regions of memory as POSIX says they are.
 *
 * With -s, what is done often is done only a few times (shortage runs a test once
 * for each of its allocations). A name is that of a test or of a group.
 *
 * Each test runs in a child. When it has ended, its status counts, and whether
 * it left a file; then the kernel proves that its own accounts of memory are
 * right (memcheck), and the pages of processes and page tables must be as many
 * as before.
 */
#include "mmaptest.h"

#define WORKDIR "mmaptest.d"

static const struct {
  const char *name;
  const struct test *tests;
} groups[] = {{"anon", anon_tests},
              {"file", file_tests},
              {"fork", fork_tests},
              {"bad", bad_tests},
              {"large", large_tests}};

const char *self;
static const char *test_name;
static int smallest;

int repeats(int n, int few) { return smallest ? few : n; }

void check_failed(const char *file, int line, const char *what) {
  printf("  %s: %s:%d: not so: %s\n", test_name, file, line, what);
  exit(1);
}

void check_equal(const char *file, int line, const char *what, long long got,
                 long long want) {
  if (got == want)
    return;
  printf("  %s: %s:%d: not so: %s (%lld, expected %lld)\n", test_name, file,
         line, what, got, want);
  exit(1);
}

void check_fails(const char *file, int line, const char *what, long result,
                 int err) {
  int got = lasterr();

  if (result == -1 && got == err)
    return;
  if (result == -1)
    printf("  %s: %s:%d: %s failed with error %d, expected %d\n", test_name,
           file, line, what, got, err);
  else
    printf("  %s: %s:%d: %s worked, expected error %d\n", test_name, file, line,
           what, err);
  exit(1);
}

static int chosen(const char *group, const char *name, int n, char **names) {
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0 || strcmp(names[i], group) == 0)
      return 1;
  return n == 0;
}

static void run_in_workdir(const struct test *t) {
  CHECK_EQ(mkdir(WORKDIR), 0);
  CHECK_EQ(chdir(WORKDIR), 0);
  t->run();
  exit(0);
}

/* Was the directory left empty? If not, it is emptied. */
static int tidy(void) {
  if (os_rmdir(WORKDIR) == 0)
    return 1;
  unlink(WORKDIR "/f");
  unlink(WORKDIR "/g");
  os_rmdir(WORKDIR);
  return 0;
}

/* 0 if it went well. */
static int run_test(const struct test *t) {
  struct os_memory before;
  int pid, good;

  test_name = t->name;
  os_memory(&before);
  pid = fork();
  if (pid == 0)
    run_in_workdir(t);
  good = pid > 0 && os_wait(pid) == 0;
  if (!tidy()) {
    printf("  %s: left files in its directory\n", t->name);
    good = 0;
  }
  if (os_memcheck() < 0 || !os_memory_back(&before)) {
    printf("  %s: the accounts of memory are wrong\n", t->name);
    good = 0;
  }
  printf("test %s: %s\n", t->name, good ? "OK" : "FAILED");
  return !good;
}

int main(int argc, char **argv) {
  int ran = 0, failed = 0;

  os_start();
  self = os_program(argv[0]);
  if (argc == 2 && strcmp(argv[1], "--exit-7") == 0)
    return 7; /* for who execs us */
  if (argc > 1 && strcmp(argv[1], "-s") == 0) {
    smallest = 1;
    argc--, argv++;
  }
  for (unsigned g = 0; g < NELEM(groups); g++)
    for (const struct test *t = groups[g].tests; t->name != 0; t++)
      if (chosen(groups[g].name, t->name, argc - 1, argv + 1)) {
        failed += run_test(t);
        ran++;
      }
  if (failed == 0 && ran > 0)
    printf("mmaptest OK\n");
  else
    printf("mmaptest: %d of %d failed\n", failed, ran);
  return failed != 0 || ran == 0;
}
