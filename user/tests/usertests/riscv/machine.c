/*
 * RISC-V: the facts of Sv39 and of the book's address-space figures, checked
 * on the page tables that the machine is using right now.
 *
 * Numbers are written out here, from the RISC-V privileged spec 1.12, section
 * 4.4, and from the figures, rather than taken from the headers: a header that
 * is wrong must not make its own test right.
 */
#include "../tables.h"

#define R_X 0x0b /* V, R, X */
#define RW_ 0x07 /* V, R, W */
#define U 0x10   /* user mode may use it */

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

int table_levels(void) {
  struct sysinfo s;

  CHECK_EQ(sysinfo(&s), 0);
  return s.levels;
}

uint64 pte_target(uint64 pte) { return (pte >> 10) << 12; }
int is_branch(uint64 pte) { return (pte & 0xff & ~0x20) == 1; } /* V; not RWX */

/* The user address space of figure 3.4. */
static void userspace(void) {
  int local;

  CHECK_EQ(leaf_flags(getpid(), 0), R_X | U);
  CHECK_EQ(leaf_flags(getpid(), (addr)userspace), R_X | U);
  scratch[0] = 1;
  CHECK_EQ(leaf_flags(getpid(), (addr)scratch), RW_ | U);
  CHECK_EQ(walked.step[walked.steps - 1].pte & 0xc0,
           0xc0); /* accessed and written to */
  CHECK_EQ(leaf_flags(getpid(), (addr)&local), RW_ | U);
  CHECK_EQ(leaf_flags(getpid(), TOP - 0x2000), RW_);
  CHECK_EQ(walked.fault, PT_NOTUSER);
  CHECK_EQ(strcmp(walked.name, "trapframe"), 0);
  CHECK_EQ(leaf_flags(getpid(), TOP - 0x1000), R_X);
  CHECK_EQ(walked.fault, PT_NOTUSER);
  CHECK_EQ(strcmp(walked.name, "trampoline"), 0);
}

/* A program can have memory up to the trapframes, and no farther. */
static void highest(void) {
  char *last = (char *)(USER_TOP_NOW - PGSIZE);
  int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

  CHECK(mmap(last, PGSIZE, PROT_READ | PROT_WRITE, how, -1, 0) == last);
  last[0] = 1;
  last[PGSIZE - 1] = 2;
  CHECK_EQ(leaf_flags(getpid(), (addr)last), RW_ | U);
  CHECK_EQ(munmap(last, PGSIZE), 0);
  last += PGSIZE;
  CHECK(mmap(last, PGSIZE, PROT_READ | PROT_WRITE, how, -1, 0) == MAP_FAILED);
}

static uint64 trampoline_of(int pid) {
  CHECK_EQ(leaf_flags(pid, TOP - 0x1000), R_X);
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

/* Devices of figure 3.3, at their own addresses. */
static void devices(void) {
  static const uint64 at[] = {0x02000000, 0x0c000000, 0x10000000, 0x10001000};

  for (uint i = 0; i < NELEM(at); i++) {
    CHECK_EQ(leaf_flags(PID_KERNEL, at[i]), RW_);
    CHECK_EQ(walked.pa, at[i]);
  }
}

/* Every mapping of the kernel's table is one that figure 3.3 has. */
void check_kernel_mapping(const struct ptentry *e) {
  uint64 rights = e->flags & PTE_RIGHTS;

  CHECK(rights == R_X || rights == RW_);
  if (e->va == TOP - 0x1000) {
    CHECK_EQ(rights, R_X);
    CHECK_EQ(e->size, 4096);
  } else if (e->va >= TOP - TOP / 4) {
    CHECK_EQ(rights, RW_);
    check_stack(e);
  } else {
    CHECK_EQ(e->pa, e->va);
    if (e->va >= KERNEL_START)
      seen.ram_end = e->va + e->size;
    if (rights == R_X)
      check_text(e);
  }
}

void check_ram_end(uint64 end, uint64 pages) {
  CHECK_EQ(end, 0x80000000UL + pages * 4096);
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
    TEST(constants),  TEST(userspace), TEST(highest),
    TEST(trampoline), TEST(devices),   TEST(floatfork),
    TEST(registers),  TEST(alignment), TESTS_END};
