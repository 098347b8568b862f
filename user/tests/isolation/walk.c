/*
 * What a program can reach: of all addresses that the machine has, those in its
 * regions, with the rights that these give. Two ways there:
 *
 *   walk_calls   the kernel reads or writes a byte there for us; cheap, so all
 *                addresses are walked in steps, all the kernel's mappings
 *                in smaller ones, and some at random
 *   walk_direct  a child loads, stores and jumps there; each ends a process,
 *                so only at boundaries
 */
#include "isolation.h"

#define REGIONS_MAX 64
#define RUNS_MAX 64   /* that ptdump() is asked for at a time */
#define STEPS 1024    /* through all addresses */
#define RUN_STEPS 100 /* through one mapping of the kernel */
#define RANDOM_ADDRESSES 1000
#define DIRECT_MAX 120
#define DIRECT_EVERY 8 /* of those with which a kernel has many, like stacks */
#define ADDRESS_BITS (8 * sizeof(addr))

static const addr forbidden[] = FORBIDDEN_ADDRESSES;

static struct vmregion regions[REGIONS_MAX];
static int nregions;

static void see_regions(void) {
  nregions = vmregions(getpid(), regions, REGIONS_MAX);
  CHECK(nregions > 0 && nregions < REGIONS_MAX);
}

int rights_at(addr a) {
  if (nregions == 0)
    see_regions();
  for (int i = 0; i < nregions; i++)
    if (a >= regions[i].start && a < regions[i].end)
      return regions[i].rights & (VM_READ | VM_WRITE | VM_EXEC);
  return -1;
}

static int may(addr a, int right) {
  int rights = rights_at(a);

  return rights >= 0 && (rights & right);
}

uint kernel_addresses(addr *list, uint max, uint every) {
  struct ptentry run[RUNS_MAX];
  uint n = 0, seen = 0;
  addr from = 0;
  int got;

  for (uint i = 0; i < NELEM(forbidden) && n < max; i++)
    list[n++] = forbidden[i];
  do {
    got = ptdump(PID_KERNEL, from, run, RUNS_MAX);
    CHECK(got >= 0);
    for (int i = 0; i < got; i++) {
      addr last = (addr)(run[i].va + run[i].size - 1);

      if (n + 2 <= max && seen++ % every == 0) {
        list[n++] = (addr)run[i].va;
        list[n++] = last;
      }
      from = last + 1;
    }
  } while (got == RUNS_MAX && from != 0);
  return n;
}

/* --- through system calls --- */

static int pipe_fd[2];

/* A byte from there to a pipe, and one from a pipe to there. */
static void try_calls(addr a) {
  char c = 0;

  trying("write() and read()", a);
  if (may(a, VM_READ)) {
    CHECK(write(pipe_fd[1], (char *)a, 1) == 1);
    CHECK(read(pipe_fd[0], &c, 1) == 1);
  } else {
    CHECK(write(pipe_fd[1], (char *)a, 1) == -1 && lasterr() == EFAULT);
  }
  if (may(a, VM_WRITE))
    return; /* may well be what this function needs */
  CHECK(write(pipe_fd[1], &c, 1) == 1);
  CHECK(read(pipe_fd[0], (char *)a, 1) == -1 && lasterr() == EFAULT);
  CHECK(read(pipe_fd[0], &c, 1) == 1); /* it is still there */
}

static void try_kernel_runs(void) {
  struct ptentry run[RUNS_MAX];
  addr from = 0;
  int got;

  do {
    got = ptdump(PID_KERNEL, from, run, RUNS_MAX);
    CHECK(got >= 0);
    for (int i = 0; i < got; i++) {
      addr start = (addr)run[i].va, size = (addr)run[i].size;
      addr step = size / RUN_STEPS < PAGE ? PAGE : size / RUN_STEPS;

      for (addr at = 0; at < size && at + step > at; at += step)
        try_calls(start + at);
      try_calls(start + size - 1);
      from = start + size;
    }
  } while (got == RUNS_MAX && from != 0);
}

static void try_boundaries(void (*try)(addr)) {
  for (uint bit = PAGE_BITS; bit < ADDRESS_BITS; bit++) {
    try((addr)1 << bit);
    try(((addr)1 << bit) - 1);
    try(-((addr)1 << bit));
  }
  for (int i = 0; i < nregions; i++) {
    try((addr)regions[i].start);
    try((addr)regions[i].start - 1);
    try((addr)regions[i].end - 1);
    try((addr)regions[i].end);
  }
}

void walk_calls(void) {
  struct sysinfo s;
  addr top;

  CHECK(pipe(pipe_fd) == 0 && sysinfo(&s) == 0);
  see_regions();
  /* What the page tables translate; beyond that nothing does. */
  top = (addr)1 << (PAGE_BITS + s.levels * s.index_bits - 1);
  for (addr i = 0; i < 2 * STEPS; i++)
    try_calls(top / STEPS * i);
  for (addr i = 0; i < STEPS; i++)
    try_calls(((addr)~0 / STEPS) * i);
  for (uint i = 0; i < RANDOM_ADDRESSES; i++)
    try_calls((addr)rnd() >> rnd() % (ADDRESS_BITS - PAGE_BITS));
  try_boundaries(try_calls);
  try_kernel_runs();
  for (uint i = 0; i < NELEM(forbidden); i++)
    try_calls(forbidden[i]);
}

/* --- directly --- */

static int load(void *at) {
  (void)*(volatile char *)at;
  return 0;
}

static int store(void *at) {
  *(volatile char *)at = 1;
  return 0;
}

static int jump(void *at) {
  ((void (*)(void))at)();
  return 0;
}

/* Only what is not allowed: what is, happens all the time. One that can be
 * read ends no process; one that cannot ends all three. */
static void try_direct(addr a) {
  struct sysinfo s;

  CHECK(sysinfo(&s) == 0);
  trying("load", a);
  if (!may(a, VM_READ))
    CHECK(join(spawn(load, (void *)a)) == STATUS_KILLED);
  trying("store", a);
  if (!may(a, VM_WRITE))
    CHECK(join(spawn(store, (void *)a)) == STATUS_KILLED);
  trying("jump", a);
  if (!may(a, VM_EXEC) && (rights_at(a) <= 0 || (s.rights & VM_EXEC)))
    CHECK(join(spawn(jump, (void *)a)) == STATUS_KILLED);
}

void walk_direct(void) {
  static addr list[DIRECT_MAX];
  uint n = kernel_addresses(list, NELEM(list), DIRECT_EVERY);

  see_regions();
  for (uint i = 0; i < n; i++)
    try_direct(list[i]);
  for (int i = 0; i < nregions; i++) {
    try_direct((addr)regions[i].start);
    try_direct((addr)regions[i].end);
  }
}
