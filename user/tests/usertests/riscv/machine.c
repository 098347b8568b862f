/*
 * RISC-V: the facts of Sv39 and of the book's address-space figures, checked
 * on the page tables that the machine is using right now.
 *
 * Numbers are written out here, from the RISC-V privileged spec 1.12, section
 * 4.4, and from the figures, rather than taken from the headers: a header that
 * is wrong must not make its own test right.
 */
#include "../usertests.h"

#define R_X 0x0b /* V, R, X */
#define RW_ 0x07 /* V, R, W */
#define U 0x10   /* user mode may use it */
#define RWXUV 0x1f

#define STACKS_TOP 0x3fffffc000UL /* a slot of four pages below the top */
#define SLOT 0x4000UL

static struct ptwalk walked;

static uint64 leaf_flags(int pid, uint64 va) {
  CHECK_EQ(ptwalk(pid, va, &walked), 0);
  CHECK(walked.steps > 0);
  CHECK(walked.step[walked.steps - 1].leaf);
  return walked.step[walked.steps - 1].pte & RWXUV;
}

/* The names of the notes have the values of the machine (A1, A2). */
static void constants(void) {
  CHECK_EQ(PGSIZE, 4096);
  CHECK_EQ(MAXVA, 0x4000000000L);
  CHECK_EQ(PTE_V, 1);
  CHECK_EQ(PTE_R, 2);
  CHECK_EQ(PTE_W, 4);
  CHECK_EQ(PTE_X, 8);
  CHECK_EQ(PTE_U, 16);
  CHECK_EQ(PX(2, 0x3fffffffffL), 0xff);
  CHECK_EQ(PX(1, 0x3fffffffffL), 0x1ff);
  CHECK_EQ(PX(0, 0x400123), 0);
  CHECK_EQ(PX(1, 0x400123), 2);
  CHECK_EQ(PTE2PA(PA2PTE(0x80001000L)), 0x80001000L);
  CHECK_EQ(PTE2PA(PA2PTE(0xabcde000L) | PTE_V), 0xabcde000L);
  CHECK_EQ(MAKE_SATP(0x80001000L), 0x8000000000080001UL);
  CHECK_EQ(PGROUNDUP(4097), 8192);
  CHECK_EQ(PGROUNDDOWN(8191), 4096);
  CHECK_EQ(TRAMPOLINE, 0x3ffffff000L);
  CHECK_EQ(TRAPFRAME, 0x3fffffe000L);
}

/* A walk goes through three levels of 512 entries: each index is nine bits of
 * the address, each entry lies in the page that the one before names. */
static void check_steps(int pid, uint64 va) {
  uint64 table;

  CHECK_EQ(ptwalk(pid, va, &walked), 0);
  CHECK_EQ(walked.levels, 3);
  table = walked.root;
  for (int i = 0; i < walked.steps; i++) {
    int level = 2 - i;
    uint64 pte = walked.step[i].pte;

    CHECK_EQ(walked.step[i].level, level);
    CHECK_EQ(walked.step[i].index, (va >> (12 + 9 * level)) & 511);
    CHECK_EQ(walked.step[i].pte_addr, table + 8 * walked.step[i].index);
    CHECK_EQ(table % 4096, 0);
    CHECK_EQ(pte >> 54, 0); /* 44 bits of page number above ten of flags */
    table = (pte >> 10) << 12;
    if (walked.step[i].leaf)
      CHECK_EQ(walked.pa, table + (va & ((1UL << (12 + 9 * level)) - 1)));
    else if (i + 1 < walked.steps)
      CHECK_EQ(pte & 0xff & ~0x20, 1); /* V; R, W, X clear: next level */
  }
}

static void walks(void) {
  int local;

  check_steps(getpid(), (addr)walks + 1);
  check_steps(getpid(), (addr)scratch);
  check_steps(getpid(), (addr)&local);
  check_steps(getpid(), TRAMPOLINE);
  check_steps(getpid(), 0x123456789aUL);
  check_steps(1, 0);
  check_steps(PID_KERNEL, 0x80000000UL);
  check_steps(PID_KERNEL, 0x10000000UL);
  check_steps(PID_KERNEL, STACKS_TOP - 8);
}

