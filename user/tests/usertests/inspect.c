/*
 * The calls that look at the system agree with each other and with what this
 * program knows about itself.
 */
#include "usertests.h"

static struct vmregion region[32];
static int nregions;
static struct ptentry entry[64];

static void read_regions(void) {
  nregions = vmregions(getpid(), region, NELEM(region));
  CHECK(nregions >= 4 && nregions < (int)NELEM(region));
}

/* The region that an address lies in, or 0. */
static struct vmregion *region_at(uint64 va) {
  for (int i = 0; i < nregions; i++)
    if (va >= region[i].start && va < region[i].end)
      return &region[i];
  return 0;
}

static void check_in(const char *name, const void *p) {
  struct vmregion *r = region_at((addr)p);

  CHECK(r != 0);
  CHECK_EQ(strcmp(r->name, name), 0);
}

/* Memory is somebody's, every page of it. */
static void memorysums(void) {
  struct meminfo a, b;
  char *p;

  CHECK_EQ(meminfo(&a), 0);
  CHECK_EQ(a.page_size, PGSIZE);
  CHECK_EQ(a.free + a.image + a.kernel + a.slab + a.stacks + a.tables + a.user +
               a.cache + a.pipes + a.zero + a.reserved,
           a.total);
  CHECK(a.image > 0 && a.tables > 3 && a.stacks > 0 && a.user > 10);
  CHECK(a.largest <= a.free);
  p = sbrk(100 * PGSIZE);
  for (int i = 0; i < 100; i++)
    p[i * PGSIZE] = 1;
  CHECK_EQ(meminfo(&b), 0);
  CHECK(b.user >= a.user + 100);
  CHECK(b.user < a.user + 200);
}

/* sysinfo() counts what happens. */
static void systeminfo(void) {
  struct sysinfo a, b;

  CHECK_EQ(sysinfo(&a), 0);
  CHECK(a.cpus >= 1 && a.cpus <= 8);
  CHECK(a.processes >= 3 && a.processes <= a.processes_max);
  CHECK(a.runnable >= 1);
  CHECK(a.levels >= 2 && a.levels <= PTWALK_LEVELS);
  CHECK(a.arch[0] && a.version[0] && a.machine[0]);
  for (int i = 0; i < 100; i++)
    getpid();
  pause(1);
  CHECK_EQ(sysinfo(&b), 0);
  CHECK(b.uptime_ns > a.uptime_ns);
  CHECK(b.syscalls >= a.syscalls + 100);
  CHECK(b.switches > a.switches);
  CHECK(b.interrupts > a.interrupts);
}

/* Regions are in order, do not overlap, and contain what they should. */
static void regions(void) {
  int local;

  read_regions();
  for (int i = 0; i < nregions; i++) {
    CHECK(region[i].start < region[i].end);
    CHECK_EQ(region[i].start % PGSIZE, 0);
    CHECK_EQ(region[i].end % PGSIZE, 0);
    CHECK(region[i].resident <= region[i].end - region[i].start);
    if (i > 0)
      CHECK(region[i - 1].end <= region[i].start);
    CHECK(!(region[i].rights & VM_WRITE && region[i].rights & VM_EXEC));
  }
  check_in("text", (void *)regions);
  check_in("data", scratch);
  check_in("stack", &local);
  CHECK_EQ(region_named("text").start, 0);
  CHECK_EQ(region_named("guard").resident, 0);
}

/* The heap is a region that sbrk() moves. */
static void heapregion(void) {
  char *p = sbrk(10 * PGSIZE);
  struct vmregion before, after;

  before = region_named("heap");
  CHECK((addr)p >= before.start && (addr)sbrk(0) <= before.end);
  memset(p, 1, 10 * PGSIZE);
  sbrk(5 * PGSIZE);
  after = region_named("heap");
  CHECK_EQ(after.start, before.start);
  CHECK_EQ(after.end, before.end + 5 * PGSIZE);
  sbrk(-10 * PGSIZE);
  CHECK_EQ(region_named("heap").end, before.end - 5 * PGSIZE);
}

/* Run fn for each mapping of a page table. Returns how many there are. */
static int each_mapping(int pid, void (*fn)(const struct ptentry *)) {
  uint64 from = 0;
  int n, total = 0;

  while ((n = ptdump(pid, from, entry, NELEM(entry))) > 0) {
    for (int i = 0; i < n; i++) {
      CHECK(entry[i].va >= from);
      from = entry[i].va + entry[i].size;
      fn(&entry[i]);
    }
    total += n;
  }
  CHECK_EQ(n, 0);
  return total;
}

