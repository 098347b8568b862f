/*
 * Arguments. A sensible one lets the call do its work, so that there is
 * something to damage; a hurtful one is at a limit, or beyond it.
 *
 * Addresses point into places, one of each kind that there is:
 *
 *   own      the program's regions: text, data, guard, stack (vmregions)
 *   arena    read-write, read-only, PROT_NONE, executable, with a hole in it,
 *            shared, large enough for superpages, files mapped beyond their
 *            ends, at times sparse gigabytes; and whatever mmap() gave since
 *   others   where each of the other families has pages, and this one nothing
 *   foreign  the kernel's, the devices', and what is no address
 *
 * Threads change the arena while others pass parts of it to the kernel.
 */
#include "fuzz.h"
#include "machine.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define RWX (RW | PROT_EXEC)
#define LARGE (8u << 20) /* room for a superpage of any machine */
/* What has more page-table entries, and empty ones between, than anybody may go
 * through at once; one page is touched for each table. */
#define SPARSE ((sizeof(word) == 8 ? 2048UL : 1280UL) << 20)
#define SPARSE_STEP (2u << 20)

/* --- random numbers --- */

/* The finalizer of MurmurHash3 (Appleby). */
uint64 mix(uint64 a, uint64 b) {
  uint64 x = a * 0x9e3779b97f4a7c15ULL + b + 1;

  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x ? x : 1;
}

/* xorshift64* (Vigna, 2016). */
uint64 bits(struct fuzzer *f) {
  f->random ^= f->random >> 12;
  f->random ^= f->random << 25;
  f->random ^= f->random >> 27;
  return f->random * 2685821657736338717ULL;
}

uint below(struct fuzzer *f, uint n) { return (uint)(bits(f) >> 33) % n; }

int one_in(struct fuzzer *f, uint n) { return below(f, n) == 0; }

/* --- places --- */

struct place {
  word start, size;
};

#define OWN_MAX 16
#define ARENA_MAX 24
static struct place own[OWN_MAX], arena[ARENA_MAX];
static uint nown, narena; /* set before there are threads */

static void add_place(void *at, word size) {
  if (at != MAP_FAILED && narena < ARENA_MAX)
    arena[narena++] = (struct place){(word)at, size};
}

static void *map_anon(uint pages, int prot, int flags) {
  void *at = mmap(0, pages * PAGE, prot, flags, -1, 0);

  add_place(at, pages * PAGE);
  return at;
}

static void map_file(const char *name, uint pages, int prot, int flags) {
  int fd = open(name, O_RDWR | O_CREATE);

  ftruncate(fd, PAGE + 904);
  add_place(mmap(0, pages * PAGE, prot, flags, fd, 0), pages * PAGE);
  close(fd);
}

/* A family's own place, at an address that follows from its number. */
#define APART 0x20000000
#define APART_STEP 0x1000000
#define APART_PAGES 16

static word place_of(uint family) { return APART + family * APART_STEP; }

static void map_sparse(void) {
  volatile char *at = mmap(0, SPARSE, PROT_READ, ANON | MAP_NORESERVE, -1, 0);

  if (at == MAP_FAILED)
    return;
  for (word i = 0; i < SPARSE; i += SPARSE_STEP)
    (void)at[i];
  add_place((void *)at, SPARSE);
}

static void make_arena(struct fuzzer *f) {
  uint family = f->family;
  char *hole;

  map_anon(8, RW, ANON);
  map_anon(8, RW, ANON | MAP_POPULATE);
  map_anon(4, PROT_READ, ANON);
  map_anon(4, PROT_NONE, ANON);
  map_anon(4, RWX, ANON);
  map_anon(8, RW, MAP_SHARED | MAP_ANONYMOUS);
  map_anon(LARGE / PAGE, RW, ANON);
  map_anon(LARGE / PAGE, RW, ANON | MAP_NORESERVE);
  hole = map_anon(8, RW, ANON);
  if (hole != MAP_FAILED)
    munmap(hole + 3 * PAGE, PAGE);
  map_file("a", 4, RW, MAP_SHARED); /* two of the pages are beyond the end */
  map_file("a", 4, RW, MAP_PRIVATE);
  map_file("../s/shared", 4, RW, MAP_SHARED);
  map_file("b", 2, PROT_READ, MAP_SHARED);
  add_place(mmap((void *)place_of(family), APART_PAGES * PAGE, RW,
                 ANON | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0),
            APART_PAGES * PAGE);
  if (one_in(f, 8))
    map_sparse();
}