/* The user address space of figure 3.4. */
static void userspace(void) {
  int local;

  CHECK_EQ(leaf_flags(getpid(), 0), R_X | U);
  CHECK_EQ(leaf_flags(getpid(), (addr)userspace), R_X | U);
  scratch[0] = 1;
  CHECK_EQ(leaf_flags(getpid(), (addr)scratch), RW_ | U);
  CHECK_EQ(walked.step[2].pte & 0xc0, 0xc0); /* accessed and written to */
  CHECK_EQ(leaf_flags(getpid(), (addr)&local), RW_ | U);
  CHECK_EQ(leaf_flags(getpid(), 0x3fffffe000UL), RW_);
  CHECK_EQ(walked.fault, PT_NOTUSER);
  CHECK_EQ(strcmp(walked.name, "trapframe"), 0);
  CHECK_EQ(leaf_flags(getpid(), 0x3ffffff000UL), R_X);
  CHECK_EQ(walked.fault, PT_NOTUSER);
  CHECK_EQ(strcmp(walked.name, "trampoline"), 0);
}

static uint64 trampoline_of(int pid) {
  CHECK_EQ(leaf_flags(pid, 0x3ffffff000UL), R_X);
  return walked.pa;
}

/* One trampoline page for all, and in the kernel's text (A5). */
static void trampoline(void) {
  uint64 pa = trampoline_of(PID_KERNEL);

  CHECK_EQ(trampoline_of(getpid()), pa);
  CHECK_EQ(trampoline_of(1), pa);
  CHECK_EQ(trampoline_of(getppid()), pa);
  CHECK_EQ(leaf_flags(PID_KERNEL, pa), R_X);
  CHECK_EQ(walked.pa, pa);
}

/* Each process has a root page of its own (A3, A10). */
static void roots(void) {
  uint64 mine, inits;

  CHECK_EQ(ptwalk(getpid(), 0, &walked), 0);
  mine = walked.root;
  CHECK_EQ(ptwalk(1, 0, &walked), 0);
  inits = walked.root;
  CHECK_EQ(ptwalk(PID_KERNEL, 0, &walked), 0);
  CHECK(mine != inits && mine != walked.root && inits != walked.root);
}

/* Devices of figure 3.3, at their own addresses. */
static void devices(void) {
  static const uint64 at[] = {0x02000000, 0x0c000000, 0x10000000, 0x10001000};

  for (uint i = 0; i < NELEM(at); i++) {
    CHECK_EQ(leaf_flags(PID_KERNEL, at[i]), RW_);
    CHECK_EQ(walked.pa, at[i]);
  }
}

static struct {
  uint64 text_end; /* where R-X ends above KERNBASE */
  uint64 ram_end;  /* where the direct map ends */
  uint64 stacks;   /* bytes of stacks */
} seen;

/* Every mapping of the kernel's table is one that figure 3.3 has. */
static void check_kernel_mapping(const struct ptentry *e) {
  uint64 rights = e->flags & RWXUV;

  CHECK(rights == R_X || rights == RW_);
  if (e->va == 0x3ffffff000UL) {
    CHECK_EQ(rights, R_X);
    CHECK_EQ(e->size, 4096);
  } else if (e->va >= 0x3000000000UL) {
    CHECK_EQ(rights, RW_);
    CHECK(e->va + e->size <= STACKS_TOP);
    CHECK(e->va % SLOT != 0); /* the guard page is the lowest of the slot */
    CHECK(e->va % SLOT + e->size <= SLOT);
    seen.stacks += e->size;
  } else {
    CHECK_EQ(e->pa, e->va);
    if (e->va >= 0x80000000UL)
      seen.ram_end = e->va + e->size;
    if (rights == R_X) {
      CHECK_EQ(e->va, seen.text_end);
      seen.text_end += e->size;
    }
  }
}

/* The kernel's whole page table (A4, A5, A6): direct-mapped devices and RAM,
 * text R-X from KERNBASE on, everything else RW-, nothing for user mode. */
static void kernelspace(void) {
  static struct ptentry e[64];
  struct meminfo m;
  uint64 from = 0;
  int n;

  seen.text_end = 0x80000000UL;
  while ((n = ptdump(PID_KERNEL, from, e, NELEM(e))) > 0)
    for (int i = 0; i < n; i++) {
      check_kernel_mapping(&e[i]);
      from = e[i].va + e[i].size;
    }
  CHECK_EQ(n, 0);
  CHECK_EQ(meminfo(&m), 0);
  CHECK(seen.text_end > 0x80004000UL && seen.text_end < 0x80400000UL);
  CHECK_EQ(seen.ram_end, 0x80000000UL + m.total * 4096);
  CHECK(seen.stacks > 0 && seen.stacks <= m.stacks * 4096);
}

