/*
 * Stopping the machine, letting it go on, and stopping it at the next event of
 * one process or of any, by a breakpoint where the kernel passes at each event of
 * that kind, whichever process it is. If it is another, the machine goes on.
 *
 *     fault    fault_resolve()   before a page fault is served
 *     copy     trace()           after a page was copied
 *     exec     trace()           after exec has replaced the image
 *     switch   swtch()           as a CPU is given to the process
 */
#ifndef EXPLORE_CONTROL_H
#define EXPLORE_CONTROL_H

#include "memory.h"
#include "stub.h"

#define ANY_PROCESS 0 /* as a pid; the kernel's threads are none */

struct control;

/* The machine stands still at first. Takes the stub over; the memory must live
 * longer. Never NULL. */
struct control *control_create(struct stub *s, struct memory *m);
void control_free(struct control *c);

/* All of these: 0; -1, and why. */

int control_pause(struct control *c, struct trouble *why);
/* Also ends waiting for an event. */
int control_continue(struct control *c, struct trouble *why);
/* Go on until the next event `at` of process `pid`, or of whichever has one. */
int control_stop_at(struct control *c, const char *at, int pid,
                    struct trouble *why);
/* The machine stands still in between, whether it is paused or not. */
int control_freeze(struct control *c, struct trouble *why);
void control_thaw(struct control *c);

/* The debugger's socket can be read. True: the machine stopped, or has ended. */
bool control_receive(struct control *c);
/* The process that is waited for does not exist any more. */
void control_gone(struct control *c);
/* QEMU has ended. */
void control_end(struct control *c);

bool control_paused(const struct control *c);
bool control_ended(const struct control *c);
/* Why it is paused, in words; "" if it is not. */
const char *control_why(const struct control *c);

/* An event: of what kind (NULL: none), of whom; once it has come, on which CPU
 * and at what address. */
struct stop_event {
  const char *at;
  int pid, cpu;
  uint64_t va;
};
/* Which event is waited for; at which the machine was stopped. */
struct stop_event control_waiting(const struct control *c);
struct stop_event control_stopped(const struct control *c);

#endif
