/* Messages. See json.h. */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define FLAGS_MAX 16 /* letters of an entry's flags */

static json_t *address(uint64_t a) {
  char text[24];

  snprintf(text, sizeof(text), "0x%" PRIx64, a);
  return json_string(text);
}

static void set(json_t *o, const char *key, json_t *value) {
  json_object_set_new(o, key, value);
}

static void set_number(json_t *o, const char *key, uint64_t n) {
  set(o, key, json_integer((json_int_t)n));
}

static void set_text(json_t *o, const char *key, const char *text) {
  set(o, key, json_string(text));
}

/* --- hello --- */

json_t *json_hello(struct memory *m) {
  const struct layout *l = memory_layout(m);
  struct geometry g = memory_geometry(m);
  json_t *o = json_object(), *bits = json_array(), *missing = json_array();
  char *lack;

  for (int i = 0; i < g.levels; i++)
    json_array_append_new(bits, json_integer(g.machine->index_bits));
  for (int i = 0; (lack = layout_missing(l, i)) != NULL; i++) {
    json_array_append_new(missing, json_string(lack));
    free(lack);
  }
  set_text(o, "type", "hello");
  set_text(o, "arch", g.machine->name);
  set_text(o, "mode", g.machine->mode(g.levels));
  set_number(o, "levels", g.levels);
  set(o, "bits", bits);
  set_number(o, "page", PAGE_BYTES);
  set_number(o, "pte", g.machine->pte_bytes);
  set_text(o, "letters", g.machine->letters);
  set(o, "number",
      json_pack("[ii]", g.machine->number_low, g.machine->number_bits));
  set_text(o, "root", g.machine->root);
  set(o, "live", json_boolean(source_live(memory_source(m))));
  set_text(o, "kernel", memory_kernel_name(m));
  set(o, "missing", missing);
  return o;
}

/* --- state --- */

/* "r-xu" */
static json_t *rights_text(unsigned rights) {
  char text[] = "----";

  for (int i = 0; i < 4; i++)
    if (rights & 1U << i)
      text[i] = "rwxu"[i];
  return json_string(text);
}

static json_t *run_message(const struct page_run *p) {
  json_t *a = json_array();

  json_array_append_new(a, json_integer((json_int_t)p->first));
  json_array_append_new(a, json_integer((json_int_t)p->pages));
  json_array_append_new(a, json_string(class_name(p->kind)));
  json_array_append_new(a,
                        p->kind == CLASS_ABSENT ? json_null() : address(p->pa));
  json_array_append_new(a, json_integer(p->flags));
  return a;
}

static json_t *region_message(const struct region_view *r) {
  json_t *o = json_object(), *runs = json_array();

  for (size_t i = 0; i < r->nruns; i++)
    json_array_append_new(runs, run_message(&r->runs[i]));
  set(o, "start", address(r->start));
  set(o, "end", address(r->end));
  set(o, "rights", rights_text(r->rights));
  set_text(o, "what", r->what);
  set(o, "shared", json_boolean(r->shared));
  set_number(o, "file", (uint64_t)r->file);
  if (r->of[0] != 0)
    set_text(o, "of", r->of);
  set(o, "runs", runs);
  return o;
}

static json_t *faults_message(const struct fault_view *f) {
  json_t *o = json_object();

  set_number(o, "total", f->total);
  set_number(o, "zero", f->zero);
  set_number(o, "copy", f->copy);
  set_number(o, "file", f->file);
  set_number(o, "super", f->super);
  set_number(o, "reuse", f->reuse);
  set_number(o, "refused", f->refused);
  return o;
}

/* A list of regions that is made of another: regions, and between them numbers. n:
 * here follow n of the other list; -n: n of the other list are left out. */
struct edit {
  json_t *list;
  int number; /* that is not in the list yet */
};

static void flush(struct edit *e) {
  if (e->number != 0)
    json_array_append_new(e->list, json_integer(e->number));
  e->number = 0;
}

/* One of the other list follows, or is left out: 1 or -1. */
static void count(struct edit *e, int one) {
  if ((e->number < 0) != (one < 0))
    flush(e);
  e->number += one;
}

/* Both lists are in order of address; what is left of the other one is left out. */
static json_t *regions_message(const struct space_view *s,
                               const struct space_view *had) {
  size_t old = 0, nold = had ? had->nregions : 0;
  struct edit e = {.list = json_array()};

  for (size_t i = 0; i < s->nregions; i++) {
    const struct region_view *r = &s->regions[i];

    for (; old < nold && had->regions[old].start < r->start; old++)
      count(&e, -1);
    if (old < nold && region_same(&had->regions[old], r)) {
      count(&e, 1);
      old++;
    } else {
      flush(&e);
      json_array_append_new(e.list, region_message(r));
    }
  }
  if (e.number > 0)
    flush(&e);
  return e.list;
}