/* Under each kernel stack is a page that is not valid (A5). */
static void kernelguards(void) {
  for (uint64 slot = STACKS_TOP - SLOT; slot > STACKS_TOP - 20 * SLOT;
       slot -= SLOT) {
    CHECK_EQ(ptwalk(PID_KERNEL, slot, &walked), 0);
    CHECK_EQ(walked.fault, PT_INVALID);
    CHECK_EQ(memcmp(walked.name, "guard", 5), 0);
  }
  CHECK_EQ(leaf_flags(PID_KERNEL, STACKS_TOP - 8), RW_);
}

/* Page-table pages of a small process: one root, and below it a page for each
 * 2 MiB and each 1 GiB that is in use. */
static void tablesize(void) {
  static struct procinfo p[64];
  int n = procs(p, NELEM(p));

  for (int i = 0; i < n; i++)
    if (p[i].pid == 1)
      CHECK_EQ(p[i].tables, 5 * 4096);
}

/* A program that sets a floating-point register, or the rounding mode, finds
 * it again, whoever else runs. */
static void float_child(void *arg) {
  volatile long n = (long)arg; /* in memory, to compare with */
  double x = (double)n, sum = 0;

  for (int i = 0; i < 200; i++) {
    sum += x;
    if (i % 10 == 0)
      yield();
    CHECK(sum == (double)(n * (i + 1)));
  }
}

static void floats(void) {
  int pid[6];

  for (long i = 0; i < 6; i++)
    pid[i] = spawn(float_child, (void *)(i + 1));
  float_child((void *)17L);
  for (int i = 0; i < 6; i++)
    CHECK_EQ(join(pid[i]), 0);
}

static inline void set_fs5(double x) {
  asm volatile("fmv.d fs5, %0" : : "f"(x));
}

static inline double get_fs5(void) {
  double x;

  asm volatile("fmv.d %0, fs5" : "=f"(x));
  return x;
}

static inline void set_rounding(uint mode) {
  asm volatile("fsrm %0" : : "r"(mode));
}

static inline uint get_rounding(void) {
  uint mode;

  asm volatile("frrm %0" : "=r"(mode));
  return mode;
}

/* fork copies the floating-point registers, and each has its own after. */
static void floatfork(void) {
  set_fs5(2.5);
  set_rounding(2);
  int pid = fork();
  if (pid == 0) {
    CHECK(get_fs5() == 2.5);
    CHECK_EQ(get_rounding(), 2);
    set_fs5(7.25);
    set_rounding(0);
    for (int i = 0; i < 20; i++)
      yield();
    CHECK(get_fs5() == 7.25);
    exit(0);
  }
  for (int i = 0; i < 20; i++)
    yield();
  CHECK(get_fs5() == 2.5);
  CHECK_EQ(get_rounding(), 2);
  set_rounding(0);
  CHECK_EQ(join(pid), 0);
}

/* All registers but the result's come back from a system call. */
static void registers(void) {
  register uint64 t0 asm("t0") = 0x1111, t6 asm("t6") = 0x2222;
  register uint64 s5 asm("s5") = 0x3333, a1 asm("a1") = 0x4444;
  register uint64 a5 asm("a5") = 0x5555, a7 asm("a7") = 11; /* getpid */
  register uint64 a0 asm("a0");

  asm volatile("ecall"
               : "=r"(a0), "+r"(t0), "+r"(t6), "+r"(s5), "+r"(a1), "+r"(a5),
                 "+r"(a7)
               :
               : "memory");
  uint64 result = a0, all[] = {t0, t6, s5, a1, a5, a7};
  static const uint64 want[] = {0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 11};
  CHECK_EQ(memcmp(all, want, sizeof(all)), 0);
  CHECK_EQ(result, getpid());
}

/* The kernel leaves nothing of its own in a new program's registers: the
 * stack pointer is aligned as the calling convention asks. */
static void alignment(void) { CHECK_EQ(stack_pointer() % 16, 0); }

const struct test machine_tests[] = {
    TEST(constants), TEST(walks),   TEST(userspace),   TEST(trampoline),
    TEST(roots),     TEST(devices), TEST(kernelspace), TEST(kernelguards),
    TEST(tablesize), TEST(floats),  TEST(floatfork),   TEST(registers),
    TEST(alignment), TESTS_END};
