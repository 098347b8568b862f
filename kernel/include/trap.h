/*
 * Traps: between the machine's entry code and the rest of the kernel.
 *
 * The machine (arch/<isa>/trap.c) saves registers, finds out what happened,
 * and calls one of the trap_ functions, which are in kernel/trap/. These ask
 * back through the user_ functions, which the machine provides.
 */
#ifndef TRAP_H
#define TRAP_H

#include "types.h"

struct thread;

/* --- provided by kernel/trap --- */

/* The program made a system call (sys/syscall.c). Interrupts on. */
void syscall(void);
/* The program's access (PROT_READ, PROT_WRITE or PROT_EXEC) to va has no translation that
 * allows it. Interrupts on. */
void trap_page_fault(vaddr_t va, uint access);
/* The program did something else that it may not; `cause` says what, value is
 * the address or instruction concerned. Interrupts on. */
void trap_exception(const char *cause, vaddr_t value) __attribute__((noreturn));
/* Before going back to the program: end it if it was killed. */
void trap_leave(void);
/* The kernel itself faulted: panic. pc, fp: where; va: the address, if any. */
void trap_kernel(const char *cause, vaddr_t pc, vaddr_t fp, vaddr_t va)
    __attribute__((noreturn));

/* --- provided by the machine --- */

/* Room for the registers of a program, which are 0, on top of the thread's
 * kernel stack; before it runs. */
void user_prepare(struct thread *t);

/* Go to user mode with the registers of the running thread's trapframe. Does
 * not return; the stack is empty when the program traps again. */
void user_return(void) __attribute__((noreturn));

/* A new program begins: pc, stack pointer, and main's two arguments. All other
 * registers are cleared. */
void user_start(struct thread *t, vaddr_t pc, vaddr_t sp, long argc,
                vaddr_t argv);
/* A fork's child: the parent's registers, and 0 as the result. */
void user_fork(struct thread *child, struct thread *parent);
/* A new thread of the caller's program: as user_fork(), but with a stack pointer
 * of its own, and with set_tls with its own thread pointer: what the machine's
 * programs find their thread-local storage by. */
void user_clone(struct thread *child, struct thread *parent, vaddr_t sp,
                vaddr_t tls, bool set_tls);

/* The registers of a system call are in arch_thread.h. */

/* Print the user registers; for messages. */
void user_print_registers(struct thread *t);

#endif
