/* The model as a whole; see model.h. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "model_parts.h"
#include "util.h"

const char *class_name(enum page_class c) {
  static const char *const names[CLASS_COUNT] = {
      "free", "text",    "data",     "table",  "stack",
      "slab", "private", "shared",   "cow",    "cache",
      "pipe", "zero",    "reserved", "kernel", "absent"};

  return names[c];
}

struct model *model_take(struct memory *m, uint64_t seq) {
  struct model *model = must_alloc(1, sizeof(*model));

  model->seq = seq;
  model->started = memory_refresh(m) == 0;
  events_boot(model, m);
  if (!model->started) {
    model->start = source_start(memory_source(m));
    return model;
  }
  frames_read(model, m);
  spaces_read(model, m);
  frames_finish(model);
  events_read(model, m);
  return model;
}

void model_free(struct model *model) {
  if (model == NULL)
    return;
  for (size_t i = 0; i < model->nspaces; i++) {
    struct space_view *s = &model->spaces[i];

    for (size_t k = 0; k < s->nregions; k++)
      free(s->regions[k].runs);
    free(s->regions);
  }
  free(model->spaces);
  free(model->frames);
  free(model);
}

static bool run_same(const struct page_run *a, const struct page_run *b) {
  return a->first == b->first && a->pages == b->pages && a->kind == b->kind &&
         a->flags == b->flags && (a->kind == CLASS_ABSENT || a->pa == b->pa);
}

bool region_same(const struct region_view *a, const struct region_view *b) {
  if (a->start != b->start || a->end != b->end || a->rights != b->rights ||
      a->shared != b->shared || a->file != b->file || a->nruns != b->nruns ||
      strcmp(a->what, b->what) != 0 || strcmp(a->of, b->of) != 0)
    return false;
  for (size_t i = 0; i < a->nruns; i++)
    if (!run_same(&a->runs[i], &b->runs[i]))
      return false;
  return true;
}

static bool faults_same(const struct fault_view *a,
                        const struct fault_view *b) {
  return a->total == b->total && a->zero == b->zero && a->copy == b->copy &&
         a->file == b->file && a->super == b->super && a->reuse == b->reuse &&
         a->refused == b->refused;
}

bool space_same(const struct space_view *a, const struct space_view *b) {
  if (a->pid != b->pid || strcmp(a->name, b->name) != 0 || a->root != b->root ||
      a->tables != b->tables || a->consistent != b->consistent ||
      !faults_same(&a->faults, &b->faults) || a->nregions != b->nregions)
    return false;
  for (size_t i = 0; i < a->nregions; i++)
    if (!region_same(&a->regions[i], &b->regions[i]))
      return false;
  return true;
}

const struct space_view *model_space(const struct model *model, int pid) {
  for (size_t i = 0; i < model->nspaces; i++)
    if (model->spaces[i].pid == pid)
      return &model->spaces[i];
  return NULL;
}

const struct region_view *space_region(const struct space_view *s,
                                       uint64_t va) {
  for (size_t i = 0; i < s->nregions; i++)
    if (va >= s->regions[i].start && va < s->regions[i].end)
      return &s->regions[i];
  return NULL;
}

void model_maps(const struct model *model, uint64_t pa,
                void (*visit)(void *arg, const struct space_view *s,
                              const struct region_view *r, uint64_t va),
                void *arg) {
  for (size_t i = 0; i < model->nspaces; i++) {
    const struct space_view *s = &model->spaces[i];

    for (size_t k = 0; k < s->nregions; k++)
      for (size_t n = 0; n < s->regions[k].nruns; n++) {
        const struct page_run *p = &s->regions[k].runs[n];

        if (p->kind != CLASS_ABSENT && pa >= p->pa &&
            pa - p->pa < p->pages * PAGE_BYTES)
          visit(arg, s, &s->regions[k],
                s->regions[k].start + p->first * PAGE_BYTES + (pa - p->pa));
      }
  }
}
