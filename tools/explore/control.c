/*
 * See control.h.
 *
 *                control_stop_at
 *     paused ------------------------> waiting (runs, with a breakpoint)
 *       ^   <------------------------    |   ^
 *       |       hit: it is the event     v   | hit: it is not; step over it
 *     running                           stopped for a moment
 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Where the kernel passes, and what its arguments are. */
static const struct event {
  const char *at;
  const char *function;
  const char
      *kind;    /* what the first argument names, enum trace_kind; or NULL */
  bool address; /* the second argument is one */
  const char *said;
} events[] = {
    {"fault", "fault_resolve", NULL, true, "a page fault will be served"},
    {"copy", "trace", "fault_copy", true, "a page was copied"},
    {"exec", "trace", "exec", false, "exec has replaced the image"},
    {"switch", "swtch", NULL, false, "a CPU is given to it"},
};

struct control {
  struct stub *stub;
  struct memory *memory;
  bool paused, ended;
  char why[80];
  const struct event *event; /* that is waited for, or NULL */
  int pid;                   /* whose, or ANY_PROCESS */
  struct stop_event stopped;
};

struct control *control_create(struct stub *s, struct memory *m) {
  struct control *c = must_alloc(1, sizeof(*c));

  c->stub = s;
  c->memory = m;
  c->paused = true;
  return c;
}

void control_free(struct control *c) {
  if (c == NULL)
    return;
  stub_close(c->stub);
  free(c);
}

static void say(struct control *c, const char *why) {
  snprintf(c->why, sizeof(c->why), "%s", why);
}

void control_end(struct control *c) {
  c->paused = c->ended = true;
  c->event = NULL;
  say(c, "the machine has ended");
}

static int lost(struct control *c, struct trouble *why) {
  control_end(c);
  return trouble_say(why, "the machine has ended");
}

/* --- who and what --- */

/* The pid of the process that a CPU runs; -1: nobody knows. */
static int pid_on(struct control *c, int cpu) {
  const struct layout *l = memory_layout(c->memory);
  uint64_t size = layout_size(l, T_CPU), id, pid;

  for (uint64_t at = 0; size != 0 && at + size <= layout_size(l, V_CPUS);
       at += size) {
    uint64_t va = layout_at(l, V_CPUS) + at;

    if (memory_member(c->memory, va, M_CPU_HWID, &id) == 0 &&
        memory_member(c->memory, va, M_CPU_ONLINE, &pid) == 0 && pid != 0 &&
        id == (uint64_t)cpu &&
        memory_member(c->memory, va, M_CPU_PID, &pid) == 0)
      return (int)pid;
  }
  return -1;
}

/* The n-th argument of the function that a CPU is at the beginning of. */
static int argument(struct control *c, int cpu, int n, uint64_t *value) {
  const struct machine *machine = layout_machine(memory_layout(c->memory));
  int word = machine->word_bytes;
  uint64_t sp;

  if (machine->argument_register >= 0)
    return stub_register(c->stub, cpu, machine->argument_register + n, word,
                         value);
  if (stub_register(c->stub, cpu, machine->stack_register, word, &sp) < 0)
    return -1;
  /* the return address is below them */
  return memory_number(c->memory, sp + (uint64_t)word * (n + 1), word, value);
}

static bool is_the_event(struct control *c, int cpu) {
  const struct layout *l = memory_layout(c->memory);
  const char *kind;
  uint64_t value;
  int pid;

  memory_refresh(c->memory);
  pid = pid_on(c, cpu);
  if (c->pid == ANY_PROCESS ? pid <= 0 : pid != c->pid)
    return false;
  if (c->event->kind == NULL)
    return true;
  if (argument(c, cpu, 0, &value) < 0)
    return false;
  kind = layout_enumerator(l, E_TRACE, (uint32_t)value);
  return kind != NULL && strcmp(kind, c->event->kind) == 0;
}

/* --- waiting --- */

static uint64_t place(struct control *c) {
  return layout_symbol(memory_layout(c->memory), c->event->function);
}

/* No longer wait. The machine stands still. */
static void disarm(struct control *c) {
  if (c->event != NULL)
    stub_break(c->stub, place(c), false);
  c->event = NULL;
}