static word in_another_family(struct fuzzer *f) {
  uint other = (f->family + 1 + below(f, FAMILIES_MAX - 1)) % FAMILIES_MAX;

  return place_of(other) + below(f, APART_PAGES * PAGE);
}

/* What the threads that make the calls live on: their stacks, too. A call that
 * would take it from them ends the process, so few are let through. */
#define PRECIOUS_MAX 48
#define STACK_NEAR 0x10000 /* about the size of a thread's stack */
static struct place precious[PRECIOUS_MAX];
static uint nprecious; /* [a] */

void values_precious(word at, word size) {
  uint i = __atomic_fetch_add(&nprecious, 1, __ATOMIC_RELAXED);

  if (i < PRECIOUS_MAX)
    precious[i] = (struct place){at, size};
}

void values_stack(const void *local) {
  values_precious((word)local - STACK_NEAR, 2 * STACK_NEAR);
}

int values_touches_own(word at, word size) {
  uint n = __atomic_load_n(&nprecious, __ATOMIC_RELAXED);

  for (uint i = 0; i < n && i < PRECIOUS_MAX; i++)
    if (at + size < at || (at < precious[i].start + precious[i].size &&
                           at + size > precious[i].start))
      return 1;
  return 0;
}

static void find_own(void) {
  static struct vmregion region[OWN_MAX];
  int n = vmregions(getpid(), region, OWN_MAX);

  nown = n > 0 ? n : 0;
  for (uint i = 0; i < nown; i++)
    own[i] = (struct place){region[i].start, region[i].end - region[i].start};
  for (uint i = 0; i < nown; i++)
    values_precious(own[i].start, own[i].size);
}

/* --- paths and argument lists --- */

#define LONG_PATH 1024 /* with its 0: one byte more than a path may have */
static char long_path[LONG_PATH + 1], just_too_long[LONG_PATH + 2];
static char *unterminated; /* the last bytes of a page; none follows */
static char *wild_argv[40];
static char *argv[] = {PROGRAM, "one", "", 0};

static const char *const paths[] = {
    "a",       "b",      "c",         "d",           "d/a",
    "d/b",     "d/e",    "d/e/a",     "e",           "d/../a",
    "./a",     "d/.",    "../s/a",    "../s/b",      "../s/d",
    "../s/d/", PROGRAM,  "../s/prog", "../s/shared", "nosuch/a",
    "a/b",     "device", "//d//a",    "d/e/../../d", "fourteen.chars",
};
static const char *const odd_paths[] = {
    "",
    ".",
    "..",
    "/",
    "//",
    "../..",
    "fifteen.charact",
    "a/",
    "a/.",
    "d/..",
    "d/e/../..",
    "/nosuch/../d",
    "../../../../..",
    "\1\377\n",
};

static void make_paths(void) {
  char *page = mmap(0, 2 * PAGE, RW, ANON, -1, 0);

  if (page != MAP_FAILED) {
    munmap(page + PAGE, PAGE);
    unterminated = page + PAGE - 3;
    memset(unterminated, 'u', 3);
  }
  for (uint i = 0; i < LONG_PATH - 1; i++) /* "./././././a" */
    long_path[i] = i % 2 ? '/' : '.';
  memcpy(just_too_long, long_path, LONG_PATH);
  long_path[LONG_PATH - 2] = 'a';
  just_too_long[LONG_PATH - 1] = 'a';
}

static word some_path(struct fuzzer *f) {
  switch (below(f, 8)) {
    case 0:
      return (word)long_path;
    case 1:
      return (word)just_too_long;
    case 2:
      return (word)unterminated;
    default:
      return (word)odd_paths[below(f, NELEM(odd_paths))];
  }
}

/* Where a string might be, wherever that is. */
static word some_argv(struct fuzzer *f) {
  uint n = below(f, NELEM(wild_argv) - 1);

  wild_argv[n] = 0;
  for (uint i = 0; i < n; i++)
    wild_argv[i] =
        (char *)(one_in(f, 8) ? hurtful(f, K_BUFFER) : sensible(f, K_PATH));
  return (word)wild_argv;
}

void values_prepare(struct fuzzer *f) {
  find_own();
  make_arena(f);
  make_paths();
}

/* --- addresses --- */

