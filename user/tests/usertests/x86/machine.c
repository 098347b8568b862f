/*
 * The 32-bit PC: the facts of two-level paging and of an address space whose
 * upper half is the kernel's, checked on the page tables that the machine is
 * using right now; and what the hardware must refuse to user mode.
 *
 * Numbers are written out here, from the Intel SDM, vol. 3A, section 4.3, and
 * from the picture in kernel/arch/x86/memlayout.h, rather than taken from the
 * headers: a header that is wrong must not make its own test right.
 *
 * There is no execute bit without PAE. So nothing here looks for one, and
 * `noexecutebit` shows that the machine has none.
 */
#include "../tables.h"
#include "abi/syscall.h"

#define R__ 0x1 /* present */
#define RW_ 0x3 /* present, may be written */
#define U 0x4   /* user mode may use it */
#define UNCACHED 0x10
#define ACCESSED 0x20
#define DIRTY 0x40

#define KERNEL 0x80000000UL        /* physical 0 */
#define DIRECT_END 0xf0000000UL    /* above are kernel stacks */
#define DEVICES_AT 0xfc000000UL    /* at their own addresses */
#define DIRECTORY_SPAN (1UL << 22) /* what an entry of a directory covers */

/* The names of the notes have the values of the machine (B1, B3). */
static void constants(void) {
  CHECK_EQ(sizeof(long), 4);
  CHECK_EQ(sizeof(uint64), 8);
  CHECK_EQ(PGSIZE, 4096);
  CHECK_EQ(KERNBASE, 0x80000000UL);
  CHECK_EQ(PTE_P, 1);
  CHECK_EQ(PTE_W, 2);
  CHECK_EQ(PTE_U, 4);
  CHECK_EQ(PX(1, 0xffffffffUL), 0x3ff);
  CHECK_EQ(PX(0, 0x400123), 0);
  CHECK_EQ(PX(1, 0x400123), 1);
  CHECK_EQ(PTE2PA(PA2PTE(0xabcde000UL) | PTE_P), 0xabcde000UL);
  CHECK_EQ(PGROUNDUP(4097), 8192);
  CHECK_EQ(PGROUNDDOWN(8191), 4096);
}

uint64 pte_target(uint64 pte) { return pte & 0xfffff000UL; }
int is_branch(uint64 pte) { return pte & 1; }

/* The lower half of an address space (B3). */
static void userspace(void) {
  int local;

  CHECK_EQ(leaf_flags(getpid(), 0), R__ | U);
  CHECK_EQ(leaf_flags(getpid(), (addr)userspace), R__ | U);
  scratch[0] = 1;
  CHECK_EQ(leaf_flags(getpid(), (addr)scratch), RW_ | U);
  CHECK_EQ(walked.step[1].pte & (ACCESSED | DIRTY), ACCESSED | DIRTY);
  CHECK_EQ(leaf_flags(getpid(), (addr)&local), RW_ | U);
  CHECK_EQ(leaf_flags(getpid(), KERNEL), RW_);
  CHECK_EQ(walked.fault, PT_NOTUSER);
  CHECK_EQ(leaf_flags(getpid(), KERNEL_START), R__);
  CHECK_EQ(walked.fault, PT_NOTUSER);
}

/* The upper half is the kernel's in every directory, with identical entries
 * (B4), but for the bit that the CPU sets when it goes through one. */
static void kernelhalf(void) {
  const int pids[] = {PID_KERNEL, 1, getpid(), getppid()};

  for (addr va = KERNEL; va != 0; va += DIRECTORY_SPAN) {
    uint64 entry[NELEM(pids)] = {0};

    for (uint i = 0; i < NELEM(pids); i++) {
      CHECK_EQ(ptwalk(pids[i], va, &walked), 0);
      CHECK(walked.steps > 0);
      entry[i] = walked.step[0].pte & ~(uint64)ACCESSED;
      CHECK_EQ(entry[i], entry[0]);
    }
  }
}

/* A frame that a process owns is mapped twice: where the process wants it, and
 * at its physical address above KERNBASE for the kernel (B5). */
