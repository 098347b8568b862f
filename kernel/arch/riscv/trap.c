/*
 * Traps on RISC-V (privileged spec 1.12, 4.1).
 *
 *   user:    uservec (trampoline.S) -> usertrap() -> user_return() -> userret
 *   kernel:  uservec -> kernelvec.S -> kerneltrap()
 *
 * What a trap means is decided in kernel/trap; here it is only told apart.
 */
#include "trap.h"

#include "clint.h"
#include "cpu.h"
#include "debug.h"
#include "fpu.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kvm.h"
#include "plic.h"
#include "sched/sched.h"
#include "sched/timer.h"
#include "tables.h"
#include "user_return.h"

/* scause of exceptions in words (table 4.2). */
static const char *const causes[] = {
    [0] = "misaligned jump",     [1] = "instruction access fault",
    [2] = "illegal instruction", [3] = "breakpoint",
    [4] = "misaligned load",     [5] = "load access fault",
    [6] = "misaligned store",    [7] = "store access fault",
    [8] = "system call",         [12] = "instruction page fault",
    [13] = "load page fault",    [15] = "store page fault",
};

static const char *cause_name(uint64 cause) {
  if (cause < NELEM(causes) && causes[cause] != NULL)
    return causes[cause];
  return "unknown exception";
}

/* The access that a page fault was about, or 0. */
static uint fault_access(uint64 cause) {
  switch (cause) {
    case SCAUSE_FETCH_PAGE_FAULT:
      return PROT_EXEC;
    case SCAUSE_LOAD_PAGE_FAULT:
      return PROT_READ;
    case SCAUSE_STORE_PAGE_FAULT:
      return PROT_WRITE;
    default:
      return 0;
  }
}

/* Interrupts off. */
static void interrupt(uint64 cause) {
  mycpu()->interrupts++;
  switch (cause) {
    case SCAUSE_TIMER:
      timer_interrupt();
      break;
    case SCAUSE_EXTERNAL:
      plic_interrupt();
      break;
    case SCAUSE_SOFTWARE:
      clear_sip(SIE_SSIE); /* before the bits are taken: a new one may follow */
      ipi_serve();
      break;
    default:
      printf("trap: interrupt %lx is not expected\n", cause);
  }
}

void trap_init_cpu(void) {
  w_sscratch(0); /* in the kernel */
  w_stvec(TRAMPOLINE + (uservec - trampoline));
}

/* --- from user mode --- */

/* The thread's first use of floating point since it was switched to? Then give
 * it its registers; on a hart without them the instruction is illegal.
 * Interrupts off. */
static bool fp_first_use(struct arch_thread *at) {
  if (at->fp_loaded || !mscratch[mycpu()->id].fpu)
    return false;
  set_sstatus(SSTATUS_FS_INITIAL);
  fp_restore(&at->fp); /* zeros at first */
  at->fp_loaded = true;
  clear_sstatus(SSTATUS_FS);
  set_sstatus(SSTATUS_FS_CLEAN);
  return true;
}

void arch_thread_sync(struct arch_thread *at) {
  if (at->fp_loaded && (r_sstatus() & SSTATUS_FS) == SSTATUS_FS_DIRTY)
    fp_save(&at->fp);
}

void arch_thread_leave(struct arch_thread *at) {
  arch_thread_sync(at);
  at->fp_loaded = false;
  at->satp = 0;
}

/* Any trap from user mode but a system call. Interrupts off. */
static void __attribute__((noinline))
other_trap(struct thread *t, uint64 cause) {
  uint64 stval = r_stval();

  if (cause & SCAUSE_INTERRUPT) {
    interrupt(cause);
    sched_preempt();
  } else if (cause != SCAUSE_ILLEGAL || !fp_first_use(&t->arch)) {
    intr_on();
    if (fault_access(cause))
      trap_page_fault(stval, fault_access(cause));
    else
      trap_exception(cause_name(cause), stval);
  }
}

/*
 * What a system call costs is what happens between here and userret. On QEMU
 * each write to satp empties the TLB, and after that each page, each jump to
 * another page and each access to a CSR is slow: so this path touches few of
 * those (kernel.ld puts its functions on one page).
 */
void usertrap(void) {
  struct thread *t = mythread();
  uint64 cause = r_scause();

  t->arch.trapframe->epc = r_sepc();
  if (cause == SCAUSE_ECALL_U) {
    t->arch.trapframe->epc += 4; /* to the instruction after ecall */
    t->syscalls++;
    intr_on();
    syscall();
  } else {
    other_trap(t, cause);
  }
  user_return();
}