json_t *json_space(const struct space_view *s, const struct space_view *had) {
  json_t *o = json_object();

  set_number(o, "pid", s->pid);
  set_text(o, "name", s->name);
  set(o, "root", address(s->root));
  set_number(o, "tables", s->tables);
  set(o, "consistent", json_boolean(s->consistent));
  set(o, "faults", faults_message(&s->faults));
  set(o, "regions", regions_message(s, had));
  return o;
}

json_t *json_spaces(const struct model *model) {
  json_t *a = json_array();

  for (size_t i = 0; i < model->nspaces; i++)
    json_array_append_new(a, json_space(&model->spaces[i], NULL));
  return a;
}

/* There may be hundreds in a message, so they have no names of members. */
static json_t *event_message(const struct event_view *e) {
  json_t *a = json_array();

  json_array_append_new(a, json_integer((json_int_t)e->ns));
  json_array_append_new(a, json_integer(e->cpu));
  json_array_append_new(a, json_integer(e->pid));
  json_array_append_new(a, json_string(e->kind));
  json_array_append_new(a, address(e->a));
  json_array_append_new(a, address(e->b));
  return a;
}

static json_t *owners_message(const struct model *model,
                              const struct layout *l) {
  json_t *o = json_object();

  for (int i = 0; i < MODEL_OWNERS; i++)
    if (layout_enumerator(l, E_OWNER, i) != NULL)
      set_number(o, layout_enumerator(l, E_OWNER, i), model->owners[i]);
  return o;
}

static json_t *counters_message(const struct model *model) {
  json_t *o = json_object();

  set_number(o, "faults", model->faults.total);
  set_number(o, "faults_zero", model->faults.zero);
  set_number(o, "faults_copy", model->faults.copy);
  set_number(o, "faults_file", model->faults.file);
  set_number(o, "faults_super", model->faults.super);
  set_number(o, "faults_reuse", model->faults.reuse);
  set_number(o, "faults_refused", model->faults.refused);
  set_number(o, "shootdowns", model->shootdowns);
  set_number(o, "forks", model->forks);
  set_number(o, "execs", model->execs);
  return o;
}

static json_t *free_message(const struct model *model) {
  json_t *a = json_array();
  int n = MODEL_ORDERS;

  while (n > 0 && model->free_blocks[n - 1] == 0)
    n--;
  for (int i = 0; i < n; i++)
    json_array_append_new(a, json_integer((json_int_t)model->free_blocks[i]));
  return a;
}

static json_t *ram_message(const struct model *model) {
  json_t *o = json_object();

  set(o, "start", address(model->start));
  set_number(o, "frames", model->nframes);
  return o;
}

static json_t *classes_message(void) {
  json_t *a = json_array();

  for (int i = 0; i < CLASS_FRAMES; i++)
    json_array_append_new(a, json_string(class_name(i)));
  return a;
}

json_t *json_events(const struct model *model, struct seen *seen) {
  json_t *events = json_array();

  if (seen != NULL && seen->boots != model->boots)
    *seen = (struct seen){.boots = model->boots};
  for (size_t i = 0; i < model->nevents; i++) {
    const struct event_view *e = &model->events[i];

    if (seen == NULL || !seen->any[e->cpu] ||
        (int32_t)(e->number - seen->next[e->cpu]) >= 0)
      json_array_append_new(events, event_message(e));
  }
  for (size_t i = 0; seen != NULL && i < model->nevents; i++) {
    const struct event_view *e = &model->events[i];

    if (!seen->any[e->cpu] || (int32_t)(e->number + 1 - seen->next[e->cpu]) > 0)
      seen->next[e->cpu] = e->number + 1;
    seen->any[e->cpu] = true;
  }
  return events;
}

json_t *json_state(const struct model *model, const struct memory *m) {
  json_t *o = json_object();

  set_text(o, "type", "state");
  set_number(o, "seq", model->seq);
  set_number(o, "boots", model->boots);
  set_number(o, "ns", model->ns);
  set(o, "panicked", json_boolean(model->panicked));
  set(o, "paused", json_false());
  set_text(o, "why", "");
  set_text(o, "unseen", memory_unseen(m));
  set(o, "ram", ram_message(model));
  set(o, "owners", owners_message(model, memory_layout(m)));
  set(o, "classes", classes_message());
  set(o, "free_blocks", free_message(model));
  set(o, "counters", counters_message(model));
  return o;
}

/* --- answers --- */

json_t *json_done(const json_t *request) {
  json_t *o = json_object(), *id = json_object_get(request, "id");

  if (id != NULL)
    json_object_set(o, "id", id);
  return o;
}

