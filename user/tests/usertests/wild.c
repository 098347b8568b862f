/*
 * Every system call, and numbers that are none, with every argument wild.
 *
 * A call is described by one letter an argument, from which comes one value
 * that makes sense; the test then puts each hurtful value in each place, and
 * after that random combinations. The call may fail, or do what it was asked
 * to the process that asked; it may not harm anybody else. That is seen from
 * the rest of the system going on, and from the memory that comes back.
 */
#include "usertests.h"

/* f descriptor, b buffer, s path, n number, p process, a argument list */
static const struct call {
  int number;
  const char *args;
} calls[] = {
    {3, "b"},    {4, "b"},    {5, "fbn"},     {6, "p"},    {7, "sa"},
    {8, "fb"},   {9, "s"},    {10, "f"},      {11, ""},    {12, "nn"},
    {14, ""},    {15, "sn"},  {16, "fbn"},    {17, "snn"}, {18, "s"},
    {19, "ss"},  {20, "s"},   {21, "f"},      {64, ""},    {65, "ff"},
    {66, "fnn"}, {67, "fn"},  {68, "ss"},     {69, "bn"},  {70, ""},
    {71, "pbn"}, {72, "pp"},  {73, ""},       {74, ""},    {75, ""},
    {76, ""},    {77, "fnn"}, {78, "n"},      {79, "b"},   {80, "b"},
    {81, "bn"},  {82, "pbn"}, {83, "pnbn"},   {84, "pnb"}, {85, "n"},
    {86, "b"},   {178, ""},   {220, "nbbbb"}, {0, "nnn"},  {22, "nnn"},
    {63, "nnn"}, {87, "nnn"}, {1000, "nnn"},
};

static uint64 hurtful[64];
static uint nhurtful;

static void add(uint64 value) {
  CHECK(nhurtful < NELEM(hurtful));
  hurtful[nhurtful++] = value;
}

/* Collect the values, some of which depend on where things are here. */
static void collect_values(void) {
  static const addr forbidden[] = FORBIDDEN_ADDRESSES;
  static const uint64 number[] = {0,
                                  1,
                                  2,
                                  3,
                                  8,
                                  4095,
                                  4096,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  0x100000000,
                                  0x7fffffffffffffff,
                                  0xffffffff80000000,
                                  0xffffffffffffff00,
                                  ~1ULL,
                                  ~0ULL};
  char *top;

  nhurtful = 0;
  for (uint i = 0; i < NELEM(forbidden); i++)
    add(forbidden[i]);
  for (uint i = 0; i < NELEM(number); i++)
    add(number[i]);
  sbrk(2 * PGSIZE - (addr)sbrk(0) % PGSIZE);
  top = sbrk(0);
  memset(top - 40, 'w', 40);
  add((addr)top);
  add((addr)top - 1); /* a string without end, a buffer of one byte */
  add((addr)top - 12);
  add((addr)collect_values); /* may be read, not written */
  add((addr)collect_values + 1);
  add((addr)region_named("guard").start);
  add((addr)scratch + 1);
  add((addr) "");
  add((addr) "/");
  add((addr) "wild.1");
}

static int wild_fd;

static uint64 sensible(char kind) {
  static char *argv[] = {"echo", 0};

  switch (kind) {
    case 'f':
      return (uint64)wild_fd;
    case 'b':
      return (addr)scratch;
    case 's':
      return (addr) "wild.2";
    case 'p':
      return (uint64)getpid();
    case 'a':
      return (addr)argv;
    default:
      return 1;
  }
}

/* Pipes and the console could make a call wait: files cannot. No rights, so
 * that neither the machine nor other processes can be stopped. */
static void become_harmless(int rights) {
  for (int fd = 0; fd < 8; fd++)
    close(fd);
  wild_fd = open("wild.0", O_CREATE | O_RDWR);
  dup(wild_fd);
  dup(wild_fd);
  restrict_rights(rights);
}

/* kill(), of oneself or one's group, would end the trial too early. */
static int would_end_it(const struct call *c, const uint64 arg[6]) {
  return c->number == 6 && ((int)arg[0] == getpid() || (int)arg[0] <= 0);
}

static void try_call(const struct call *c, const uint64 arg[6]) {
  if (!would_end_it(c, arg))
    raw_syscall(c->number, arg);
}

static void one_at_a_time(const struct call *c) {
  uint64 arg[6] = {0};
  uint n = strlen(c->args);

  for (uint place = 0; place < n; place++)
    for (uint v = 0; v < nhurtful; v++) {
      for (uint i = 0; i < n; i++)
        arg[i] = sensible(c->args[i]);
      arg[place] = hurtful[v];
      try_call(c, arg);
    }
}

static void at_random(const struct call *c, int rounds) {
  uint64 seed = 88172645463325252ULL + (uint64)c->number;
  uint64 arg[6];

  for (int round = 0; round < rounds; round++) {
    for (uint i = 0; i < NELEM(arg); i++)
      arg[i] = hurtful[random_next(&seed) % nhurtful];
    try_call(c, arg);
  }
}

struct trial {
  const struct call *call;
  int rights;
};

static void run_trial(void *arg) {
  struct trial *t = arg;

  collect_values();
  become_harmless(t->rights);
  one_at_a_time(t->call);
  at_random(t->call, quick ? 50 : 500);
}

static void clean_up(void) {
  struct dirent e;
  char name[DIRSIZ + 1] = {0};
  int fd = open(".", O_RDONLY);

  CHECK(fd >= 0);
  while (read(fd, &e, sizeof(e)) == sizeof(e)) {
    memmove(name, e.name, DIRSIZ);
    if (e.inum && strcmp(name, ".") && strcmp(name, ".."))
      remove(name);
  }
  close(fd);
}

/* Some calls may by rights end the process: sbrk that takes its memory away,
 * read into its own data. So its status is not looked at, but for a check that
 * failed. */
static void try_all(int rights) {
  for (uint i = 0; i < NELEM(calls); i++) {
    struct trial t = {&calls[i], rights};
    int status = run_child(run_trial, &t);
    if (status != 0 && status != STATUS_KILLED)
      printf("  system call %d: status %d\n", calls[i].number, status);
    CHECK(status == 0 || status == STATUS_KILLED);
    clean_up();
  }
}

static void wildcalls(void) { try_all(0); }

/* The same with the right to look at everybody's memory. */
static void wildinspect(void) { try_all(RIGHT_INSPECT); }

static void wild_pause(void *arg) { pause((int)(long)arg); }

/* pause() for ever, or for a negative time, and be killed. */
static void wildpause(void) {
  static const long ticks[] = {0x7fffffff, -1, -0x7fffffffL - 1, 0x10000};

  for (uint i = 0; i < NELEM(ticks); i++) {
    int pid = spawn(wild_pause, (void *)ticks[i]);
    yield();
    kill(pid);
    int status = join(pid);
    CHECK(status == 0 || status == STATUS_KILLED);
  }
}

static void wild_exit(void *arg) {
  uint64 a[6] = {*(uint64 *)arg, ~0ULL, 1ULL << 63, 0, 0, 0};

  raw_syscall(2, a);
}

/* exit() with any number keeps 32 bits of it. */
static void wildexit(void) {
  uint64 status[] = {0x7fffffff, (uint64)-2, 0x100000005};

  for (uint i = 0; i < NELEM(status); i++)
    CHECK_EQ(run_child(wild_exit, &status[i]), (int)status[i]);
}

const struct test wild_tests[] = {TEST(wildcalls), SLOW_TEST(wildinspect),
                                  TEST(wildpause), TEST(wildexit), TESTS_END};
