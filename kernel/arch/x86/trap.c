/*
 * Traps on x86 (SDM vol. 3A, chapter 6).
 *
 *   user:    trapvec.S -> usertrap(), usersyscall() -> user_return()
 *                                                   -> user_resume
 *                      -> virtual86trap(), the end of the program
 *   kernel:  trapvec.S -> kerneltrap()
 *
 * The kernel is in every page directory, so a trap only changes the stack: the
 * CPU takes the one that segments_set_stack() named, and pushes the trapframe
 * at its top. What a trap means is decided in kernel/trap; here it is only told
 * apart.
 */
#include "trap.h"

#include "apic.h"
#include "cpu.h"
#include "debug.h"
#include "fpu.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "segments.h"
#include "user_return.h"

#define NVECTORS 256

/* trapvec.S */
_Static_assert(offsetof(struct trapframe, gs) == 32, "TF_GS");
_Static_assert(offsetof(struct trapframe, fs) == 36, "TF_FS");
_Static_assert(offsetof(struct trapframe, ds) == 44, "TF_DS");
_Static_assert(offsetof(struct trapframe, vector) == 48, "TF_VECTOR");
_Static_assert(offsetof(struct trapframe, eip) == 56, "TF_EIP");
_Static_assert(offsetof(struct trapframe, eflags) == 64, "TF_EFLAGS");
_Static_assert(sizeof(struct trapframe) == 76, "trapvec.S");

/* Exceptions in words (table 6-1). */
static const char *const causes[] = {
    [0] = "divide error",
    [1] = "debug exception",
    [2] = "NMI",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "invalid opcode",
    [7] = "device not available",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack fault",
    [13] = "general protection fault",
    [14] = "page fault",
    [16] = "floating-point error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD floating-point error",
};

static const char *cause_name(uint32 vector) {
  if (vector < NELEM(causes) && causes[vector] != NULL)
    return causes[vector];
  return "unknown exception";
}

/* --- the interrupt descriptor table (6.10, 6.11) --- */

#define GATE_INTERRUPT 0x8e /* present, 32 bits, interrupts off */
#define GATE_TASK 0x85
#define GATE_USER 0x60 /* user mode may ask for it by INT */

static struct gate {
  uint16 offset_low;
  uint16 selector;
  uint8 zero;
  uint8 access;
  uint16 offset_high;
} idt[NVECTORS];

static void set_gate(uint vector, uint access) {
  vaddr_t code = (vaddr_t)vectors + vector * VECTOR_SIZE;

  idt[vector] = (struct gate){.offset_low = code & 0xffff,
                              .selector = KCODE_SEL,
                              .access = access,
                              .offset_high = code >> 16};
}

/* Each CPU writes the same. */
static void load_idt(void) {
  struct {
    uint16 limit;
    uint32 base;
  } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint32)idt};

  for (uint i = 0; i < NVECTORS; i++)
    set_gate(i, GATE_INTERRUPT);
  set_gate(T_BREAKPOINT, GATE_INTERRUPT | GATE_USER);
  set_gate(T_OVERFLOW, GATE_INTERRUPT | GATE_USER);
  set_gate(T_SYSCALL, GATE_INTERRUPT | GATE_USER);
  idt[T_DOUBLE] = (struct gate){.selector = DF_SEL, .access = GATE_TASK};
  asm volatile("lidt %0" : : "m"(idtr));
}

