/* Walking page tables. See walk.h. */
#include "walk.h"

#include <string.h>

#include "util.h"

#define ENTRIES_MAX 1024

static uint64_t entry_value(struct geometry g, const unsigned char *p) {
  uint32_t narrow;
  uint64_t wide;

  if (g.machine->pte_bytes == sizeof(narrow)) {
    memcpy(&narrow, p, sizeof(narrow));
    return narrow;
  }
  memcpy(&wide, p, sizeof(wide));
  return wide;
}

int walk_table(struct source *s, struct geometry g, uint64_t table,
               uint64_t *values) {
  unsigned char page[PAGE_BYTES];
  int r = source_read(s, table, page, sizeof(page));

  for (unsigned i = 0; i < walk_entries(g); i++)
    values[i] = entry_value(g, page + i * g.machine->pte_bytes);
  return r;
}

/* Why user mode cannot read through this entry, at which the way ends. */
static const char *reason_of(const struct pte *p) {
  if (p->kind != PTE_LEAF)
    return "the entry is not valid";
  if (!(p->rights & MAY_USER))
    return "the page is for the kernel only";
  return p->rights & MAY_READ ? "" : "the page may not be read";
}

/* One step down; false at the end of the way. */
static bool step(struct source *s, struct geometry g, uint64_t *table,
                 uint64_t va, int level, struct walk *w) {
  unsigned char entry[sizeof(uint64_t)];
  struct walk_step *at = &w->step[w->steps];

  at->level = level;
  at->index = walk_index(g, level, va);
  at->entry_pa = *table + (uint64_t)at->index * g.machine->pte_bytes;
  if (source_read(s, at->entry_pa, entry, g.machine->pte_bytes) < 0) {
    w->reason = "the table is not in RAM";
    return false;
  }
  at->value = entry_value(g, entry);
  at->pte = g.machine->decode(at->value, level);
  w->steps++;
  w->reason = reason_of(&at->pte);
  w->mapped = at->pte.kind == PTE_LEAF;
  if (w->mapped)
    w->pa = at->pte.pa + (va & (walk_span(g, level) - 1));
  *table = at->pte.pa;
  return at->pte.kind == PTE_TABLE;
}

void walk_address(struct source *s, struct geometry g, uint64_t root,
                  uint64_t va, struct walk *w) {
  uint64_t table = root;
  int level = g.levels - 1;

  *w = (struct walk){.reason = "no table translates such an address"};
  if (walk_canonical(g, va) != va)
    return;
  while (level >= 0 && step(s, g, &table, va, level, w))
    level--;
}

/* --- a whole tree --- */

struct tour {
  struct source *source;
  struct geometry g;
  const struct walk_visitor *v;
  struct walk_run run; /* being collected; bytes 0: none */
  uint64_t tables;     /* met so far */
};

static bool alike(const struct pte *a, const struct pte *b) {
  return a->rights == b->rights && a->accessed == b->accessed &&
         a->dirty == b->dirty;
}

static void flush(struct tour *t) {
  if (t->run.bytes != 0 && t->v->run != NULL)
    t->v->run(t->v->arg, &t->run);
  t->run.bytes = 0;
}

static void leaf(struct tour *t, uint64_t va, int level, struct pte p) {
  uint64_t span = walk_span(t->g, level);
  struct walk_run *r = &t->run;

  if (r->bytes != 0 && r->va + r->bytes == va && r->pa + r->bytes == p.pa &&
      r->level == level && alike(&r->pte, &p)) {
    r->bytes += span;
    return;
  }
  flush(t);
  *r = (struct walk_run){va, p.pa, span, level, p};
}

static int tour_table(struct tour *t, uint64_t pa, uint64_t va, int level,
                      const uint64_t *shared) {
  uint64_t values[ENTRIES_MAX];
  int result = 0;

  if (walk_table(t->source, t->g, pa, values) < 0 ||
      ++t->tables > source_pages(t->source))
    return -1;
  if (t->v->table != NULL)
    t->v->table(t->v->arg, pa, level);
  for (unsigned i = 0; i < walk_entries(t->g); i++) {
    struct pte p = t->g.machine->decode(values[i], level);
    uint64_t at = walk_canonical(t->g, va + i * walk_span(t->g, level));

    if (p.kind == PTE_NONE || (shared != NULL && values[i] == shared[i]))
      continue;
    if (p.kind == PTE_LEAF)
      leaf(t, at, level, p);
    else if (tour_table(t, p.pa, at, level - 1, NULL) < 0)
      result = -1;
  }
  return result;
}

int walk_tree(struct source *s, struct geometry g, uint64_t root,
              uint64_t shared, const struct walk_visitor *v) {
  struct tour t = {.source = s, .g = g, .v = v};
  uint64_t values[ENTRIES_MAX];
  int r;

  if (shared != 0 && walk_table(s, g, shared, values) < 0)
    return -1;
  r = tour_table(&t, root, 0, g.levels - 1, shared ? values : NULL);
  flush(&t);
  return r;
}