static void stop_here(struct control *c, int cpu) {
  struct stop_event s = {.at = c->event->at, .pid = pid_on(c, cpu), .cpu = cpu};

  if (c->event->address)
    argument(c, cpu, 1, &s.va);
  c->paused = true;
  c->stopped = s;
  snprintf(c->why, sizeof(c->why), "process %d: %s", s.pid, c->event->said);
  disarm(c);
}

/* The machine has stopped at the breakpoint. */
static void hit(struct control *c) {
  int cpu = stub_cpu(c->stub);

  if (is_the_event(c, cpu))
    stop_here(c, cpu);
  else if (stub_step(c->stub, cpu) < 0 || stub_go(c->stub) < 0)
    control_end(c);
}

bool control_receive(struct control *c) {
  int r;

  if (c->ended || !stub_runs(c->stub))
    return false;
  r = stub_receive(c->stub);
  if (r < 0)
    control_end(c);
  else if (r > 0 && c->event != NULL)
    hit(c);
  else if (r > 0)
    c->paused = true;
  if (c->paused && c->why[0] == 0)
    say(c, "QEMU has stopped the machine");
  return c->paused;
}

void control_gone(struct control *c) {
  char why[sizeof(c->why)];
  struct trouble unused;

  snprintf(why, sizeof(why), "process %d has ended", c->pid);
  if (control_pause(c, &unused) == 0)
    say(c, why);
}

/* --- what a page asks for --- */

int control_pause(struct control *c, struct trouble *why) {
  if (c->ended || stub_stop(c->stub) < 0)
    return lost(c, why);
  disarm(c);
  if (!c->paused)
    say(c, "nothing moves until you continue");
  c->paused = true;
  return 0;
}

/* Go on; a breakpoint may be just here. */
static int go(struct control *c, struct trouble *why) {
  c->paused = false;
  c->stopped = (struct stop_event){0};
  say(c, "");
  return stub_go(c->stub) < 0 ? lost(c, why) : 0;
}

int control_continue(struct control *c, struct trouble *why) {
  if (c->ended || stub_stop(c->stub) < 0)
    return lost(c, why);
  disarm(c);
  return go(c, why);
}

static const struct event *find_event(const char *at) {
  for (size_t i = 0; i < NELEM(events); i++)
    if (strcmp(events[i].at, at) == 0)
      return &events[i];
  return NULL;
}

int control_stop_at(struct control *c, const char *at, int pid,
                    struct trouble *why) {
  const struct layout *l = memory_layout(c->memory);
  const struct event *e = find_event(at);
  bool here;

  if (e == NULL)
    return trouble_say(why, "no such event: fault, copy, exec or switch");
  if (layout_symbol(l, e->function) == 0 || !layout_has(l, M_CPU_PID))
    return trouble_say(why,
                       "this kernel has no %s() to stop at, or does not say"
                       " who runs",
                       e->function);
  if (c->ended || stub_stop(c->stub) < 0)
    return lost(c, why);
  here = c->stopped.at != NULL &&
         strcmp(find_event(c->stopped.at)->function, e->function) == 0;
  disarm(c);
  c->event = e;
  c->pid = pid;
  if (stub_break(c->stub, place(c), true) < 0)
    return lost(c, why);
  if (here && stub_step(c->stub, c->stopped.cpu) < 0)
    return lost(c, why);
  return go(c, why);
}

int control_freeze(struct control *c, struct trouble *why) {
  /* what has ended stands still */
  return c->ended || stub_stop(c->stub) == 0 ? 0 : lost(c, why);
}

void control_thaw(struct control *c) {
  if (c->paused)
    return;
  if (c->event != NULL && stub_at_breakpoint(c->stub))
    hit(c);
  else if (stub_go(c->stub) < 0)
    control_end(c);
}

/* --- what is so --- */

bool control_paused(const struct control *c) { return c->paused; }
bool control_ended(const struct control *c) { return c->ended; }
const char *control_why(const struct control *c) { return c->why; }

struct stop_event control_waiting(const struct control *c) {
  return (struct stop_event){.at = c->event ? c->event->at : NULL,
                             .pid = c->pid};
}

struct stop_event control_stopped(const struct control *c) {
  return c->stopped;
}