static void twice(void) {
  uint64 pa;

  scratch[0] = 1;
  CHECK_EQ(leaf_flags(getpid(), (addr)scratch), RW_ | U);
  pa = walked.pa;
  CHECK_EQ(leaf_flags(getpid(), KERNEL + pa), RW_);
  CHECK_EQ(walked.pa, pa);
  CHECK_EQ(leaf_flags(PID_KERNEL, KERNEL + pa), RW_);
  CHECK_EQ(walked.pa, pa);
}

static void check_direct(const struct ptentry *e, uint64 rights) {
  CHECK_EQ(e->pa, e->va - KERNEL);
  seen.ram_end = e->va + e->size;
  if (rights == R__)
    check_text(e);
}

static void check_device(const struct ptentry *e, uint64 rights) {
  CHECK(e->va >= DEVICES_AT);
  CHECK_EQ(e->pa, e->va);
  CHECK_EQ(rights, RW_);
  CHECK(e->flags & UNCACHED);
}

/* Every mapping of the kernel's table is one that the picture has. */
void check_kernel_mapping(const struct ptentry *e) {
  uint64 rights = e->flags & PTE_RIGHTS;

  CHECK(rights == R__ || rights == RW_);
  CHECK(e->va >= KERNEL);
  if (e->va < DIRECT_END) {
    check_direct(e, rights);
  } else if (e->va < STACKS_TOP) {
    CHECK_EQ(rights, RW_);
    check_stack(e);
  } else {
    check_device(e, rights);
  }
}

/* Of the RAM below 1 MiB only some counts. */
void check_ram_end(uint64 end, uint64 pages) {
  CHECK(end - KERNEL >= pages * 4096);
  CHECK(end - KERNEL <= pages * 4096 + (1 << 20));
}

/* Code in data runs, as no page can be marked against it. */
static void noexecutebit(void) {
  static const uchar code[] = {0xb8, 42, 0,
                               0,    0,  0xc3}; /* mov $42, %eax; ret */

  CHECK(!machine_denies(VM_EXEC));
  memmove(scratch, code, sizeof(code));
  CHECK_EQ(((int (*)(void))(addr)scratch)(), 42);
}

/* --- what user mode may not do --- */

#define KCODE 0x08 /* selectors of kernel/arch/x86/x86.h */
#define KDATA 0x10
#define UDATA 0x23

/* A function of these instructions. */
#define DO(name, code) \
  static void name(void *arg) { asm volatile(code : : "a"(arg) : "memory"); }