void trap_init_cpu(void) {
  load_idt();
  segments_set_fault_space(r_cr3());
  wrmsr(MSR_SYSENTER_CS, KCODE_SEL);
  wrmsr(MSR_SYSENTER_ESP, segments_sysenter_stack());
  wrmsr(MSR_SYSENTER_EIP, (vaddr_t)sysenter_entry);
  w_cr0((r_cr0() & ~CR0_EM) | CR0_MP | CR0_NE | CR0_TS);
  w_cr4(r_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
}

/* --- from user mode --- */

/* The thread's first use of floating point since it was switched to: give it
 * its registers. Interrupts off. */
static void fp_first_use(struct arch_thread *at) {
  fp_on();
  fp_restore(&at->fp);
  at->fp_loaded = true;
}

void arch_thread_sync(struct arch_thread *at) {
  if (at->fp_loaded)
    fp_save(&at->fp);
}

void arch_thread_leave(struct arch_thread *at) {
  if (at->fp_loaded) {
    fp_save(&at->fp);
    fp_off();
  }
  at->fp_loaded = false;
  at->loaded = false;
}

/* The access that a page fault was about. Without an execute bit the CPU does
 * not tell fetches from loads (4.7); but it fetches before it loads. */
static uint fault_access(const struct trapframe *tf, vaddr_t va) {
  if (tf->error & PF_WRITE)
    return PROT_WRITE;
  return va == tf->eip ? PROT_EXEC : PROT_READ;
}

/* Interrupts off. */
static void user_exception(struct trapframe *tf) {
  vaddr_t va = r_cr2(); /* before another fault changes it */

  intr_on();
  if (tf->vector == T_PAGE)
    trap_page_fault(va, fault_access(tf, va));
  else
    trap_exception(cause_name(tf->vector), tf->error);
}

void usertrap(struct trapframe *tf) {
  if (tf->vector == T_SYSCALL)
    usersyscall();
  if (tf->vector >= T_IRQ0) {
    interrupt(tf->vector);
    sched_preempt();
  } else if (tf->vector == T_NOFPU) {
    fp_first_use(&mythread()->arch);
  } else {
    user_exception(tf);
  }
  user_return();
}

void usersyscall(void) {
  mythread()->syscalls++;
  intr_on();
  syscall();
  user_return();
}

/*
 * No program can get into virtual-8086 mode: IRET sets EFLAGS.VM only at level
 * 0 (vol. 2A, IRET). QEMU's lets a program do it, which then ends at the next
 * trap. The CPU has pushed four segment registers more (20.3.3), so the frame
 * is not where the thread's is. Interrupts off.
 */
void virtual86trap(struct trapframe *tf) {
  struct trapframe *own = mythread()->arch.trapframe;

  memmove(own, tf, sizeof(*own));
  if (own->vector >= T_IRQ0)
    interrupt(own->vector);
  intr_on();
  trap_exception("virtual-8086 mode", own->cs);
}

/* The CPU gets what the running thread needs in user mode. Interrupts off. */
static void user_load(struct thread *t) {
  user_cr3_prepare(t);
  segments_set_stack((vaddr_t)t);
  segments_set_tls(t->arch.tls);
  asm volatile("movw %0, %%gs" : : "m"(t->arch.trapframe->gs));
  t->arch.loaded = true;
}

void user_return(void) {
  struct thread *t = mythread();

  debug_user_return();
  if (killed()) {
    intr_on();
    trap_leave();
  }
  intr_off();
  if (!t->arch.loaded)
    user_load(t);
  user_resume(t->arch.trapframe);
}

/* --- from the kernel --- */

/* What a page fault tried, in the words that user faults have. */
static const char *kernel_cause(const struct trapframe *tf, vaddr_t va) {
  if (tf->vector != T_PAGE)
    return cause_name(tf->vector);
  if (tf->error & PF_WRITE)
    return "store page fault";
  return va == tf->eip ? "instruction page fault" : "load page fault";
}

/* The idle thread gives way by itself as soon as its wait is over. Until then
 * others think that this CPU does nothing (sched.c), so it must not switch to
 * another thread from within the wait. */
void kerneltrap(struct trapframe *tf) {
  vaddr_t va = r_cr2();

  if (tf->vector < T_IRQ0)
    trap_kernel(kernel_cause(tf, va), tf->eip, tf->ebp,
                tf->vector == T_PAGE ? va : tf->error);
  interrupt(tf->vector);
  if (mycpu()->thread != mycpu()->idle)
    sched_preempt();
}

/* --- what the rest of the kernel asks about user registers --- */

/* Below struct thread, where context_init() left room. */
void user_prepare(struct thread *t) {
  t->arch.trapframe = (struct trapframe *)t - 1;
  memset(t->arch.trapframe, 0, sizeof(struct trapframe));
}

void user_start(struct thread *t, vaddr_t pc, vaddr_t sp, long argc,
                vaddr_t argv) {
  struct arch_thread *at = &t->arch;

  push_off();
  arch_thread_leave(at);
  pop_off();
  *at->trapframe = (struct trapframe){.eax = argc,
                                      .edx = argv,
                                      .eip = pc,
                                      .esp = sp,
                                      .eflags = FL_FIXED | FL_IF,
                                      .cs = UCODE_SEL,
                                      .ss = UDATA_SEL,
                                      .ds = UDATA_SEL,
                                      .es = UDATA_SEL,
                                      .fs = CPU_SEL};
  at->tls = 0;
  at->fp = (struct fpstate){0};
  *(uint16 *)&at->fp.fxsave[FP_CONTROL_AT] = FP_CONTROL;
  *(uint32 *)&at->fp.fxsave[FP_MXCSR_AT] = FP_MXCSR;
}

void user_fork(struct thread *child, struct thread *parent) {
  push_off();
  arch_thread_sync(&parent->arch);
  pop_off();
  child->arch.fp = parent->arch.fp;
  *child->arch.trapframe = *parent->arch.trapframe;
  child->arch.trapframe->eax = 0;
  child->arch.tls = parent->arch.tls;
}

void user_clone(struct thread *child, struct thread *parent, vaddr_t sp,
                vaddr_t tls, bool set_tls) {
  user_fork(child, parent);
  child->arch.trapframe->esp = sp;
  if (set_tls) {
    child->arch.tls = tls;
    child->arch.trapframe->gs = TLS_SEL;
  }
}

void context_init(struct context *c, void (*entry)(void), vaddr_t stack_top) {
  /* the ABI wants esp aligned to 16 where entry() is called */
  uint32 *top = (uint32 *)((stack_top - sizeof(struct trapframe)) & ~15UL);

  *--top = (uint32)context_begin;
  *--top = 0;             /* ebp: the chain of frames ends here */
  *--top = (uint32)entry; /* ebx */
  *--top = 0;             /* esi */
  *--top = 0;             /* edi */
  c->esp = (uint32)top;
}

void user_print_registers(struct thread *t) {
  const struct trapframe *tf = t->arch.trapframe;

  printf("  eax %x  ebx %x  ecx %x  edx %x\n", tf->eax, tf->ebx, tf->ecx,
         tf->edx);
  printf("  esi %x  edi %x  ebp %x  esp %x\n", tf->esi, tf->edi, tf->ebp,
         tf->esp);
  printf("  eflags %x  cs %x  ds %x  es %x  fs %x  gs %x\n", tf->eflags, tf->cs,
         tf->ds, tf->es, tf->fs, tf->gs);
}
