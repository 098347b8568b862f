/*
 * How the checks of the debug kernel report.
 */
#ifndef DEBUG_REPORT_H
#define DEBUG_REPORT_H

#include "lib/panic.h"
#include "types.h"

/* Panic with "debug: " and the message; the backtrace begins at the call that pc
 * returns to, in the function that did it, not in the check that found it: at the
 * call's last byte, since pc itself is another function's if this one ends with
 * the call. No check reports again: the kernel is about to end. */
#define debug_report(pc, ...) \
  panic_at((pc)-1, debug_frame_of(pc), "debug: " __VA_ARGS__)

/* The frame pointer of the function that pc returns to, one of the callers; and
 * from now on debug_reporting is true. */
vaddr_t debug_frame_of(vaddr_t pc);

/* [a] A check found something: the others keep quiet. */
extern bool debug_reporting;

#endif
