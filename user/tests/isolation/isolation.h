/*
 * isolation, a program of several files: what the memory system promises of
 * processes that must not see each other, nor the kernel.
 *
 *   walk.c      addresses: what a program can reach is what its regions say
 *   calls.c     the same through every pointer that a system call takes
 *   stale.c     translations that a processor remembers after memory is gone
 *   remains.c   what was in memory before
 *   structs.c   bytes between and behind what the kernel fills in
 *
 * A test is a function that returns if all is well; it runs in a process of its
 * own.
 */
#ifndef ISOLATION_H
#define ISOLATION_H

#include "kernel/types.h"

#include "kernel/stat.h"

#include "kernel/fs.h"

#include "abi/tty.h"
#include "user/user.h"

#include "machine.h" /* usertests/<machine>/ */

#define PAGE 4096
#define PAGE_BITS 12
#define NELEM(a) (sizeof(a) / sizeof((a)[0]))
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)

typedef unsigned long addr; /* an address as a number */

/* The condition must hold, or the process ends with status 1. */
#define CHECK(cond) ((cond) ? (void)0 : failed(__FILE__, __LINE__, #cond))
void failed(const char *file, int line, const char *what)
    __attribute__((noreturn));
/* Add what is being tried to the message of a check that fails. */
void trying(const char *what, addr at);

/* fn(arg) in a child that then exits with status 0: its pid; and its status. */
int spawn(int (*fn)(void *), void *arg);
int join(int pid); /* or STATUS_KILLED */

void *map(uint pages, int flags);
uint64 rnd(void);  /* from the seed that main() printed */
extern char *self; /* path of this program */

/* What programs must not touch: the addresses of usertests' machine.h, and both
 * ends of each mapping of the kernel, of which only every `every`-th counts
 * where there are many alike. How many; at most `max`. */
uint kernel_addresses(addr *list, uint max, uint every);
/* Rights (VM_*) that this process' regions give there; -1: in no region. */
int rights_at(addr a);

#define PATTERN 0x5ec2e75eu /* what secrets are made of */

void walk_calls(void);
void walk_direct(void);
void call_pointers(void);
void stale_memory(void);
void remains_memory(void);
void remains_files(void);
void remains_text(void);
void structs(void);

/* What the program does when it is run again: looks at the memory it gets. */
void look_around(void);

#endif
