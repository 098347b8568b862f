/*
 * The way into user mode and back, private to arch/riscv.
 */
#ifndef USER_RETURN_H
#define USER_RETURN_H

#include "arch_space.h"
#include "arch_thread.h"
#include "mm/pagetable.h"

/* The satp value for a user table on this hart, after the flushes that it
 * needs. Interrupts off. */
uint64 user_satp(pagetable_t pagetable, struct arch_space *as);

/* trampoline.S; its code runs at its address in the trampoline page. */
extern char trampoline[], uservec[], userret[];

void kernelvec(void); /* kernelvec.S */

/* Called from there. */
void usertrap(void);
void kerneltrap(vaddr_t fp);
void kernel_stack_overflow(vaddr_t sp, vaddr_t fp) __attribute__((noreturn));

#endif