#define DUMPS 3 /* until one finds a table that stays as it is */

static int moved; /* pages that a walk found elsewhere, and a new dump too */

/* A page of a file that memory was short for may be back in another place. */
static int still_mapped(const struct ptentry *e) {
  struct ptentry now;

  return ptdump(getpid(), e->va, &now, 1) == 1 && now.va == e->va &&
         now.size >= e->size && now.pa == e->pa;
}

static void check_page(const struct ptentry *e, uint64 va) {
  struct ptwalk w;

  CHECK_EQ(ptwalk(getpid(), va, &w), 0);
  if (!still_mapped(e)) {
    moved++;
    return;
  }
  CHECK(w.steps >= 1 && w.steps <= w.levels);
  CHECK(w.step[w.steps - 1].leaf);
  CHECK_EQ(w.step[w.steps - 1].level, e->level);
  CHECK_EQ(w.pa, e->pa + (va - e->va));
  CHECK_EQ(strcmp(w.name, e->name), 0);
}

static void check_mapping(const struct ptentry *e) {
  CHECK(e->size > 0);
  CHECK_EQ((e->va | e->pa | e->size) % PGSIZE, 0);
  check_page(e, e->va);
  check_page(e, e->va + e->size - 1);
}

/* ptdump() and ptwalk() see the same table. */
static void dumpandwalk(void) {
  for (int i = 0; i < DUMPS; i++) {
    moved = 0;
    CHECK(each_mapping(getpid(), check_mapping) >= 4);
    if (!moved)
      return;
  }
  CHECK_EQ(moved, 0);
}

static uint64 mapped_in_regions;

static void count_mapping(const struct ptentry *e) {
  struct vmregion *r = region_at(e->va);

  if (!r)
    return; /* the kernel's own pages at the top */
  CHECK(e->va + e->size <= r->end);
  CHECK_EQ(strcmp(e->name, r->name), 0);
  if (r->rights & VM_READ)
    mapped_in_regions += e->size;
}

/* What is mapped lies in regions, and their sums are the same. */
static void dumpandregions(void) {
  static struct procinfo p[64];
  uint64 resident = 0;
  int n;

  /* what the calls write is in memory from the first time on */
  for (int turn = 0; turn < 2; turn++) {
    n = procs(p, NELEM(p));
    read_regions();
    mapped_in_regions = 0;
    each_mapping(getpid(), count_mapping);
  }
  for (int i = 0; i < nregions; i++)
    resident += region[i].resident;
  CHECK_EQ(mapped_in_regions, resident);
  for (int i = 0; i < n; i++)
    if (p[i].pid == getpid())
      CHECK_EQ(p[i].resident, resident);
}

static struct vmregion usage_of(const void *p) {
  struct vmregion *r;

  read_regions();
  r = region_at((addr)p);
  CHECK(r != 0);
  return *r;
}

static struct fault_counts my_faults(void) {
  static struct procinfo p[64];
  int n = procs(p, NELEM(p));

  for (int i = 0; i < n && i < (int)NELEM(p); i++)
    if (p[i].pid == getpid())
      return p[i].faults;
  CHECK(0);
  exit(1);
}

/* So many faults since then. A shortage may have taken pages of the program's file:
 * each fault by which they come back brings one, at least. */
static void check_faults(struct fault_counts before, struct fault_counts after,
                         uint n) {
  uint faults = after.total - before.total;

  CHECK(faults >= n && faults - n <= after.file - before.file);
}

static void check_usage(const void *p, uint resident, uint common, uint dirty) {
  struct vmregion r = usage_of(p);

  CHECK_EQ(r.resident, resident * PGSIZE);
  CHECK_EQ(r.common, common * PGSIZE);
  CHECK_EQ(r.dirty, dirty * PGSIZE);
}

