/*
 * Counters and the trace.
 *
 *    trace_rings[cpu] -> records[0 .. n-1], next: record k lies at k % n
 *
 * While a ring is read its CPU may go on and overwrite the oldest records: `next`
 * is read before and behind, and as many are left out as it has moved.
 *
 * The machine may be started anew meanwhile, by its own `reboot`. That is seen by
 * any of: there is no kernel table yet; the time at which the kernel started is
 * another one; a ring's `next` has gone back. Whatever was counted before is of
 * another boot then, and counting begins again.
 */
#include <stdlib.h>
#include <string.h>

#include "model_parts.h"
#include "util.h"

#define RING_BYTES_MAX (1U << 20) /* that are believed */
#define NS_PER_S 1000000000ULL

/* Elements of an array variable. */
static uint64_t elements(const struct layout *l, enum layout_item array,
                         enum layout_item element) {
  uint64_t size = layout_size(l, element);

  return size ? MIN(layout_size(l, array) / size, TALLY_CPUS) : 0;
}

static void add_member(struct memory *m, uint64_t va, enum layout_item member,
                       uint64_t *sum) {
  uint64_t x;

  memory_member(m, va, member, &x);
  *sum += x;
}

static void read_counters(struct model *model, struct memory *m) {
  const struct layout *l = memory_layout(m);

  for (uint64_t i = 0; i < elements(l, V_FAULTS, T_FAULTS); i++) {
    uint64_t va = layout_at(l, V_FAULTS) + i * layout_size(l, T_FAULTS);

    add_member(m, va, M_FAULTS_TOTAL, &model->faults.total);
    add_member(m, va, M_FAULTS_ZERO, &model->faults.zero);
    add_member(m, va, M_FAULTS_COPY, &model->faults.copy);
    add_member(m, va, M_FAULTS_FILE, &model->faults.file);
    add_member(m, va, M_FAULTS_SUPER, &model->faults.super);
    add_member(m, va, M_FAULTS_REUSE, &model->faults.reuse);
    add_member(m, va, M_FAULTS_REFUSED, &model->faults.refused);
  }
  for (uint64_t i = 0; i < elements(l, V_CPUS, T_CPU); i++)
    add_member(m, layout_at(l, V_CPUS) + i * layout_size(l, T_CPU),
               M_CPU_SHOOTDOWNS, &model->shootdowns);
}

/* --- which boot --- */

static uint64_t ring_at(const struct layout *l, int cpu) {
  return layout_at(l, V_TRACE) + cpu * layout_size(l, T_TRACE_RING);
}

/* Has a ring less than it had? */
static bool went_back(struct memory *m) {
  const struct layout *l = memory_layout(m);
  const struct tally *t = memory_tally(m);
  uint64_t next;

  for (int cpu = 0; cpu < TALLY_CPUS; cpu++)
    if (t->begun[cpu] &&
        memory_member(m, ring_at(l, cpu), M_TRACE_NEXT, &next) == 0 &&
        (int32_t)((uint32_t)next - t->next[cpu]) < 0)
      return true;
  return false;
}

void events_boot(struct model *model, struct memory *m) {
  struct tally *t = memory_tally(m);
  uint64_t time = 0, panicked = 0;

  if (model->started) {
    memory_variable(m, V_BOOT_TIME, &time);
    memory_variable(m, V_PANICKED, &panicked);
  }
  if (t->started && (!model->started || went_back(m) ||
                     (t->boot_time != 0 && time != t->boot_time)))
    *t = (struct tally){.boots = t->boots + 1};
  t->started = model->started;
  t->boot_time = time;
  model->boots = t->boots;
  model->panicked = panicked != 0;
}

/* --- the trace --- */

struct events {
  struct memory *m;
  struct event_view *all;
  size_t n;
  uint64_t hz;   /* of the times in records */
  uint64_t boot; /* when the kernel started, as they count; 0: not known */
};

