/*
 * What a thread keeps of the CPU.
 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include "types.h"

/* Kernel registers across swtch(): the callee-saved ones of the System V i386
 * ABI (ebx, esi, edi, ebp, and the return address) lie on the stack. */
struct context {
  uint32 esp;
};

/*
 * Registers across a trap, at the top of the kernel stack. trapvec.S pushes
 * them; the last five the CPU does (SDM vol. 3A, 6.12.1), of which esp and ss
 * only when it came from user mode. After SYSENTER all is pushed by trapvec.S.
 *
 *   thread  ->  +----------------+
 *               | struct trapframe of the program
 *               +----------------+
 *               | kernel stack   |
 */
struct trapframe {
  uint32 edi, esi, ebp, unused_esp, ebx, edx, ecx, eax; /* pushal */
  uint16 gs, pad1, fs, pad2, es, pad3, ds, pad4;
  uint32 vector;
  uint32 error;
  uint32 eip;
  uint16 cs, pad5;
  uint32 eflags;
  uint32 esp;
  uint16 ss, pad6;
};

/* Floating-point and SSE registers, as FXSAVE lays them out (SDM vol. 1,
 * 10.5). */
struct fpstate {
  uint8 fxsave[512];
} __attribute__((aligned(16)));

struct arch_thread {
  struct trapframe *trapframe; /* NULL for a kernel thread */
  struct fpstate fp;
  bool fp_loaded; /* the CPU holds the registers now */
  vaddr_t tls;    /* base of the segment TLS_SEL, for the program's %gs */
  bool loaded;    /* the CPU has its cr3, gs and esp0 now */
};

/*
 * A system call of the program, in its registers: the number in eax, arguments
 * in ebx, esi, edi, ebp, ecx, edx; the result in eax. SYSENTER needs ecx and
 * edx for the way back, so only int 0x40 has the last two.
 */
static inline long user_call_number(const struct arch_thread *at) {
  return at->trapframe->eax;
}
static inline long user_call_arg(const struct arch_thread *at, int i) {
  const struct trapframe *tf = at->trapframe;
  const uint32 args[] = {tf->ebx, tf->esi, tf->edi, tf->ebp, tf->ecx, tf->edx};

  return args[i];
}
static inline void user_call_result(struct arch_thread *at, long result) {
  at->trapframe->eax = result;
}
static inline vaddr_t user_pc(const struct arch_thread *at) {
  return at->trapframe->eip;
}

/* What the CPU holds for the thread goes into memory: before another thread
 * runs, and before fork copies it. Interrupts off. */
void arch_thread_leave(struct arch_thread *at);
void arch_thread_sync(struct arch_thread *at);

/* Save the caller's registers in old and continue with those of new. */
void swtch(struct context *old, struct context *new);

/* Calls ebx; switch.S. */
void context_begin(void);

/* Set up a context that begins in entry() on a stack, whose top is left to the
 * trapframe. entry() does not return. */
void context_init(struct context *c, void (*entry)(void), vaddr_t stack_top);

#endif