/* How much of a region is there, whose it is, and what the faults did for it. */
static void usage(void) {
  const uint pages = 16;
  struct fault_counts before, after;
  char *p = mmap(0, pages * PGSIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct gate go;
  int pid;

  CHECK(p != MAP_FAILED);
  my_faults(); /* what the call itself writes is there from now on */
  check_usage(p, 0, 0, 0);
  before = my_faults();
  for (uint i = 0; i < 8; i++)
    CHECK_EQ(*(volatile char *)(p + i * PGSIZE), 0);
  check_usage(p, 8, 8, 0); /* the page of zeros, 8 times */
  for (uint i = 6; i < 12; i++)
    p[i * PGSIZE] = 1;
  check_usage(p, 12, 6, 6);
  after = my_faults();
  CHECK(after.zero >= before.zero + 12);
  CHECK(after.total >= before.total + 14);

  gate_init(&go);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK(my_faults().total < 100); /* its own, from its start */
    check_usage(p, 12, 12, 6);
    before = my_faults(); /* what these write is copied by now */
    for (uint i = 6; i < 9; i++)
      p[i * PGSIZE] = 2;
    CHECK_EQ(my_faults().copy - before.copy, 3);
    check_usage(p, 12, 9, 6);
    gate_pass(&go);
    exit(0);
  }
  gate_open(&go);
  CHECK_EQ(join(pid), 0);
  gate_close(&go);
  my_faults(); /* the call itself reuses what it writes */
  before = my_faults();
  for (uint i = 6; i < 12; i++)
    p[i * PGSIZE] = 3; /* nobody else has them any more: nothing is copied */
  after = my_faults();
  CHECK_EQ(after.copy, before.copy);
  CHECK_EQ(after.reuse - before.reuse, 6);
  check_faults(before, after, 6);
  check_usage(p, 12, 6, 6);
  CHECK_EQ(munmap(p, pages * PGSIZE), 0);
}

static void touch(void *p) { *(volatile char *)p = 1; }