static const word foreign[] = FORBIDDEN_ADDRESSES;

static struct place some_arena(struct fuzzer *f) {
  return arena[below(f, narena)];
}

/* Somewhere in it, or just outside. */
static word somewhere(struct fuzzer *f, struct place p) {
  switch (below(f, 8)) {
    case 0:
      return p.start;
    case 1:
      return p.start + p.size - 1 - below(f, 16);
    case 2:
      return p.start + p.size;
    case 3:
      return p.start - 1 - below(f, 16);
    case 4:
      return p.start + PAGE - below(f, 32);
    case 5:
      return p.start + (bits(f) % (p.size / PAGE + 1)) * PAGE;
    default:
      return p.start + bits(f) % (p.size + 1);
  }
}

static word some_address(struct fuzzer *f) {
  switch (below(f, 16)) {
    case 0:
    case 1:
    case 2:
      return foreign[below(f, NELEM(foreign))] + below(f, 3) * 8;
    case 3:
      return (word)bits(f);
    case 4: /* rarely, as much of what is written there ends the program */
      return one_in(f, 8) ? somewhere(f, own[below(f, nown)]) : own[0].start;
    case 5:
      return below(f, 2) ? 0 : MAXVA - below(f, 2) * PAGE;
    case 6:
      return in_another_family(f);
    default:
      return somewhere(f, some_arena(f));
  }
}

void values_mapped(struct fuzzer *f, word at, word size) {
  struct place p = {at, size > LARGE ? LARGE : size + 1};

  arena[below(f, narena)] = p;
}

/* --- numbers --- */

static const uint64 limits[] = {
    0,
    1,
    2,
    7,
    PAGE - 1,
    PAGE,
    PAGE + 1,
    268 * 1024, /* the largest file */
    268 * 1024 + 1,
    0x3fffffff,
    0x7ffffffe,
    0x7fffffff,
    0x80000000,
    0x80000001,
    0xfffff000,
    0xfffffffe,
    0xffffffff,
    0x100000000,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffff80000000,
    0xfffffffffffff000,
    ~1ULL,
    ~0ULL,
};

static word some_limit(struct fuzzer *f) {
  if (one_in(f, 6))
    return (word)(bits(f) >> below(f, 64));
  return (word)(limits[below(f, NELEM(limits))] + below(f, 3) - 1);
}

static word some_size(struct fuzzer *f) {
  switch (below(f, 4)) {
    case 0:
      return (1 + below(f, 16)) * PAGE;
    case 1:
      return below(f, 3 * PAGE);
    case 2:
      return one_in(f, 16) ? SPARSE : below(f, 200);
    default:
      return below(f, 200);
  }
}

/* Descriptors that a family starts with are the lowest. */
static word some_fd(struct fuzzer *f) { return below(f, 16); }

static word some_pid(struct fuzzer *f) {
  static const int special[] = {0, -1, 1, 2, 0x7fffffff};

  if (one_in(f, 3))
    return (word)special[below(f, NELEM(special))];
  return (word)getpid() + below(f, 8);
}

word sensible(struct fuzzer *f, enum kind kind) {
  switch (kind) {
    case K_FD:
      return some_fd(f);
    case K_PID:
      return some_pid(f);
    case K_PATH:
      return (word)paths[below(f, NELEM(paths))];
    case K_ARGV:
      return (word)argv;
    case K_BUFFER:
      return arena[below(f, 2)].start + below(f, PAGE / 8) * 8;
    case K_MAPPING:
      return below(f, 2) ? somewhere(f, some_arena(f)) & -(word)PAGE
                         : some_arena(f).start;
    case K_SIZE:
      return some_size(f);
    default:
      return below(f, 4);
  }
}

word hurtful(struct fuzzer *f, enum kind kind) {
  switch (kind) {
    case K_PATH:
      return one_in(f, 3) ? some_address(f) : some_path(f);
    case K_ARGV:
      return one_in(f, 3) ? some_address(f) : some_argv(f);
    case K_BUFFER:
    case K_MAPPING:
      return some_address(f);
    case K_SIZE: /* up to the end of all addresses, or a little more */
      return one_in(f, 4) ? -some_address(f) + below(f, 3) - 1 : some_limit(f);
    case K_FD:
      return one_in(f, 2) ? 508 + below(f, 8) : some_limit(f);
    default:
      return one_in(f, 8) ? some_address(f) : some_limit(f);
  }
}
