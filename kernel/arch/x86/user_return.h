/*
 * The way into user mode and back, private to arch/x86.
 */
#ifndef USER_RETURN_H
#define USER_RETURN_H

#include "arch_thread.h"

struct thread;

/* Traps of this CPU go to trapvec.S from now on, and its floating-point unit is
 * ready. Paging is on, with the kernel's table. */
void trap_init_cpu(void);

/* tables.c: load the page directory of the running thread into cr3, if it is
 * not there. Interrupts off. */
void user_cr3_prepare(struct thread *t);

/* trapvec.S */
#define VECTOR_SIZE 16        /* bytes of code for each vector */
extern char vectors[];        /* 256 of these */
extern char sysenter_entry[]; /* what SYSENTER jumps to */
void user_resume(struct trapframe *tf) __attribute__((noreturn));

/* Called from there; interrupts off. */
void kerneltrap(struct trapframe *tf);
void usertrap(struct trapframe *tf) __attribute__((noreturn));
void usersyscall(void) __attribute__((noreturn));
void virtual86trap(struct trapframe *tf) __attribute__((noreturn));

#endif
