/* Counters and the trace. */
#include "model_parts.h"
#include "util.h"

#define CPUS_MAX 64 /* that are believed */

/* Elements of an array variable. */
static uint64_t elements(const struct layout *l, enum layout_item array,
                         enum layout_item element) {
  uint64_t size = layout_size(l, element);

  return size ? MIN(layout_size(l, array) / size, CPUS_MAX) : 0;
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
  }
  for (uint64_t i = 0; i < elements(l, V_CPUS, T_CPU); i++)
    add_member(m, layout_at(l, V_CPUS) + i * layout_size(l, T_CPU),
               M_CPU_SHOOTDOWNS, &model->shootdowns);
}

void events_read(struct model *model, struct memory *m) {
  read_counters(model, m);
}
