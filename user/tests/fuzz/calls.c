/*
 * Calls. What a call takes follows from its prototype (include/abi/syscall.tbl),
 * so that a new one is tried without a word here: "int fd" is a descriptor, a
 * pointer to char that is const a path. The tables below say what else makes
 * sense, and which calls are to be rare.
 *
 * Half of the calls have only arguments that make sense; in the others each is
 * hurtful in half of the cases. They go through the library's stubs, or past
 * them with all six registers set.
 *
 * Contained is what would end the test itself. The processes have no right to
 * stop the machine, nor to kill any but themselves and their descendants
 * (main.c); left out are calls that only bury the console in what they write,
 * and threads that begin on a stack that is none, as they end their process at
 * once.
 */
#include "abi/sched.h"
#include "abi/syscall.h"
#include "fuzz.h"
#include "machine.h"

#define ARGS_MAX 6
#define SYS_PLANTS 240 /* of the debug kernel: plants faults in it */

/* Generations of children, calls that one may make, and threads of a process. */
#define GENERATIONS 3
#define CHILD_CALLS 200
#define THREADS_MAX 12
#define FIRST_OTHER 100 /* number of the first one that a call made */

struct call {
  int number;
  const char *name;
  long (*stub)(word, word, word, word, word, word);
  const char *parameters;
  uint weight;
  struct {
    enum kind kind;
    const struct choice *choice;
  } arg[ARGS_MAX];
};

#define PROTOTYPE(number, name, stub, parameters) \
  long stub_##name(word, word, word, word, word, word) __asm__(stub);
#include "prototypes.h"
#undef PROTOTYPE

