/*
 * What a thread keeps of the hart.
 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include "memlayout.h"
#include "param.h"
#include "types.h"

/* Kernel registers across swtch(): the callee-saved ones of the RISC-V calling
 * convention. switch.S knows the offsets. */
struct context {
  uint64 ra;
  uint64 sp;
  uint64 s[12];
};

/*
 * User registers across a trap. trampoline.S knows the offsets. The first
 * fields are what it needs to enter the kernel.
 *
 * It lies on top of the thread's kernel stack, below struct thread: the same
 * place in the page for every thread, and a page that a trap touches anyway.
 * User page tables map that page for the kernel only, each thread's of a process
 * at a place of its own: at TRAPFRAME, or a number of pages below.
 *
 *   kernel's table                       user's table
 *                     +----------------+ +----------------+ TRAMPOLINE
 *                     | struct thread  | |                |
 *   (vaddr_t)t        +----------------+ +----------------+
 *                     | trapframe      | |                |
 *   kernel_sp         +----------------+ +----------------+ USER_TRAPFRAME(0)
 *                     | kernel stack   | |                |
 *                     |                | +----------------+ TRAPFRAME
 *                                        | of place 1 ... |
 */
struct trapframe {
  uint64 kernel_satp; /*   0 kernel page table */
  uint64 kernel_sp;   /*   8 top of the thread's kernel stack */
  uint64 kernel_trap; /*  16 usertrap() */
  uint64 epc;         /*  24 saved user program counter */
  uint64 kernel_tp;   /*  32 struct cpu of the hart */
  uint64 ra;          /*  40 */
  uint64 sp;          /*  48 */
  uint64 gp;          /*  56 */
  uint64 tp;          /*  64 */
  uint64 t0, t1, t2;  /*  72 */
  uint64 s0, s1;      /*  96 */
  uint64 a[8];        /* 112 */
  uint64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11; /* 176 */
  uint64 t3, t4, t5, t6;                           /* 256 */
  uint64 flush; /* 288 no ASIDs: flush the TLB at each crossing */
};
_Static_assert(offsetof(struct trapframe, flush) == 288, "trampoline.S");

#define STACK_ALIGN 16 /* of the calling convention */
#define TRAPFRAME_ROOM \
  ((sizeof(struct trapframe) + STACK_ALIGN - 1) & ~(STACK_ALIGN - 1UL))
#define USER_TRAPFRAME(place) \
  (TRAPFRAME_PAGE(place) + PGSIZE - THREAD_ROOM - TRAPFRAME_ROOM)
_Static_assert(THREAD_ROOM + TRAPFRAME_ROOM <= PGSIZE, "on one page");

/* Floating-point registers; fpu.S knows the offsets. */
struct fpstate {
  uint64 f[32];
  uint64 fcsr;
};

struct arch_thread {
  struct trapframe *trapframe; /* NULL for a kernel thread */
  uint64 satp; /* for user mode; 0: this and the next two are not known yet */
  vaddr_t user_trapframe; /* where the trapframe is in the user's table */
  vaddr_t userret;        /* trampoline.S, in the trampoline page */
  struct fpstate fp;
  bool fp_loaded; /* the hart holds the registers now */
};

/* A system call of the program, in its registers: number, i-th argument (0 to
 * 5), result; and where the program was interrupted. */
static inline long user_call_number(const struct arch_thread *at) {
  return at->trapframe->a[7];
}
static inline long user_call_arg(const struct arch_thread *at, int i) {
  return at->trapframe->a[i];
}
static inline void user_call_result(struct arch_thread *at, long result) {
  at->trapframe->a[0] = result;
}
static inline vaddr_t user_pc(const struct arch_thread *at) {
  return at->trapframe->epc;
}

/* What the hart holds for the thread goes into memory: before another thread
 * runs, and before fork copies it. Interrupts off. */
void arch_thread_leave(struct arch_thread *at);
void arch_thread_sync(struct arch_thread *at);

/* Save the caller's registers in old and continue with those of new. */
void swtch(struct context *old, struct context *new);

/* Calls s1; switch.S. */
void context_begin(void);

/* Set up a context that begins in entry() on a stack. entry() does not return. */
static inline void context_init(struct context *c, void (*entry)(void),
                                vaddr_t stack_top) {
  *c = (struct context){
      .ra = (uint64)context_begin, .sp = stack_top, .s[1] = (uint64)entry};
}

#endif
