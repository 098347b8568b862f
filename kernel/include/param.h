/*
 * Limits that are choices, not facts of the machine. Reaching one is an error
 * that the caller sees, never a panic.
 */
#ifndef PARAM_H
#define PARAM_H

#include "abi/limits.h" /* PATH_MAX */
#include "debug.h"      /* KSTACK_ORDER */

#define NCPU 8               /* CPUs that are used; more are left idle */
#define PROC_MAX 512         /* processes, unless maxproc= says otherwise */
#define USER_THREADS_MAX 256 /* threads of one process */
#define FD_MAX 512           /* open descriptors of one process */
#define ARG_MAX 1024         /* arguments of exec */
#define TICK_HZ 100          /* preemption ticks a second */
#define REGIONS_MAX 65530    /* regions of an address space */
#define KSTACK_MAX 4096      /* kernel stacks, and so threads, at most */
/* pages of a kernel stack, without its guard */
#define KSTACK_PAGES ((1 << KSTACK_ORDER) - 1)
#define THREAD_ROOM 1024 /* bytes above a kernel stack for its struct thread */
/* Pages that a program's stack may grow to, if the ELF file does not say; of
 * these, what arguments may fill (xv6's whole stack); and what a file may ask
 * for, in which arguments may fill all. */
#define USERSTACK 256
#define USERARGS 1
#define USERSTACK_MAX 2048

#endif