/* A number in a record. */
static uint64_t field(const struct layout *l, const unsigned char *record,
                      enum layout_item member) {
  uint64_t x = 0, at = layout_at(l, member), bytes = layout_size(l, member);

  if (bytes <= sizeof(x) && at <= layout_size(l, T_TRACE) &&
      bytes <= layout_size(l, T_TRACE) - at)
    memcpy(&x, record + at, bytes);
  return x;
}

/* Since boot. What counts may have begun long before: a PC's reset lets its
 * counter go on. */
static uint64_t nanoseconds(const struct events *e, uint64_t time) {
  uint64_t since = time > e->boot ? time - e->boot : 0;

  return since / e->hz * NS_PER_S + since % e->hz * NS_PER_S / e->hz;
}

static void tally(struct tally *t, const char *kind) {
  t->forks += strcmp(kind, "fork") == 0;
  t->execs += strcmp(kind, "exec") == 0;
}

static void note_record(struct events *e, int cpu, uint32_t number,
                        const unsigned char *record) {
  const struct layout *l = memory_layout(e->m);
  uint64_t kind = field(l, record, M_TRACE_KIND);
  struct tally *t = memory_tally(e->m);
  struct event_view v = {.ns = nanoseconds(e, field(l, record, M_TRACE_TIME)),
                         .cpu = cpu,
                         .number = number,
                         .pid = (int)field(l, record, M_TRACE_PID),
                         .kind = layout_enumerator(l, E_TRACE, kind),
                         .a = field(l, record, M_TRACE_A),
                         .b = field(l, record, M_TRACE_B)};

  if (kind == 0 || v.kind == NULL)
    return; /* never written, or half */
  if (!t->begun[cpu] || (int32_t)(number - t->next[cpu]) >= 0)
    tally(t, v.kind);
  GROW(e->all, e->n);
  e->all[e->n++] = v;
}

static void read_ring(struct events *e, int cpu) {
  const struct layout *l = memory_layout(e->m);
  uint64_t va = ring_at(l, cpu);
  uint64_t bytes = MIN(layout_size(l, M_TRACE_RECORDS), RING_BYTES_MAX);
  uint64_t size = layout_size(l, T_TRACE), n = bytes / size, next, after;
  unsigned char *ring;

  if (n == 0 || memory_member(e->m, va, M_TRACE_NEXT, &next) < 0)
    return;
  ring = must_alloc(1, bytes);
  memory_read(e->m, va + layout_at(l, M_TRACE_RECORDS), ring, bytes);
  memory_member(e->m, va, M_TRACE_NEXT, &after);
  for (uint64_t back = n; back > 0; back--) {
    uint32_t number = (uint32_t)(next - back);

    if ((uint32_t)(after - number) < n)
      note_record(e, cpu, number, ring + number % n * size);
  }
  memory_tally(e->m)->next[cpu] = next;
  memory_tally(e->m)->begun[cpu] = true;
  free(ring);
}

static int by_time(const void *a, const void *b) {
  const struct event_view *x = a, *y = b;

  return (x->ns > y->ns) - (x->ns < y->ns);
}

static void read_trace(struct model *model, struct memory *m) {
  const struct layout *l = memory_layout(m);
  struct events e = {.m = m, .boot = memory_tally(m)->boot_time};

  if (layout_size(l, T_TRACE) == 0 || !layout_has(l, M_TRACE_RECORDS) ||
      memory_variable(m, V_CLOCK_HZ, &e.hz) < 0 || e.hz == 0)
    return;
  for (uint64_t i = 0; i < elements(l, V_TRACE, T_TRACE_RING); i++)
    read_ring(&e, (int)i);
  if (e.n > 0)
    qsort(e.all, e.n, sizeof(*e.all), by_time);
  model->nevents = MIN(e.n, MODEL_EVENTS);
  for (size_t i = 0; i < model->nevents; i++)
    model->events[i] = e.all[e.n - model->nevents + i];
  if (model->nevents > 0)
    model->ns = model->events[model->nevents - 1].ns;
  model->forks = memory_tally(m)->forks;
  model->execs = memory_tally(m)->execs;
  free(e.all);
}

void events_read(struct model *model, struct memory *m) {
  read_counters(model, m);
  read_trace(model, m);
}
