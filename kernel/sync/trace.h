/*
 * The trace ring: the last events of each CPU, always written. Nothing in the
 * kernel reads it; a debugger, or who else sees the machine's memory, does.
 */
#ifndef SYNC_TRACE_H
#define SYNC_TRACE_H

#include "param.h"
#include "types.h"

/* What a and b of a record are. Names and numbers are for readers outside: new
 * kinds go to the end. */
enum trace_kind {
  TRACE_NONE,          /* never written */
  TRACE_FAULT_ZERO,    /* a: page, b: frame that starts as zeros */
  TRACE_FAULT_COPY,    /* a: page, b: frame of the copy */
  TRACE_FAULT_REUSE,   /* a: page, b: frame, which nobody else had any more */
  TRACE_FAULT_FILE,    /* a: page, b: frame of a file or of shared memory */
  TRACE_FAULT_SUPER,   /* a: page, b: first frame of a superpage */
  TRACE_FAULT_REFUSED, /* a: page, b: the access, PROT_* */
  TRACE_FORK,          /* a: pid of the child */
  TRACE_EXEC,          /* a: entry point, b: root of the new table */
  TRACE_EXIT,          /* a: status */
  TRACE_SHOOTDOWN,     /* a: first address, b: bytes; others flush them */
  TRACE_MMAP,          /* a: first address, b: bytes */
  TRACE_MUNMAP,        /* a: first address, b: bytes */
  TRACE_SPLIT,         /* a: first page of a superpage that became pages */
  TRACE_OOM,           /* a: pid of the process that is ended */
};

#define TRACE_RECORDS 1024 /* of each CPU; a power of two */

struct trace_record {
  uint64 time; /* cpu_clock(): clock_hz a second */
  int pid;     /* of the process that ran, 0: none */
  uint kind;   /* enum trace_kind */
  vaddr_t a, b;
};

/* Record number n lies at n % TRACE_RECORDS. Who reads while the CPU goes on:
 * read `next`, the records, and `next` once more; only those above the second
 * value - TRACE_RECORDS are whole. */
struct trace_ring {
  struct trace_record records[TRACE_RECORDS];
  uint next; /* [a] number of the record to be written next; only its CPU
                changes it; it wraps round */
};

extern struct trace_ring trace_rings[NCPU]; /* by struct cpu.id */

/* Note an event. Any context. */
void trace(enum trace_kind kind, vaddr_t a, vaddr_t b);

#endif