json_t *json_error(const json_t *request, const char *error) {
  json_t *o = json_done(request);

  set_text(o, "error", error);
  return o;
}

/* An address in a request: "0x...". */
static bool get_address(const json_t *request, const char *key, uint64_t *a) {
  const char *text = json_string_value(json_object_get(request, key));
  char *end;

  if (text == NULL || *text < '0' || *text > '9')
    return false;
  errno = 0;
  *a = strtoull(text, &end, 0);
  return *end == 0 && errno == 0;
}

static const struct space_view *get_space(const struct model *model,
                                          const json_t *request) {
  json_t *pid = json_object_get(request, "pid");

  return json_is_integer(pid) && json_integer_value(pid) >= 0 &&
                 json_integer_value(pid) <= INT_MAX
             ? model_space(model, (int)json_integer_value(pid))
             : NULL;
}

/* "vrwxu-ad": a letter or a '-' for each flag, from bit 0 up. */
static json_t *flags_text(const struct machine *machine, uint64_t value) {
  char text[FLAGS_MAX + 1] = "";

  for (int i = 0; machine->letters[i] && i < FLAGS_MAX; i++)
    text[i] = value >> i & 1 ? machine->letters[i] : '-';
  return json_string(text);
}

static const char *kind_name(const struct pte *p) {
  return p->kind == PTE_TABLE ? "table" : p->kind == PTE_LEAF ? "leaf" : "none";
}

/* What a walk came to. Where a process's table leads to memory of the kernel, which
 * is in no region of its own, the kernel's say it. */
static json_t *what_is_there(const struct model *model,
                             const struct space_view *s, uint64_t va,
                             const struct walk *w) {
  const struct region_view *r = space_region(s, va);

  if (r == NULL && w->mapped &&
      !(w->step[w->steps - 1].pte.rights & MAY_USER) && model->nspaces > 0)
    r = space_region(&model->spaces[0], va);
  return json_string(r ? r->what : "");
}

static json_t *step_message(struct geometry g, const struct walk_step *s) {
  json_t *o = json_object();

  set_number(o, "level", s->level);
  set_number(o, "index", s->index);
  set(o, "entry_pa", address(s->entry_pa));
  set(o, "value", address(s->value));
  set(o, "flags", flags_text(g.machine, s->value));
  set_text(o, "kind", kind_name(&s->pte));
  set(o, "next", s->pte.kind == PTE_NONE ? json_null() : address(s->pte.pa));
  return o;
}

static json_t *answer_walk(const struct model *model, struct memory *m,
                           const json_t *request) {
  const struct space_view *s = get_space(model, request);
  struct geometry g = memory_geometry(m);
  json_t *o, *steps;
  struct walk w;
  uint64_t va;

  if (s == NULL)
    return json_error(request, "no such process");
  if (!get_address(request, "va", &va))
    return json_error(request, "not an address");
  walk_address(memory_source(m), g, s->root, va, &w);
  o = json_done(request);
  steps = json_array();
  for (int i = 0; i < w.steps; i++)
    json_array_append_new(steps, step_message(g, &w.step[i]));
  set(o, "va", address(va));
  set(o, "root", address(s->root));
  set(o, "steps", steps);
  set(o, "result", w.mapped ? address(w.pa) : json_null());
  set_text(o, "reason", w.reason);
  set(o, "what", what_is_there(model, s, va, &w));
  return o;
}

/* Where in the tree a table is. */
struct search {
  struct source *source;
  struct geometry g;
  uint64_t wanted; /* its physical address */
  uint64_t left; /* tables that may still be read: a damaged tree has no end */
  int level;     /* what was found: its level, */
  uint64_t base; /* and the first address that it translates */
};

/* Look for it at and below `table`. */
static bool find_table(struct search *s, uint64_t table, int level,
                       uint64_t va) {
  uint64_t values[1024];

  if (table == s->wanted) {
    s->level = level;
    s->base = va;
    return true;
  }
  if (level == 0 || s->left == 0 ||
      walk_table(s->source, s->g, table, values) < 0)
    return false;
  s->left--;
  for (unsigned i = 0; i < walk_entries(s->g); i++) {
    struct pte p = s->g.machine->decode(values[i], level);

    if (p.kind == PTE_TABLE &&
        find_table(s, p.pa, level - 1,
                   walk_canonical(s->g, va + i * walk_span(s->g, level))))
      return true;
  }
  return false;
}

static json_t *entry_message(struct geometry g, unsigned index, uint64_t value,
                             int level) {
  struct pte p = g.machine->decode(value, level);
  json_t *a = json_array();

  json_array_append_new(a, json_integer(index));
  json_array_append_new(a, address(value));
  json_array_append_new(a, flags_text(g.machine, value));
  json_array_append_new(a, json_string(kind_name(&p)));
  json_array_append_new(a, p.kind == PTE_NONE ? json_null() : address(p.pa));
  return a;
}

