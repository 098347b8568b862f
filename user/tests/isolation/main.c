/*
 * isolation [-s SEED] [TEST...]: see isolation.h. Without names, all tests.
 */
#include "isolation.h"

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"walk_calls", walk_calls},         {"walk_direct", walk_direct},
    {"call_pointers", call_pointers},   {"stale_memory", stale_memory},

    {"remains_memory", remains_memory}, {"remains_files", remains_files},
    {"remains_text", remains_text},     {"structs", structs},
};

#define LOOK_AROUND "-look-around"

char *self;
static uint64 state;
static const char *what_is_tried;
static addr where_it_is_tried;

/* xorshift64*, Vigna 2016. */
uint64 rnd(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 2685821657736338717ULL;
}

void trying(const char *what, addr at) {
  what_is_tried = what;
  where_it_is_tried = at;
}

/* In one piece, as other processes may have something to say, too. */
void failed(const char *file, int line, const char *what) {
  if (what_is_tried)
    printf("  %s:%d: not so: %s (%s, 0x%lx; error %d)\n", file, line, what,
           what_is_tried, where_it_is_tried, lasterr());
  else
    printf("  %s:%d: not so: %s (error %d)\n", file, line, what, lasterr());
  exit(1);
}

int spawn(int (*fn)(void *), void *arg) {
  int pid = fork();

  CHECK(pid >= 0);
  if (pid == 0)
    exit(fn(arg));
  return pid;
}

int join(int pid) {
  int status = 12345;

  CHECK(waitpid(pid, &status, 0) == pid);
  return status;
}

void *map(uint pages, int flags) {
  char *p = mmap(0, (addr)pages * PAGE, RW, flags, -1, 0);

  CHECK(p != MAP_FAILED);
  return p;
}

static int run_test(void *arg) {
  tests[(addr)arg].run();
  return 0;
}

static int wanted(const char *name, int argc, char **argv) {
  for (int i = optind; i < argc; i++)
    if (strcmp(argv[i], name) == 0)
      return 1;
  return optind >= argc;
}

int main(int argc, char **argv) {
  long long seed = (long long)(clock() & 0x7fffffff);
  int option, bad = 0, ran = 0;

  self = argv[0];
  if (argc == 2 && strcmp(argv[1], LOOK_AROUND) == 0) {
    look_around();
    exit(0);
  }
  while ((option = getopt(argc, argv, "s:")) != -1) {
    if (option == '?' || parse_number(optarg, &seed) < 0)
      bad_usage("[-s seed] [test...]");
  }
  state = (uint64)seed * 2 + 1; /* never 0 */
  printf("isolation: seed %lld\n", seed);
  for (addr i = 0; i < NELEM(tests); i++) {
    uint64 start = clock();

    if (!wanted(tests[i].name, argc, argv))
      continue;
    ran++;
    if (join(spawn(run_test, (void *)i)) == 0) {
      printf("isolation %s: OK (%d ms)\n", tests[i].name,
             (int)((clock() - start) / 1000000));
    } else {
      printf("isolation %s: FAILED\n", tests[i].name);
      bad++;
    }
  }
  if (!ran)
    bad_usage("[-s seed] [test...]");
  if (bad)
    printf("isolation: %d FAILED (seed %lld)\n", bad, seed);
  else
    printf("isolation OK\n");
  exit(bad != 0);
}