static struct call calls[] = {
#define PROTOTYPE(number, name, stub, parameters) \
  {number, #name, stub_##name, parameters, 0, {{0}}},
#include "prototypes.h"
#undef PROTOTYPE
};

/* Values that a parameter takes besides 0. */
static const struct choice {
  const char *where;
  uint n;
  int value[16];
} choices[] = {
    {"sbrk.n", 6, {PAGE, -PAGE, 100, -100, 1 << 16, -(1 << 16)}},
    {"sbrk.how", 2, {SBRK_EAGER, SBRK_LAZY}},
    {"open.flags",
     8,
     {O_RDWR, O_WRONLY, O_CREATE | O_RDWR, O_CREATE | O_WRONLY,
      O_CREATE | O_RDWR | O_APPEND, O_CREATE | O_RDWR | O_TRUNC, O_TRUNC,
      0x7fffffff}},
    {"mknod.major", 4, {2, 3, -1, 0x7fff}},
    {"lseek.whence", 4, {SEEK_SET, SEEK_CUR, SEEK_END, 3}},
    {"waitpid.flags", 3, {WNOHANG, WNOHANG, 2}},
    {"ttyctl.op", 5, {TTY_GETMODE, TTY_SETMODE, TTY_GETPGRP, TTY_SETPGRP, 6}},
    {"futex.op", 3, {FUTEX_WAKE, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2}},
    {"clone.flags", 2, {CLONE_VM, -1}},
    {"mmap.prot", 6, {1, 2, 3, 3, 5, 7}},
    {"mmap.flags",
     12,
     {MAP_PRIVATE | MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, MAP_SHARED | MAP_ANONYMOUS,
      MAP_SHARED, MAP_PRIVATE, MAP_SHARED | MAP_FIXED, MAP_PRIVATE | MAP_FIXED,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_FIXED,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
      MAP_SHARED | MAP_PRIVATE}},
    {"mprotect.prot", 6, {1, 2, 3, 3, 5, 7}},
    {"msync.flags", 5, {1, 2, 4, 5, 6}},
    {"madvise.advice", 5, {1, 2, 3, 4, 4}},
};

/* Of a call that is not here: USUAL. */
#define USUAL 40
static const struct {
  int number;
  uint weight;
} weights[] = {
    {SYS_exit, 1},   {SYS_exit_thread, 2}, {SYS_exec, 3},     {SYS_fork, 4},
    {SYS_pause, 3},  {SYS_memcheck, 1},    {SYS_sync, 2},     {SYS_wait, 6},
    {SYS_clone, 20}, {SYS_futex, 20},      {SYS_reboot, 5},   {SYS_kill, 10},
    {SYS_procs, 10}, {SYS_mmap, 120},      {SYS_read, 80},    {SYS_munmap, 60},
    {SYS_write, 80}, {SYS_mprotect, 60},   {SYS_open, 80},    {SYS_ttyctl, 10},
    {SYS_sbrk, 30},  {SYS_restrict, 5},    {SYS_setpgid, 10},
};
static uint all_weights;

/* --- what a parameter takes --- */

static const struct {
  const char *name;
  enum kind kind;
} by_name[] = {{"fd", K_FD},       {"newfd", K_FD},  {"pid", K_PID},
               {"pgid", K_PID},    {"n", K_SIZE},    {"max", K_SIZE},
               {"off", K_SIZE},    {"size", K_SIZE}, {"va", K_MAPPING},
               {"from", K_MAPPING}};

static int contains(const char *s, uint n, const char *what) {
  for (uint len = strlen(what); n >= len; s++, n--)
    if (memcmp(s, what, len) == 0)
      return 1;
  return 0;
}

static const struct choice *find_choice(const char *call, const char *name) {
  uint n = strlen(call);

  for (uint i = 0; i < NELEM(choices); i++) {
    const char *where = choices[i].where;

    if (memcmp(where, call, n) == 0 && where[n] == '.' &&
        strcmp(where + n + 1, name) == 0)
      return &choices[i];
  }
  return 0;
}

/* Of a parameter like "const char *path", n characters. */
static enum kind kind_of(const char *text, uint n, const char *name) {
  if (contains(text, n, "**"))
    return K_ARGV;
  if (contains(text, n, "const char *"))
    return K_PATH;
  if (contains(text, n, "*"))
    return strcmp(name, "at") == 0 ? K_MAPPING : K_BUFFER;
  for (uint i = 0; i < NELEM(by_name); i++)
    if (strcmp(name, by_name[i].name) == 0)
      return by_name[i].kind;
  return K_NUMBER;
}

/* Read the i-th parameter. What follows it, or 0. */
static const char *prepare_parameter(struct call *c, uint i, const char *text) {
  const char *end = strchr(text, ',');
  uint n = end ? (uint)(end - text) : strlen(text), start = n;
  char name[32] = {0};

  while (start > 0 && text[start - 1] != ' ' && text[start - 1] != '*')
    start--;
  memmove(name, text + start, n - start < 31 ? n - start : 31);
  c->arg[i].choice = find_choice(c->name, name);
  c->arg[i].kind = c->arg[i].choice ? K_CHOICE : kind_of(text, n, name);
  return end ? end + 1 : 0;
}

void calls_prepare(void) {
  for (uint i = 0; i < NELEM(calls); i++) {
    struct call *c = &calls[i];
    const char *text = strcmp(c->parameters, "void") ? c->parameters : 0;

    for (uint k = 0; text && k < ARGS_MAX; k++)
      text = prepare_parameter(c, k, text);
    c->weight = USUAL;
    for (uint k = 0; k < NELEM(weights); k++)
      if (weights[k].number == c->number)
        c->weight = weights[k].weight;
    if (c->number == SYS_PLANTS)
      c->weight = 0;
    all_weights += c->weight;
  }
}

/* --- one call --- */

static const struct call *choose(struct fuzzer *f) {
  uint at = below(f, all_weights), i = 0;

  while (at >= calls[i].weight)
    at -= calls[i++].weight;
  return &calls[i];
}

static word argument(struct fuzzer *f, const struct call *c, uint i) {
  const struct choice *choice = c->arg[i].choice;

  if (choice == 0)
    return sensible(f, c->arg[i].kind);
  return one_in(f, choice->n + 1) ? 0
                                  : (word)choice->value[below(f, choice->n)];
}

/* A register that the call does not look at has any value. */
static void arguments(struct fuzzer *f, const struct call *c,
                      word arg[ARGS_MAX]) {
  int hurt = one_in(f, 2);

  for (uint i = 0; i < ARGS_MAX; i++)
    arg[i] = c->arg[i].kind == K_NONE || (hurt && one_in(f, 2))
                 ? hurtful(f, c->arg[i].kind)
                 : argument(f, c, i);
}

/* One in so many calls that would take the program's own memory is made. */
#define SUICIDES 200
#define SBRK_MOST (1 << 20)

/* Left out, or made harmless? */
static int contained(struct fuzzer *f, const struct call *c,
                     word arg[ARGS_MAX]) {
  switch (c->number) {
    case SYS_fork:
      return f->generation < GENERATIONS;
    case SYS_clone: /* would it succeed? */
      return (arg[0] & CLONE_THREAD_FLAGS) != CLONE_THREAD_FLAGS;
    case SYS_mknod: /* the console is number 1 */
      return (short)arg[1] != 1;
    case SYS_pause: /* not for long, mostly */
      if (!one_in(f, 8))
        arg[0] = below(f, 3) - 1;
      return 1;
    case SYS_munmap:
    case SYS_mprotect:
    case SYS_madvise:
      return one_in(f, SUICIDES) || !values_touches_own(arg[0], arg[1]);
    case SYS_mmap:
      return one_in(f, SUICIDES) || !(arg[3] & MAP_FIXED) ||
             !values_touches_own(arg[0], arg[1]);
    case SYS_sbrk: /* less than there was at first takes the stack */
      return one_in(f, SUICIDES) ||
             ((int)arg[0] >= 0 && (int)arg[0] < SBRK_MOST);
    default:
      return 1;
  }
}

static void say(const struct fuzzer *f, const struct call *c,
                const word arg[ARGS_MAX]) {
  char line[200];
  int n = snprintf(line, sizeof(line), "%u.%u.%u %s", f->family, f->number,
                   f->generation, c->name);

  for (uint i = 0; i < ARGS_MAX; i++)
    if (c->arg[i].kind != K_NONE)
      n += snprintf(line + n, sizeof(line) - n, " %lx", arg[i]);
  n += snprintf(line + n, sizeof(line) - n, " (%d)\n", c->number);
  write(VERBOSE_FD, line, n);
}

static long make(struct fuzzer *f, const struct call *c,
                 const word arg[ARGS_MAX]) {
  uint64 all[ARGS_MAX];

  if (verbose)
    say(f, c, arg);
  __atomic_fetch_add(&shared->calls[f->family], 1, __ATOMIC_RELAXED);
  if (c->stub && one_in(f, 2))
    return c->stub(arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
  for (uint i = 0; i < ARGS_MAX; i++)
    all[i] = arg[i];
  return raw_syscall(c->number, all);
}

/* A child goes on with a stream of its own. */
static void become_child(struct fuzzer *f) {
  f->generation++;
  f->left = below(f, CHILD_CALLS);
  f->random = mix(f->random, f->generation);
}

/* A number that is no call. */
static void call_nothing(struct fuzzer *f) {
  static const int numbers[] = {0,          22,  63,         88,  177,
                                216,        234, 255,        256, 1000,
                                0x7fffffff, -1,  SYS_MAX + 1};
  struct call c = {
      .number = one_in(f, 4) ? (int)bits(f) : numbers[below(f, NELEM(numbers))],
      .name = "?"};
  word arg[ARGS_MAX];

  for (uint i = 0; i < NELEM(calls); i++)
    if (calls[i].number == c.number)
      return;
  arguments(f, &c, arg);
  if (c.number != SYS_PLANTS)
    make(f, &c, arg);
}

/* A thread that begins as it should. */
static void start_thread(struct fuzzer *f) {
  static struct fuzzer others[THREADS_MAX];
  static uint nothers;
  uint i = __atomic_fetch_add(&nothers, 1, __ATOMIC_RELAXED);

  if (i >= THREADS_MAX)
    return;
  others[i] = *f;
  others[i].number = FIRST_OTHER + i;
  others[i].random = mix(f->random, i);
  thread_create(fuzz_thread, &others[i]);
}

void call_something(struct fuzzer *f) {
  const struct call *c;
  word arg[ARGS_MAX];
  long r;

  if (one_in(f, 40)) {
    call_nothing(f);
    return;
  }
  c = choose(f);
  if (c->number == SYS_clone && one_in(f, 20))
    start_thread(f);
  arguments(f, c, arg);
  if (!contained(f, c, arg))
    return;
  r = make(f, c, arg);
  if (c->number == SYS_fork && r == 0)
    become_child(f);
  if (c->number == SYS_mmap && r != -1)
    values_mapped(f, r, arg[1]);
}

int fuzz_thread(void *arg) {
  struct fuzzer f = *(struct fuzzer *)arg;

  values_stack(&f);
  /* without its state, which a call may have cleared, it would fork for ever */
  while (f.left-- > 0 && f.random != 0 &&
         __atomic_load_n(&shared->calls[f.family], __ATOMIC_RELAXED) < f.stop)
    call_something(&f);
  exit(0);
}
