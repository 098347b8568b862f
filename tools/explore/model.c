/* The model as a whole; see model.h. */
#include "model.h"

#include <stdlib.h>

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
