/*
 * The way into user mode and back, private to arch/riscv.
 */
#ifndef USER_RETURN_H
#define USER_RETURN_H

#include "arch_space.h"
#include "arch_thread.h"
#include "mm/pagetable.h"

/* Traps of this hart go to uservec from now on. */
void trap_init_cpu(void);

/* Find the satp value for a thread on this hart, after the flushes that it
 * needs, and keep it in the thread until it leaves the hart. Interrupts off. */
struct thread;
void user_satp_prepare(struct thread *t);

/* trampoline.S; its code runs at its address in the trampoline page. */
extern char trampoline[], uservec[], userret[];

void kernelvec(void); /* kernelvec.S */

/* Called from there. */
void usertrap(void);
void kerneltrap(vaddr_t fp);
void kernel_stack_overflow(vaddr_t sp, vaddr_t fp) __attribute__((noreturn));

#endif
