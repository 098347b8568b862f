/*
 * The end: a kernel bug was found. A user program, a disk or a device that
 * misbehaves must never get here.
 */
#ifndef LIB_PANIC_H
#define LIB_PANIC_H

#include "types.h"

/* Print "panic: " and the message, the CPU and thread, and a backtrace by
 * symbol; stop all CPUs; with panic=exit on the command line, leave the
 * machine with a failure. The message names function, cause and values. */
void panic(const char *fmt, ...)
    __attribute__((noreturn, format(__printf__, 1, 2)));

/* Like panic, when the registers of the failure are at hand: the backtrace
 * starts at pc with frame pointer fp. */
void panic_at(vaddr_t pc, vaddr_t fp, const char *fmt, ...)
    __attribute__((noreturn, format(__printf__, 3, 4)));

/* No bug, but a machine that the kernel does not know: say at boot what it has
 * or lacks, and leave it with a failure. */
void refuse(const char *fmt, ...)
    __attribute__((noreturn, format(__printf__, 1, 2)));

#define ASSERT(cond)                                                         \
  do {                                                                       \
    if (!(cond))                                                             \
      panic("%s: %s is false (%s:%d)", __func__, #cond, __FILE__, __LINE__); \
  } while (0)

/* Upward calls, filled in by higher floors; any may be NULL. */
struct panic_ops {
  void (*describe)(void);    /* print which CPU, thread and process it was */
  void (*stop_others)(void); /* stop the other CPUs */
};
extern struct panic_ops panic_ops;
extern bool panicked; /* a CPU panicked; output is no longer locked */

#endif