DO(do_in, "inb $0x60, %%al")
DO(do_in_far, "mov $0xcf8, %%dx; inl %%dx, %%eax")
DO(do_out, "outb %%al, $0xf4") /* would end QEMU */
DO(do_out_far, "mov $0x604, %%dx; mov $0x2000, %%ax; outw %%ax, %%dx")
DO(do_outs, "mov $0x3f8, %%dx; mov $4, %%ecx; rep outsb")
DO(do_hlt, "hlt")
DO(do_cli, "cli")
DO(do_sti, "sti")
DO(do_lgdt, "lgdt (%%esp)")
DO(do_lidt, "lidt (%%esp)")
DO(do_lldt, "lldt %%ax")
DO(do_ltr, "mov $0x30, %%ax; ltr %%ax")
DO(do_lmsw, "lmsw %%ax")
DO(do_clts, "clts")
DO(do_read_cr0, "mov %%cr0, %%eax")
DO(do_write_cr0, "mov %%eax, %%cr0")
DO(do_write_cr3, "mov %%eax, %%cr3")
DO(do_write_cr4, "mov %%eax, %%cr4")
DO(do_read_dr7, "mov %%dr7, %%eax")
DO(do_rdmsr, "mov $0x176, %%ecx; rdmsr")
DO(do_wrmsr, "mov $0x176, %%ecx; wrmsr")
DO(do_invlpg, "invlpg (%%eax)")
DO(do_invd, "invd")
DO(do_wbinvd, "wbinvd")
DO(do_sysexit, "mov %%esp, %%ecx; mov $0, %%edx; sysexit")
DO(do_far_jump, "ljmp $0x08, $0x80100000")
DO(do_far_call, "lcall $0x08, $0x80100000")
DO(do_far_jump_tss, "ljmp $0x30, $0")
DO(do_far_call_df, "lcall $0x38, $0")
DO(do_far_return, "pushl $0x08; pushl $0x80100000; lret")
DO(do_iret, "pushfl; pushl $0x08; pushl $0x80100000; iret")
DO(do_iret_null, "pushfl; pushl $0; pushl $0; iret")
DO(do_load_ds, "mov $0x10, %%ax; mov %%ax, %%ds")
DO(do_load_ss, "mov $0x10, %%ax; mov %%ax, %%ss")
/* What the kernel has in fs can be loaded, but leads to where only it may. */
DO(do_load_fs, "mov $0x28, %%ax; mov %%ax, %%fs; mov %%fs:0, %%eax")
DO(do_load_none, "mov $0xfff8, %%ax; mov %%ax, %%gs")
DO(do_divide, "xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx")
DO(do_overflow, "mov $0x7fffffff, %%eax; inc %%eax; into")
DO(do_bound, "pushl $1; pushl $0; mov $5, %%eax; bound %%eax, (%%esp)")
DO(do_int_0, "int $0")
DO(do_int_nmi, "int $2")
DO(do_int_double, "int $8")
DO(do_int_general, "int $13")
DO(do_int_page, "int $14")
DO(do_int_irq, "int $0x50")
DO(do_int_linux, "int $0x80")
DO(do_int_timer, "int $0xf0")
DO(do_int_ipi, "int $0xf1")
DO(do_int_last, "int $0xff")
DO(do_wide_limit, "mov %%cs:0xffffffff, %%eax")
DO(do_long_instruction,
   ".byte 0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,"
   "0x2e,0x2e,0x90")
DO(do_single_step, "pushfl; orl $0x100, (%%esp); popfl; nop")

static void (*const refused[])(void *) = {
    do_in,           do_in_far,      do_out,
    do_out_far,      do_outs,        do_hlt,
    do_cli,          do_sti,         do_lgdt,
    do_lidt,         do_lldt,        do_ltr,
    do_lmsw,         do_clts,        do_read_cr0,
    do_write_cr0,    do_write_cr3,   do_write_cr4,
    do_read_dr7,     do_rdmsr,       do_wrmsr,
    do_invlpg,       do_invd,        do_wbinvd,
    do_sysexit,      do_far_jump,    do_far_call,
    do_far_jump_tss, do_far_call_df, do_far_return,
    do_iret,         do_iret_null,   do_load_ds,
    do_load_ss,      do_load_fs,     do_load_none,
    do_divide,       do_overflow,    do_bound,
    do_int_0,        do_int_nmi,     do_int_double,
    do_int_general,  do_int_page,    do_int_irq,
    do_int_linux,    do_int_timer,   do_int_ipi,
    do_int_last,     do_wide_limit,  do_long_instruction,
    do_single_step,
};

/* Each ends the program, and nothing else. */
static void privileges(void) {
  for (uint i = 0; i < NELEM(refused); i++) {
    int status = run_child(refused[i], 0);

    if (status != STATUS_KILLED)
      printf("  number %d of refused[] in machine.c\n", (int)i);
    CHECK_EQ(status, STATUS_KILLED);
  }
}

/* A program has no table of segments of its own (LDT): not even at the address
 * where the CPU looks for one after reset, which is 0, with selectors 7, 15 and
 * so on (3.5.1; 9.1.1, table 9-1). This puts a descriptor there and returns what
 * was there: some of our code. */
#define LDT_SELECTOR 15
#define LDT_CALL_GATE 0xec00        /* present, for level 3, 32 bits (5.8.3) */
#define LDT_DATA 0x00cff3000000ffff /* all 4 GiB, level 3 (3.4.5) */

