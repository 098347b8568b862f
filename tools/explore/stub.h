/*
 * QEMU's debugger interface, as far as it is needed to stop a machine, to let it
 * go on, and to stop where an instruction is (gdb's remote serial protocol: gdb
 * manual, appendix E). CPUs are numbered from 0, as QEMU does.
 *
 * Commands wait for QEMU's answer, a few seconds at most; it takes a few hundred
 * microseconds. Only a stop that QEMU reports by itself is waited for elsewhere:
 * stub_receive() when the socket can be read.
 */
#ifndef EXPLORE_STUB_H
#define EXPLORE_STUB_H

#include <stdbool.h>
#include <stdint.h>

struct stub;

/* Take over a connected socket; the machine stands still afterwards. NULL: nobody
 * answers there. */
struct stub *stub_open(int fd);
/* Closes the socket. */
void stub_close(struct stub *s);

/* All of these: 0, or -1 if QEMU has ended or does not answer. */

/* Does the machine run? */
bool stub_runs(const struct stub *s);
/* Stop all CPUs. A machine that stood still already: 0. */
int stub_stop(struct stub *s);
/* Let all CPUs go on. */
int stub_go(struct stub *s);
/* The machine stands still for this: */

/* Set or clear a breakpoint at a virtual address. */
int stub_break(struct stub *s, uint64_t va, bool set);
/* One instruction of one CPU, beyond a breakpoint; the others stand still. */
int stub_step(struct stub *s, int cpu);
/* A register by its number in gdb's list, of `bytes` bytes. */
int stub_register(struct stub *s, int cpu, int number, int bytes,
                  uint64_t *value);

/* The machine runs and the socket can be read. 1: it stopped at a breakpoint of
 * stub_cpu(); 0: it still runs; -1: QEMU has ended. */
int stub_receive(struct stub *s);
/* Did the last stop come from a breakpoint? stub_stop() may find one. */
bool stub_at_breakpoint(const struct stub *s);
int stub_cpu(const struct stub *s);

#endif