/* Faults that end a program, or a call with EFAULT. */
static void refused(void) {
  char *none = mmap(0, PGSIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *kernel = (char *)-PGSIZE;
  struct fault_counts before, after;
  struct sysinfo s;

  CHECK(none != MAP_FAILED);
  CHECK_FAILS(getcwd(none, PGSIZE), EFAULT); /* its text is there now */
  my_faults();                               /* and what this call writes */
  before = my_faults();
  CHECK_FAILS(getcwd(none, PGSIZE), EFAULT);
  CHECK_FAILS(getcwd(kernel, PGSIZE), EFAULT);
  after = my_faults();
  CHECK_EQ(after.refused - before.refused, 2);
  check_faults(before, after, 2);

  CHECK_EQ(sysinfo(&s), 0);
  before = s.faults;
  expect_killed(touch, none);
  expect_killed(touch, kernel);
  CHECK_EQ(sysinfo(&s), 0);
  CHECK_EQ(s.faults.refused - before.refused, 2);
  CHECK_EQ(munmap(none, PGSIZE), 0);
}

#define FEW_FAULTS 8

static void compute_without_faults(void *unused) {
  volatile uint n = 0;
  uint before;

  (void)unused;
  my_faults(); /* what the call itself writes is there from now on */
  before = my_faults().total;
  while (n < (quick ? 10000000 : 50000000))
    n++;
  CHECK(my_faults().total - before < FEW_FAULTS);
}

static void stay_in_kernel(void *unused) {
  static char buf[65536];
  int fd;

  (void)unused;
  for (;;) {
    fd = open("f", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(read(fd, buf, sizeof(buf)), sizeof(buf));
    close(fd);
  }
}

/* A program that computes faults no more, also where it has turns after others
 * that are interrupted inside the kernel. If it went on with the kernel's rights
 * then, each instruction of its own would fault. */
static void usermode(void) {
  enum { MOST = 8 };
  int computes[MOST], reads[MOST], n;
  struct sysinfo s;

  CHECK_EQ(sysinfo(&s), 0);
  n = s.cpus < MOST ? (int)s.cpus : MOST;
  make_file("f", 65536, 1);
  for (int i = 0; i < n; i++) {
    reads[i] = spawn(stay_in_kernel, 0);
    computes[i] = spawn(compute_without_faults, 0);
  }
  for (int i = 0; i < n; i++)
    CHECK_EQ(join(computes[i]), 0);
  for (int i = 0; i < n; i++) {
    CHECK_EQ(kill(reads[i]), 0);
    CHECK_EQ(join(reads[i]), STATUS_KILLED);
  }
  CHECK_EQ(unlink("f"), 0);
}

/* What a walk ends with, for each way to end. */
static void walkresults(void) {
  struct ptwalk w;

  scratch[0] = 1; /* it is there from now on */
  CHECK_EQ(ptwalk(getpid(), (addr)scratch, &w), 0);
  CHECK_EQ(w.fault, PT_OK);
  CHECK_EQ(ptwalk(getpid(), (addr)sbrk(0) + 100 * PGSIZE, &w), 0);
  CHECK_EQ(w.fault, PT_INVALID);
  CHECK_EQ(ptwalk(getpid(), ~0UL, &w), 0);
  CHECK_EQ(w.fault, PT_BADADDR);
  CHECK_EQ(w.steps, 0);
  CHECK_EQ(ptwalk(getpid(), region_named("guard").start, &w), 0);
  CHECK(w.fault == PT_NOTUSER || w.fault == PT_INVALID);
  CHECK_EQ(strcmp(w.name, "guard"), 0);
  CHECK_FAILS(ptwalk(0x7ffffff, 0, &w), ESRCH);
  CHECK_FAILS(vmregions(0x7ffffff, region, 1), ESRCH);
  CHECK_FAILS(ptdump(0x7ffffff, 0, entry, 1), ESRCH);
  CHECK_EQ(ptdump(getpid(), ~0UL, entry, 1), 0);
  CHECK_EQ(ptdump(getpid(), 0, entry, 1), 1);
  CHECK_EQ(vmregions(getpid(), region, 0), 0);
  CHECK_EQ(vmregions(getpid(), region, 1), 1);
}

static uint64 physical(int pid, const void *p) {
  struct ptwalk w;

  CHECK_EQ(ptwalk(pid, (addr)p, &w), 0);
  CHECK_EQ(w.fault, PT_OK);
  return w.pa;
}

/* Parent and child have the same addresses and, once both have written, not
 * the same memory. */
static void ownmemory(void) {
  struct gate written, done;

  gate_init(&written);
  gate_init(&done);
  int pid = fork();
  CHECK(pid >= 0);
  scratch[0] = 1;
  if (pid == 0) {
    gate_open(&written);
    gate_pass(&done);
    exit(0);
  }
  gate_pass(&written);
  CHECK(physical(pid, scratch) != physical(getpid(), scratch));
  gate_open(&done);
  CHECK_EQ(join(pid), 0);
  gate_close(&written);
  gate_close(&done);
}

/* Looking at a process that exits meanwhile gives an error or its last view,
 * many times over. */
static void lookatdying(void) {
  struct ptwalk w;

  for (int i = 0; i < (quick ? 50 : 300); i++) {
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
      exit(0);
    for (int k = 0; k < 3; k++) {
      ptwalk(pid, (addr)scratch, &w);
      ptdump(pid, 0, entry, NELEM(entry));
      vmregions(pid, region, NELEM(region));
    }
    CHECK_EQ(join(pid), 0);
  }
}

/* Bytes of the region at p that a process shares with others. */
static uint64 common_of(int pid, const void *p) {
  nregions = vmregions(pid, region, NELEM(region));
  CHECK(nregions > 0 && region_at((addr)p) != 0);
  return region_at((addr)p)->common;
}

/* A child that writes to a part of what it has of its parent has copies of that,
 * and the rest is still of both: the same number in both, whoever of them has it
 * in superpages. */
static void sharedregion(void) {
  enum { size = 8 << 20 };
  static const uint from[] = {0, PGSIZE}, to[] = {PGSIZE, size};
  struct gate written, seen;
  char *p =
      mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  CHECK(p != MAP_FAILED);
  for (uint i = 0; i < NELEM(from); i++) {
    for (uint at = 0; at < size; at += PGSIZE)
      p[at] = 1;
    CHECK_EQ(common_of(getpid(), p), 0);
    gate_init(&written);
    gate_init(&seen);
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      for (uint at = from[i]; at < to[i]; at += PGSIZE)
        p[at] = 2;
      gate_open(&written);
      gate_pass(&seen);
      exit(0);
    }
    gate_pass(&written);
    CHECK_EQ(common_of(getpid(), p), size - (to[i] - from[i]));
    CHECK_EQ(common_of(pid, p), size - (to[i] - from[i]));
    gate_open(&seen);
    CHECK_EQ(join(pid), 0);
    gate_close(&written);
    gate_close(&seen);
  }
  munmap(p, size);
}

const struct test inspect_tests[] = {
    TEST(memorysums),   TEST(systeminfo),  TEST(regions),
    TEST(heapregion),   TEST(dumpandwalk), TEST(dumpandregions),
    TEST(usage),        TEST(refused),     TEST(usermode),
    TEST(walkresults),  TEST(ownmemory),   TEST(lookatdying),
    TEST(sharedregion), TESTS_END};