/* Once for each turn on a hart: what user_return() needs. */
static void __attribute__((noinline)) prepare_return(struct thread *t) {
  user_satp_prepare(t);
  t->arch.user_trapframe = USER_TRAPFRAME(t->place);
  t->arch.userret = TRAMPOLINE + (userret - trampoline);
}

void user_return(void) {
  void (*enter)(vaddr_t tf, uint64 satp, uint64 flush);
  struct thread *t = mythread();
  struct trapframe *tf = t->arch.trapframe;
  uint64 old, status;

  debug_user_return();
  if (killed()) {
    intr_on();
    trap_leave();
  }
  old = intr_off_status();
  if (t->arch.satp == 0)
    prepare_return(t);
  tf->kernel_tp = (uint64)mycpu();

  /* sret shall go to user mode, with interrupts on */
  status = (old & ~(SSTATUS_SPP | SSTATUS_SIE)) | SSTATUS_SPIE;
  if (!t->arch.fp_loaded)
    status &= ~SSTATUS_FS;
  if (status != (old & ~SSTATUS_SIE))
    w_sstatus(status);
  w_sepc(tf->epc);

  enter = (void (*)(vaddr_t, uint64, uint64))t->arch.userret;
  enter(t->arch.user_trapframe, t->arch.satp, tf->flush);
  __builtin_unreachable();
}

/* What uservec needs to know, and does not change while the thread lives. */
static void trapframe_init(struct thread *t) {
  struct trapframe *tf = t->arch.trapframe;

  tf->kernel_satp = MAKE_SATP(kernel_pagetable);
  tf->kernel_sp = (vaddr_t)tf;
  tf->kernel_trap = (uint64)usertrap;
  tf->flush = tables_asids() == 0;
}

/* --- from the kernel --- */

/* A fault in the guard page of the running thread's kernel stack. */
void kernel_stack_overflow(vaddr_t sp, vaddr_t fp) {
  struct thread *t = mycpu()->thread;

  panic_at(r_sepc(), fp,
           "kernel stack overflow: thread %s, stack pointer %p is in the guard "
           "page under its stack at %p",
           t ? t->name : "?", (void *)sp, t ? (void *)t->kstack : NULL);
}

/* fp is the frame pointer of what was interrupted. */
void kerneltrap(vaddr_t fp) {
  uint64 sepc = r_sepc(), sstatus = r_sstatus(), cause = r_scause();

  if (!(sstatus & SSTATUS_SPP) || intr_get())
    panic("kerneltrap: sstatus %p", (void *)sstatus);
  if (!(cause & SCAUSE_INTERRUPT))
    trap_kernel(cause_name(cause), sepc, fp, r_stval());
  interrupt(cause);
  sched_preempt();
  /* another thread may have trapped since */
  w_sepc(sepc);
  w_sstatus(sstatus);
}

/* --- what the rest of the kernel asks about user registers --- */

void user_prepare(struct thread *t) {
  t->arch.trapframe = (struct trapframe *)((vaddr_t)t - TRAPFRAME_ROOM);
  memset(t->arch.trapframe, 0, sizeof(*t->arch.trapframe));
  t->context.sp = (vaddr_t)t->arch.trapframe;
}

void user_start(struct thread *t, vaddr_t pc, vaddr_t sp, long argc,
                vaddr_t argv) {
  struct trapframe *tf = t->arch.trapframe;

  *tf = (struct trapframe){.epc = pc, .sp = sp};
  tf->a[0] = argc;
  tf->a[1] = argv;
  trapframe_init(t);
  t->arch.satp = 0;
  t->arch.fp_loaded = false;
  t->arch.fp = (struct fpstate){0};
}

void user_fork(struct thread *child, struct thread *parent) {
  push_off();
  arch_thread_sync(&parent->arch);
  pop_off();
  child->arch.fp = parent->arch.fp;
  *child->arch.trapframe = *parent->arch.trapframe;
  child->arch.trapframe->a[0] = 0;
  trapframe_init(child);
}

void user_clone(struct thread *child, struct thread *parent, vaddr_t sp,
                vaddr_t tls, bool set_tls) {
  user_fork(child, parent);
  child->arch.trapframe->sp = sp;
  if (set_tls)
    child->arch.trapframe->tp = tls;
}

void user_print_registers(struct thread *t) {
  const struct trapframe *tf = t->arch.trapframe;

  printf("  ra %lx  sp %lx  gp %lx  tp %lx  s0 %lx\n", tf->ra, tf->sp, tf->gp,
         tf->tp, tf->s0);
  for (int i = 0; i < 8; i++)
    printf("  a%d %lx%s", i, tf->a[i], i % 4 == 3 ? "\n" : "");
}