static uint64 put_ldt(uint64 descriptor) {
  volatile addr at = LDT_SELECTOR & ~7;
  uint64 before = *(uint64 *)at;

  CHECK_EQ(mprotect(0, PGSIZE, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
  *(uint64 *)at = descriptor;
  return before;
}

static void do_ldt_call(void *arg) {
  uint64 before;
  addr target;

  (void)arg;
  asm volatile("movl $1f, %0; jmp 2f; 1: lret; 2:" : "=r"(target));
  before = put_ldt((uint64)(target >> 16) << 48 | (uint64)LDT_CALL_GATE << 32 |
                   KCODE << 16 | (target & 0xffff));
  asm volatile("lcall $15, $0" : : : "memory");
  put_ldt(before);
}

/* Load a segment register from there; the kernel loads it as it goes on. */
#define LDT_LOAD(segment)                                                   \
  static void do_ldt_##segment(void *arg) {                                 \
    uint64 before = put_ldt(LDT_DATA);                                      \
                                                                            \
    (void)arg;                                                              \
    asm volatile("movw %w0, %%" #segment : : "r"(LDT_SELECTOR) : "memory"); \
    put_ldt(before);                                                        \
    yield();                                                                \
  }

LDT_LOAD(ds)
LDT_LOAD(es)
LDT_LOAD(fs)
LDT_LOAD(gs)
LDT_LOAD(ss)

static void noldt(void) {
  expect_killed(do_ldt_call, 0);
  expect_killed(do_ldt_ds, 0);
  expect_killed(do_ldt_es, 0);
  expect_killed(do_ldt_fs, 0);
  expect_killed(do_ldt_gs, 0);
  expect_killed(do_ldt_ss, 0);
}

/* POPF leaves the interrupt flag and the right to use ports as they are (vol.
 * 2B, POPF). */
static void flags(void) {
  uint before, after;

  asm volatile("pushfl; popl %0" : "=r"(before));
  asm volatile("pushl %1; popfl; pushfl; popl %0"
               : "=r"(after)
               : "r"((before & ~0x200U) | 0x3000)
               : "memory", "cc");
  CHECK_EQ(after & 0x3200, before & 0x3200);
  CHECK_EQ(after & 0x3200, 0x200);
}

/* With DF the instructions that copy go downwards. The kernel's must not: what it
 * fills in is where it should be. */
static void copy_downwards(void) {
  struct sysinfo s = {.cpus = 0};
  int r;

  asm volatile(
      "pushfl; orl $0x400, (%%esp); popfl\n\t"
      "movl %%esp, %%ecx\n\t"
      "movl $1f, %%edx\n\t"
      "sysenter\n"
      "1:\n\t"
      "cld"
      : "=a"(r)
      : "a"(SYS_sysinfo), "b"(&s)
      : "ecx", "edx", "memory", "cc");
  CHECK_EQ(r, 0);
  CHECK(s.cpus > 0);
  CHECK_EQ(s.levels, 2);
}

/* Flags that would confuse a kernel that relied on them: NT, AC, and DF, which
 * the program finds again. */
static void oddflags(void) {
  static const uint odd[] = {0x4000, 0x40000, 0x400, 0x44400};

  for (uint i = 0; i < NELEM(odd); i++) {
    int pid, fast;
    uint after;

    asm volatile(
        "pushfl; orl %3, (%%esp); popfl\n\t"
        "movl $11, %%eax\n\t"
        "int $0x40\n\t"
        "movl %%eax, %1\n\t"
        "movl $11, %%eax\n\t"
        "movl %%esp, %%ecx\n\t"
        "movl $1f, %%edx\n\t"
        "sysenter\n"
        "1:\n\t"
        "pushfl; popl %2\n\t"
        "pushl $0x202; popfl"
        : "=&a"(fast), "=&r"(pid), "=&r"(after)
        : "r"(odd[i])
        : "ecx", "edx", "memory", "cc");
    CHECK_EQ(pid, getpid());
    CHECK_EQ(fast, getpid());
    CHECK_EQ(after & 0x44400, odd[i]);
  }
  copy_downwards();
}

/* SYSENTER tells the kernel where to return to, and on which stack. */
struct way_back {
  addr sp, pc;
};

static void do_sysenter(void *arg) {
  struct way_back *to = arg;

  asm volatile(
      "movl %%esp, %%ebp\n\t"
      "sysenter"
      :
      : "a"(11), "c"(to->sp), "d"(to->pc)
      : "memory");
}

/* Wherever it is, no more than the program ends. */
static void wildsysenter(void) {
  static const addr wild[] = {0,
                              1,
                              KERNEL,
                              KERNEL_START,
                              STACKS_TOP - 16,
                              DEVICES_AT,
                              0xfffffffcUL,
                              0xffffffffUL};

  for (uint i = 0; i < NELEM(wild); i++) {
    struct way_back pc = {stack_pointer(), wild[i]};
    struct way_back sp = {wild[i], (addr)do_hlt};

    expect_killed(do_sysenter, &pc);
    expect_killed(do_sysenter, &sp);
  }
}

/* With the trap flag set, the debug exception comes in the kernel. */
static void do_step_in(void *arg) {
  (void)arg;
  asm volatile(
      "movl %%esp, %%ecx\n\t"
      "movl $1f, %%edx\n\t"
      "pushfl; orl $0x100, (%%esp); popfl\n\t"
      "sysenter\n"
      "1:"
      :
      : "a"(11)
      : "ecx", "edx", "memory", "cc");
}

static void stepsysenter(void) {
  for (int i = 0; i < 20; i++) {
    int status = run_child(do_step_in, 0);

    CHECK(status == 0 || status == STATUS_KILLED);
  }
}

/* A program that asks IRET for virtual-8086 mode, with an instruction at address
 * cs * 16 + ip: `jmp .` or `ud2`; the trap flag as well. If the CPU does not
 * do it (vol. 2A, IRET), cs is no selector, and that ends the program. */
#define VIRTUAL86(flags, instruction)                                 \
  "pushl $0; pushl $0; pushl $0; pushl $0; pushl $0; pushl $0x1000; " \
  "pushl $" flags                                                     \
  "; movl $1f, %%eax; movl %%eax, %%edx; shrl $4, %%eax; "            \
  "andl $15, %%edx; pushl %%eax; pushl %%edx; iret; 1: .byte " instruction

DO(do_virtual86_spin, VIRTUAL86("0x20202", "0xeb, 0xfe"))
DO(do_virtual86_illegal, VIRTUAL86("0x20202", "0x0f, 0x0b"))
DO(do_virtual86_step, VIRTUAL86("0x20302", "0x90, 0xeb, 0xfe"))

/* SYSENTER from there, with selectors that look like the kernel's: it is then a
 * system call like any other, and the way back is into protected mode. */
static void do_virtual86_sysenter(void *arg) {
  int pid;

  (void)arg;
  asm volatile(
      "movl %%esp, %%ecx\n\t"
      "pushl $0x33; pushl $0x2b; pushl $0x23; pushl $0x23\n\t"
      "pushl $0; pushl $0x1000; pushl $0x20202\n\t"
      "movl $1f, %%eax; movl %%eax, %%edx\n\t"
      "shrl $4, %%eax; andl $15, %%edx; pushl %%eax; pushl %%edx\n\t"
      "movl $11, %%eax; movl $2f, %%edx\n\t"
      "iret\n"
      "1:\n\t"
      "sysenter\n"
      "2:"
      : "=&a"(pid)
      :
      : "ecx", "edx", "memory", "cc");
  CHECK_EQ(pid, getpid());
}

/* The same with selectors that are none, and the right to use ports: neither may
 * hurt the kernel on the way back, nor be there afterwards. */
static void do_virtual86_odd(void *arg) {
  int pid, flags;

  (void)arg;
  asm volatile(
      "movl %%esp, %%ecx\n\t"
      "pushl $0x1234; pushl $0x1234; pushl $0x1234; pushl $0x1234\n\t"
      "pushl $0; pushl $0x1000; pushl $0x23202\n\t"
      "movl $1f, %%eax; movl %%eax, %%edx\n\t"
      "shrl $4, %%eax; andl $15, %%edx; pushl %%eax; pushl %%edx\n\t"
      "movl $11, %%eax; movl $2f, %%edx\n\t"
      "iret\n"
      "1:\n\t"
      "sysenter\n"
      "2:\n\t"
      "movw %w2, %%ds; movw %w2, %%es; movw %w2, %%fs\n\t"
      "pushfl; popl %1"
      : "=&a"(pid), "=&b"(flags)
      : "S"(UDATA)
      : "ecx", "edx", "memory", "cc");
  CHECK_EQ(pid, getpid());
  CHECK_EQ(flags & 0x3000, 0);
}

static void virtual86(void) {
  int status;

  expect_killed(do_virtual86_spin, 0);
  expect_killed(do_virtual86_illegal, 0);
  expect_killed(do_virtual86_step, 0);
  status = run_child(do_virtual86_sysenter, 0);
  CHECK(status == STATUS_KILLED || status == 0);
  status = run_child(do_virtual86_odd, 0);
  CHECK(status == STATUS_KILLED || status == 0);
}

/* A stack that is none when a trap comes: the kernel does not use it. */
DO(do_no_stack, "xor %%esp, %%esp; mov $11, %%eax; int $0x40; hlt")
DO(do_kernel_stack, "mov $0x80100000, %%esp; mov $11, %%eax; int $0x40; hlt")
DO(do_spin_no_stack,
   "mov $0x80100000, %%esp; mov $300000000, %%ecx; "
   "1: dec %%ecx; jnz 1b; hlt")

static void nostack(void) {
  expect_killed(do_no_stack, 0);
  expect_killed(do_kernel_stack, 0);
  expect_killed(do_spin_no_stack, 0);
}

/* The program's segment registers, zero among them, do not hurt the kernel;
 * it finds them again after an interrupt or INT. */
static void segments(void) {
  for (uint i = 0; i < 200; i++) {
    uint es, fs, gs;

    asm volatile(
        "movw %w3, %%es\n\t"
        "movw %w3, %%ds\n\t"
        "movw %w4, %%fs\n\t"
        "movw %w3, %%gs\n\t"
        "movl $74, %%eax\n\t" /* yield */
        "int $0x40\n\t"
        "movw %w4, %%ds\n\t"
        "movl %%es, %0\n\t"
        "movl %%fs, %1\n\t"
        "movl %%gs, %2\n\t"
        "movw %w4, %%es"
        : "=&r"(es), "=&r"(fs), "=&r"(gs)
        : "r"(0), "r"(UDATA)
        : "eax", "memory");
    CHECK_EQ(es & 0xffff, 0);
    CHECK_EQ(fs & 0xffff, UDATA);
    CHECK_EQ(gs & 0xffff, 0);
  }
}

/* --- registers --- */

/* A value on the x87's stack and one in an SSE register, with their control
 * words. */
struct fp {
  long long st0;
  uint xmm5[4];
  uint mxcsr;
  ushort control;
};

static void fp_set(const struct fp *f) {
  asm volatile("fninit; fldcw %0; fildll %1; movups %2, %%xmm5; ldmxcsr %3"
               :
               : "m"(f->control), "m"(f->st0), "m"(f->xmm5), "m"(f->mxcsr));
}

static void check_fp(const struct fp *f) {
  struct fp now;

  memset(&now, 0, sizeof(now));
  asm volatile(
      "fnstcw %0; fld %%st(0); fistpll %1; movups %%xmm5, %2; stmxcsr %3"
      : "=m"(now.control), "=m"(now.st0), "=m"(now.xmm5), "=m"(now.mxcsr));
  CHECK_EQ(now.st0, f->st0);
  CHECK_EQ(memcmp(now.xmm5, f->xmm5, sizeof(now.xmm5)), 0);
  CHECK_EQ(now.mxcsr & ~0x3fU, f->mxcsr); /* but for what has happened */
  CHECK_EQ(now.control, f->control);
}

/* Rounding up, all exceptions masked; and down (vol. 1, 8.1.5, 10.2.3). */
static const struct fp up = {-25, {1, 2, 3, 4}, 0x5f80, 0x0b7f};
static const struct fp down = {1LL << 60, {5, 6, 7, 8}, 0x3f80, 0x077f};

/* fork copies the floating-point registers, and each has its own after. */
static void floatfork(void) {
  fp_set(&up);
  int pid = fork();
  if (pid == 0) {
    check_fp(&up);
    fp_set(&down);
    for (int i = 0; i < 20; i++) {
      yield();
      check_fp(&down);
    }
    exit(0);
  }
  for (int i = 0; i < 20; i++) {
    yield();
    check_fp(&up);
  }
  asm volatile("fninit");
  CHECK_EQ(join(pid), 0);
}

/* A floating-point error that the program did not mask is its end. */
DO(do_x87_error,
   "fninit; pushl $0x360; fldcw (%%esp); fldz; fld1; "
   "fdivp; fwait; hlt")

/* 0 / 0 in SSE registers, which the compiler does not use here: its exception
 * alone is not masked. */
static void do_sse_error(void *arg) {
  static const uint unmasked = 0x1f00;
  uint mxcsr;

  (void)arg;
  asm volatile(
      "ldmxcsr %1; xorps %%xmm0, %%xmm0; divps %%xmm0, %%xmm0; stmxcsr %0"
      : "=m"(mxcsr)
      : "m"(unmasked));
  CHECK_EQ(mxcsr, unmasked | 1); /* the division was invalid */
}

/* QEMU up to 7.2 at least notes an SSE error but does not raise its exception:
 * then the program goes on. Boot's test_control_registers has the rest. */
static void floaterrors(void) {
  int status;

  expect_killed(do_x87_error, 0);
  status = run_child(do_sse_error, 0);
  CHECK(status == STATUS_KILLED || status == 0);
}

/* All registers but the result's come back from a system call by INT. */
static void registers(void) {
  static struct { uint ebx, esi, edi, ebp, ecx, edx, eax; } r;

  asm volatile(
      "pushl %%ebp\n\t"
      "movl $0x1111, %%ebx\n\t"
      "movl $0x2222, %%esi\n\t"
      "movl $0x3333, %%edi\n\t"
      "movl $0x4444, %%ebp\n\t"
      "movl $0x5555, %%ecx\n\t"
      "movl $0x6666, %%edx\n\t"
      "movl $11, %%eax\n\t" /* getpid */
      "int $0x40\n\t"
      "movl %%ebx, %0\n\t"
      "movl %%esi, %1\n\t"
      "movl %%edi, %2\n\t"
      "movl %%ebp, %3\n\t"
      "movl %%ecx, %4\n\t"
      "movl %%edx, %5\n\t"
      "movl %%eax, %6\n\t"
      "popl %%ebp"
      : "=m"(r.ebx), "=m"(r.esi), "=m"(r.edi), "=m"(r.ebp), "=m"(r.ecx),
        "=m"(r.edx), "=m"(r.eax)
      :
      : "eax", "ebx", "ecx", "edx", "esi", "edi", "memory");
  CHECK_EQ(r.ebx, 0x1111);
  CHECK_EQ(r.esi, 0x2222);
  CHECK_EQ(r.edi, 0x3333);
  CHECK_EQ(r.ebp, 0x4444);
  CHECK_EQ(r.ecx, 0x5555);
  CHECK_EQ(r.edx, 0x6666);
  CHECK_EQ(r.eax, getpid());
}

/* When a function is entered, the stack is 4 bytes below a multiple of 16
 * (System V i386 ABI, 2.2.2), so its saved ebp, one word on, 8 above. */
static void alignment(void) {
  CHECK_EQ((addr)__builtin_frame_address(0) % 16, 8);
}

const struct test machine_tests[] = {
    TEST(constants),    TEST(userspace),    TEST(kernelhalf), TEST(twice),
    TEST(noexecutebit), TEST(privileges),   TEST(flags),      TEST(oddflags),
    TEST(wildsysenter), TEST(stepsysenter), TEST(nostack),    TEST(segments),
    TEST(floatfork),    TEST(floaterrors),  TEST(registers),  TEST(alignment),
    TEST(virtual86),    TEST(noldt),        TESTS_END};