/* Entries that are 0 are left out. */
static json_t *answer_table(const struct model *model, struct memory *m,
                            const json_t *request) {
  const struct space_view *s = get_space(model, request);
  struct geometry g = memory_geometry(m);
  struct search found = {.source = memory_source(m),
                         .g = g,
                         .left = source_pages(memory_source(m))};
  uint64_t values[1024];
  int children = 0;
  json_t *o, *entries;

  if (s == NULL)
    return json_error(request, "no such process");
  if (json_object_get(request, "pa") == NULL)
    found.wanted = s->root;
  else if (!get_address(request, "pa", &found.wanted))
    return json_error(request, "not an address");
  if (!find_table(&found, s->root, g.levels - 1, 0) ||
      walk_table(found.source, g, found.wanted, values) < 0)
    return json_error(request, "no such table in this address space");
  entries = json_array();
  for (unsigned i = 0; i < walk_entries(g); i++) {
    if (values[i] != 0)
      json_array_append_new(entries,
                            entry_message(g, i, values[i], found.level));
    children += g.machine->decode(values[i], found.level).kind == PTE_TABLE;
  }
  o = json_done(request);
  set_number(o, "level", found.level);
  set(o, "pa", address(found.wanted));
  set(o, "base", address(found.base));
  set(o, "entries", entries);
  set_number(o, "children", children);
  return o;
}

static void add_map(void *arg, const struct space_view *s,
                    const struct region_view *r, uint64_t va) {
  json_t *o = json_object();

  set_number(o, "pid", s->pid);
  set_text(o, "name", s->name);
  set(o, "va", address(va));
  set_text(o, "what", r->what);
  json_array_append_new(arg, o);
}

static json_t *answer_frame(const struct model *model, struct memory *m,
                            const json_t *request) {
  const char *owner;
  const struct frame_view *f;
  json_t *o, *maps;
  uint64_t pa;

  if (!get_address(request, "pa", &pa))
    return json_error(request, "not an address");
  if (pa < model->start || (pa - model->start) / PAGE_BYTES >= model->nframes)
    return json_error(request, "no memory of this machine is there");
  f = &model->frames[(pa - model->start) / PAGE_BYTES];
  owner = layout_enumerator(memory_layout(m), E_OWNER, f->owner);
  maps = json_array();
  model_maps(model, pa, add_map, maps);
  o = json_done(request);
  set(o, "pa", address(pa));
  set_text(o, "owner", owner ? owner : "unknown");
  set_text(o, "class", class_name(f->kind));
  set_number(o, "count", f->count);
  set_number(o, "order", f->order);
  set(o, "maps", maps);
  return o;
}

json_t *json_answer(const struct model *model, struct memory *m,
                    const json_t *request) {
  static const struct {
    const char *op;
    json_t *(*answer)(const struct model *model, struct memory *m,
                      const json_t *request);
  } ops[] = {
      {"walk", answer_walk}, {"table", answer_table}, {"frame", answer_frame}};
  const char *op = json_string_value(json_object_get(request, "op"));

  for (size_t i = 0; op != NULL && i < NELEM(ops); i++)
    if (strcmp(ops[i].op, op) == 0)
      return ops[i].answer(model, m, request);
  return NULL;
}

/* --- frames --- */

#define FRAMES_HEADER 12
#define FRAMES_RUN 8

static unsigned char *put(unsigned char *p, uint64_t x, int bytes) {
  for (int i = 0; i < bytes; i++)
    *p++ = x >> 8 * i;
  return p;
}

static bool same(const struct frame_view *a, const struct frame_view *b) {
  return a->kind == b->kind && a->order == b->order && a->maps == b->maps;
}

unsigned char *json_frames(const struct model *model, size_t *n) {
  unsigned char *bytes, *p;
  uint64_t runs = 0;

  for (uint64_t i = 0; i < model->nframes; i++)
    runs += i == 0 || !same(&model->frames[i], &model->frames[i - 1]);
  *n = FRAMES_HEADER + runs * FRAMES_RUN;
  bytes = must_alloc(1, *n);
  memcpy(bytes, "FRAM", 4);
  p = put(put(bytes + 4, model->seq, 4), model->nframes, 4);
  for (uint64_t i = 0, k; i < model->nframes; i = k) {
    const struct frame_view *f = &model->frames[i];

    for (k = i + 1; k < model->nframes && same(f, &model->frames[k]);)
      k++;
    p = put(put(put(put(p, k - i, 4), f->kind, 1), f->order, 1), f->maps, 2);
  }
  return bytes;
}
