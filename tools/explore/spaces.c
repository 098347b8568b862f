/*
 * Address spaces: the kernel's from its page table, those of processes from the
 * kernel's lists of regions and their page tables.
 *
 *    pids[] -> struct proc -> struct space -> regions   what may be there
 *                                          -> pagetable what is
 *
 * First all spaces are collected as they are (struct raw_space), each as often as
 * it takes to find it unchanged behind; then it is known how many map a frame, and
 * regions are cut into runs of pages that are alike.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_parts.h"
#include "util.h"

#define ATTEMPTS 3
#define PROCS_MAX 8192
#define REGIONS_READ_MAX 65536
#define THREADS_MAX 4096    /* of a process */
#define RUNS_MAX (2U << 20) /* leaves of a space that are believed */

/* enum region flags: vm/space.h. */
#define REGION_SHARED 1

struct raw_region {
  uint64_t start, end, rights, flags, name, object;
};

struct raw_space {
  int pid;
  char name[20];
  uint64_t proc, space; /* addresses in the kernel */
  uint64_t root;        /* physical */
  bool listed;          /* the kernel keeps regions */
  struct raw_region *regions;
  size_t nregions;
  struct walk_run *runs;
  size_t nruns;
  uint64_t tables;
  bool consistent;
};

/* A kernel stack in use. */
struct stack {
  uint64_t start; /* its lowest address */
  int pid;
  const char *name; /* of the process whose thread has it */
};

struct reader {
  struct model *model;
  struct memory *m;
  struct raw_space *spaces;
  size_t nspaces;
  struct raw_space *now; /* being read */
  struct stack *stacks;  /* of the threads of all spaces */
  size_t nstacks;
};

static const struct layout *layout_of(struct reader *r) {
  return memory_layout(r->m);
}

/* --- processes --- */

static void add_process(struct reader *r, uint64_t proc) {
  struct raw_space s = {.proc = proc};
  uint64_t pid;

  if (memory_member(r->m, proc, M_PROC_PID, &pid) < 0)
    return;
  s.pid = (int)pid;
  memory_string(
      r->m, proc + layout_at(layout_of(r), M_PROC_NAME), s.name,
      MIN(sizeof(s.name), layout_size(layout_of(r), M_PROC_NAME) + 1));
  GROW(r->spaces, r->nspaces);
  r->spaces[r->nspaces++] = s;
}

static int visit_process(void *arg, uint64_t link) {
  struct reader *r = arg;

  if (r->nspaces >= PROCS_MAX)
    return -1;
  add_process(r, link - layout_at(layout_of(r), M_PROC_PIDLINK));
  return 0;
}

/* All buckets of the hash; -1 if one changed underneath. */
static int find_hashed(struct reader *r) {
  const struct layout *l = layout_of(r);
  uint64_t step = layout_size(l, T_LIST);
  uint64_t n = step ? MIN(layout_size(l, V_PIDS) / step, PROCS_MAX) : 0;

  for (uint64_t i = 0; i < n; i++)
    if (memory_list(r->m, layout_at(l, V_PIDS) + i * step, PROCS_MAX,
                    visit_process, r) < 0)
      return -1;
  return 0;
}

static void find_in_array(struct reader *r) {
  const struct layout *l = layout_of(r);
  uint64_t step = layout_size(l, T_PROC), table;
  uint64_t n = step ? MIN(layout_size(l, V_PROC) / step, PROCS_MAX) : 0;

  for (uint64_t i = 0; i < n; i++) {
    uint64_t proc = layout_at(l, V_PROC) + i * step;

    if (memory_member(r->m, proc, M_PROC_PAGETABLE, &table) == 0 && table != 0)
      add_process(r, proc);
  }
}

static int by_pid(const void *a, const void *b) {
  const struct raw_space *x = a, *y = b;

  return (x->pid > y->pid) - (x->pid < y->pid);
}

/* The processes that there are; some may be missing if the table never stands
 * still. */
static void find_processes(struct reader *r) {
  if (layout_has(layout_of(r), V_PIDS) &&
      layout_has(layout_of(r), M_PROC_PIDLINK)) {
    for (int i = 0; i < ATTEMPTS; i++) {
      r->nspaces = 0;
      if (find_hashed(r) == 0)
        break;
    }
  } else if (layout_has(layout_of(r), M_PROC_PAGETABLE)) {
    find_in_array(r);
  }
  if (r->nspaces > 0)
    qsort(r->spaces, r->nspaces, sizeof(*r->spaces), by_pid);
}

/* --- one space, as it is --- */

static int visit_region(void *arg, uint64_t link) {
  struct reader *r = arg;
  struct raw_space *s = r->now;
  uint64_t at = link - layout_at(layout_of(r), M_REGION_LINK);
  struct raw_region g = {0};

  if (memory_member(r->m, at, M_REGION_START, &g.start) < 0 ||
      memory_member(r->m, at, M_REGION_END, &g.end) < 0 ||
      memory_member(r->m, at, M_REGION_RIGHTS, &g.rights) < 0)
    return -1;
  memory_member(r->m, at, M_REGION_FLAGS, &g.flags);
  memory_member(r->m, at, M_REGION_NAME, &g.name);
  memory_member(r->m, at, M_REGION_OBJECT, &g.object);
  if (g.start >= g.end || (g.start | g.end) % PAGE_BYTES != 0 ||
      (s->nregions > 0 && s->regions[s->nregions - 1].end > g.start))
    return -1;
  GROW(s->regions, s->nregions);
  s->regions[s->nregions++] = g;
  return 0;
}

/* Where its table and regions are. -1: the process has no memory any more, or
 * not yet. */
static int find_root(struct reader *r, struct raw_space *s) {
  const struct layout *l = layout_of(r);
  uint64_t table;

  if (layout_has(l, M_PROC_SPACE)) {
    if (memory_member(r->m, s->proc, M_PROC_SPACE, &s->space) < 0 ||
        s->space == 0 ||
        memory_member(r->m, s->space, M_SPACE_PAGETABLE, &table) < 0)
      return -1;
  } else if (memory_member(r->m, s->proc, M_PROC_PAGETABLE, &table) < 0) {
    return -1;
  }
  s->root = table - layout_offset(l);
  return table != 0 && s->root % PAGE_BYTES == 0 ? 0 : -1;
}

static int read_regions(struct reader *r, struct raw_space *s) {
  const struct layout *l = layout_of(r);
  uint64_t n;

  s->nregions = 0;
  r->now = s;
  s->listed = s->space != 0 && layout_has(l, M_SPACE_REGIONS) &&
              layout_has(l, M_REGION_LINK);
  if (!s->listed)
    return 0;
  if (memory_list(r->m, s->space + layout_at(l, M_SPACE_REGIONS),
                  REGIONS_READ_MAX, visit_region, r) < 0)
    return -1;
  return memory_member(r->m, s->space, M_SPACE_NREGIONS, &n) == 0 &&
                 n != s->nregions
             ? -1
             : 0;
}

static void visit_run(void *arg, const struct walk_run *run) {
  struct raw_space *s = ((struct reader *)arg)->now;

  if (s->nruns == RUNS_MAX) {
    s->consistent = false;
    return;
  }
  GROW(s->runs, s->nruns);
  s->runs[s->nruns++] = *run;
}

static void visit_table(void *arg, uint64_t pa, int level) {
  struct reader *r = arg;
  struct frame_view *f = frames_at(r->model, pa);

  (void)level;
  r->now->tables++;
  if (f == NULL)
    r->now->consistent = false;
  else
    frames_table(r->model, pa);
}

static void read_tables(struct reader *r, struct raw_space *s,
                        uint64_t shared) {
  const struct walk_visitor v = {r, visit_run, visit_table};

  s->nruns = 0;
  s->tables = 0;
  r->now = s;
  if (walk_tree(memory_source(r->m), memory_geometry(r->m), s->root, shared,
                &v) < 0)
    s->consistent = false;
}

/* Is it still the space that was read? */
static bool unchanged(struct reader *r, const struct raw_space *s) {
  struct raw_space again = {.proc = s->proc};
  uint64_t pid;
  bool same;

  if (memory_member(r->m, s->proc, M_PROC_PID, &pid) < 0 ||
      (int)pid != s->pid || find_root(r, &again) < 0 ||
      read_regions(r, &again) < 0 || again.root != s->root ||
      again.nregions != s->nregions) {
    free(again.regions);
    return false;
  }
  same = s->nregions == 0 || memcmp(again.regions, s->regions,
                                    s->nregions * sizeof(*s->regions)) == 0;
  free(again.regions);
  return same;
}

/* Read it; false if there is nothing to be read: it ends or begins. */
static bool read_space(struct reader *r, struct raw_space *s) {
  for (int i = 0; i < ATTEMPTS; i++) {
    if (find_root(r, s) < 0)
      return false;
    s->consistent = true;
    if (read_regions(r, s) < 0)
      s->consistent = false;
    read_tables(r, s, memory_kernel_root(r->m));
    if (s->consistent && unchanged(r, s))
      return true;
  }
  s->consistent = false;
  return true;
}

/* --- cutting regions into runs --- */

/* A region under construction. */
static struct region_view *add_region(struct space_view *v, uint64_t start,
                                      uint64_t end, const char *what,
                                      unsigned rights) {
  struct region_view *g;

  GROW(v->regions, v->nregions);
  g = &v->regions[v->nregions++];
  *g = (struct region_view){.start = start, .end = end, .rights = rights};
  snprintf(g->what, sizeof(g->what), "%s", what);
  return g;
}

/* Add pages behind the last ones; they become one with those if they go on in
 * the same way. */
static void add_pages(struct region_view *g, const struct page_run *p) {
  struct page_run *last = g->nruns ? &g->runs[g->nruns - 1] : NULL;

  if (last != NULL && last->kind == p->kind && last->flags == p->flags &&
      last->first + last->pages == p->first &&
      (p->kind == CLASS_ABSENT ||
       last->pa + last->pages * PAGE_BYTES == p->pa)) {
    last->pages += p->pages;
    return;
  }
  GROW(g->runs, g->nruns);
  g->runs[g->nruns++] = *p;
}

static void add_absent(struct region_view *g, uint64_t start, uint64_t end,
                       unsigned flags) {
  if (start < end)
    add_pages(g, &(struct page_run){.first = (start - g->start) / PAGE_BYTES,
                                    .pages = (end - start) / PAGE_BYTES,
                                    .kind = CLASS_ABSENT,
                                    .flags = flags});
}

static unsigned flags_of(const struct walk_run *r) {
  return (r->level > 0 ? RUN_SUPER : 0) | (r->pte.dirty ? RUN_DIRTY : 0) |
         (r->pte.accessed ? RUN_ACCESSED : 0) |
         (r->pte.rights & MAY_WRITE ? RUN_WRITABLE : 0);
}

/* What a page of a process is, by the frame that is there and its region. */
static enum page_class class_of(const struct model *model,
                                const struct region_view *g, uint64_t pa) {
  const struct frame_view *f = frames_at(model, pa);

  if (f == NULL)
    return CLASS_RESERVED;
  switch (f->kind) {
    case CLASS_CACHE:
      return g->rights & MAY_EXEC ? CLASS_TEXT : CLASS_CACHE;
    case CLASS_PRIVATE:
    case CLASS_COW:
    case CLASS_SHARED:
      if (g->shared)
        return CLASS_SHARED;
      return frame_common(f) ? frame_common_kind(f) : CLASS_PRIVATE;
    default:
      return f->kind;
  }
}

/* The part of a run of leaves that lies in [start, end) of the region. */
static void add_present(const struct model *model, struct region_view *g,
                        const struct walk_run *r, uint64_t start, uint64_t end,
                        unsigned flags) {
  for (uint64_t va = start; va < end; va += PAGE_BYTES) {
    uint64_t pa = r->pa + (va - r->va);

    add_pages(g, &(struct page_run){.first = (va - g->start) / PAGE_BYTES,
                                    .pages = 1,
                                    .pa = pa,
                                    .kind = class_of(model, g, pa),
                                    .flags = flags_of(r) | flags});
  }
}

/* --- spaces of processes --- */

/* What lies in no region: the machine's part, or all, where the kernel keeps no
 * regions. */
static void add_unlisted(struct reader *r, struct space_view *v,
                         const struct walk_run *run) {
  const struct layout *l = layout_of(r);
  uint64_t trampoline =
      (layout_at(l, V_TRAMPOLINE) - layout_offset(l)) & ~(PAGE_BYTES - 1ULL);
  uint64_t half =
      walk_span(memory_geometry(r->m), memory_geometry(r->m).levels) / 4;
  const char *what = run->pte.rights & MAY_EXEC ? "text" : "data";
  unsigned flags = 0;
  struct region_view *g;

  if (layout_has(l, V_TRAMPOLINE) && run->pa == trampoline) {
    what = "trampoline";
    flags = RUN_TRAMPOLINE;
  } else if (!(run->pte.rights & MAY_USER)) {
    what = run->va >= half ? "trapframe" : "guard";
    flags = run->va >= half ? RUN_TRAPFRAME : RUN_GUARD;
  }
  g = v->nregions ? &v->regions[v->nregions - 1] : NULL;
  if (g == NULL || g->end != run->va || g->rights != run->pte.rights ||
      strcmp(g->what, what) != 0)
    g = add_region(v, run->va, run->va, what, run->pte.rights);
  g->end = run->va + run->bytes;
  add_present(r->model, g, run, run->va, g->end, flags);
}

/* Runs up to `end` that lie in no region. Returns the first that goes beyond. */
static size_t add_between(struct reader *r, struct space_view *v,
                          const struct raw_space *s, size_t i, uint64_t end) {
  for (; i < s->nruns && s->runs[i].va < end; i++)
    if (s->runs[i].va + s->runs[i].bytes <= end)
      add_unlisted(r, v, &s->runs[i]);
    else
      break;
  return i;
}

/* The file that an object of the kernel's is of: what struct region_view has. */
static int64_t file_of(struct reader *r, uint64_t object) {
  const struct layout *l = layout_of(r);
  uint64_t ops, number;

  if (object == 0 || !layout_has(l, V_FILE_OPS) ||
      memory_member(r->m, object, M_OBJECT_OPS, &ops) < 0 ||
      ops != layout_at(l, V_FILE_OPS))
    return 0;
  if (!layout_has(l, M_INODE_OBJECT) ||
      memory_member(r->m, object - layout_at(l, M_INODE_OBJECT), M_INODE_NUMBER,
                    &number) < 0)
    return -1;
  return (uint32_t)number;
}

static void describe(struct reader *r, struct region_view *g,
                     const struct raw_region *raw) {
  if (raw->name == 0 ||
      memory_string(r->m, raw->name, g->what, sizeof(g->what)) < 0)
    snprintf(g->what, sizeof(g->what), "%s", raw->object ? "mapping" : "data");
  g->shared = raw->flags & REGION_SHARED;
  g->file = file_of(r, raw->object);
}

/* A region of the kernel's list; runs from number i on may lie in it. Returns
 * the first that goes beyond. */
static size_t add_listed(struct reader *r, struct space_view *v,
                         const struct raw_space *s, size_t i,
                         const struct raw_region *raw) {
  unsigned rights = raw->rights & (MAY_READ | MAY_WRITE | MAY_EXEC);
  unsigned guard = rights == 0 ? RUN_GUARD : 0;
  struct region_view *g =
      add_region(v, raw->start, raw->end, "", rights ? rights | MAY_USER : 0);
  uint64_t at = raw->start;

  describe(r, g, raw);
  for (; i < s->nruns && s->runs[i].va < raw->end; i++) {
    uint64_t end = s->runs[i].va + s->runs[i].bytes;
    uint64_t from = s->runs[i].va > at ? s->runs[i].va : at;

    if (end <= at)
      continue;
    add_absent(g, at, from, guard);
    at = MIN(end, raw->end);
    add_present(r->model, g, &s->runs[i], from, at, guard);
    if (end > raw->end)
      break;
  }
  add_absent(g, at, raw->end, guard);
  return i;
}

static void read_faults(struct reader *r, uint64_t va, struct fault_view *f) {
  memory_member(r->m, va, M_FAULTS_TOTAL, &f->total);
  memory_member(r->m, va, M_FAULTS_ZERO, &f->zero);
  memory_member(r->m, va, M_FAULTS_COPY, &f->copy);
  memory_member(r->m, va, M_FAULTS_FILE, &f->file);
  memory_member(r->m, va, M_FAULTS_SUPER, &f->super);
  memory_member(r->m, va, M_FAULTS_REUSE, &f->reuse);
  memory_member(r->m, va, M_FAULTS_REFUSED, &f->refused);
}

static struct space_view *add_space(struct model *model,
                                    const struct raw_space *s) {
  struct space_view *v;

  GROW(model->spaces, model->nspaces);
  v = &model->spaces[model->nspaces++];
  *v = (struct space_view){.pid = s->pid,
                           .root = s->root,
                           .tables = s->tables,
                           .consistent = s->consistent};
  memcpy(v->name, s->name, sizeof(v->name));
  return v;
}

static void show_space(struct reader *r, const struct raw_space *s) {
  struct space_view *v = add_space(r->model, s);
  size_t run = 0;

  for (size_t i = 0; i < s->nregions; i++) {
    run = add_between(r, v, s, run, s->regions[i].start);
    run = add_listed(r, v, s, run, &s->regions[i]);
  }
  add_between(r, v, s, run, UINT64_MAX);
  if (s->space != 0 && layout_has(layout_of(r), M_SPACE_FAULTS))
    read_faults(r, s->space + layout_at(layout_of(r), M_SPACE_FAULTS),
                &v->faults);
}

/* Is a page in a region that processes share? */
static bool in_shared(const struct raw_space *s, uint64_t va) {
  size_t low = 0, high = s->nregions;

  while (low < high) {
    size_t middle = (low + high) / 2;

    if (s->regions[middle].end <= va)
      low = middle + 1;
    else
      high = middle;
  }
  return low < s->nregions && va >= s->regions[low].start &&
         (s->regions[low].flags & REGION_SHARED);
}

/* Note who maps what. The machine's own pages are no process's. */
static void map_space(struct model *model, const struct raw_space *s) {
  for (size_t i = 0; i < s->nruns; i++)
    if (s->runs[i].pte.rights & MAY_USER)
      for (uint64_t at = 0; at < s->runs[i].bytes; at += PAGE_BYTES)
        frames_map(model, s->runs[i].pa + at, PAGE_BYTES,
                   in_shared(s, s->runs[i].va + at));
}

/* --- kernel stacks --- */

static int visit_thread(void *arg, uint64_t link) {
  struct reader *r = arg;
  struct stack s = {.pid = r->now->pid, .name = r->now->name};
  uint64_t thread = link - layout_at(layout_of(r), M_THREAD_PROCLINK);

  if (memory_member(r->m, thread, M_THREAD_KSTACK, &s.start) < 0)
    return -1;
  GROW(r->stacks, r->nstacks);
  r->stacks[r->nstacks++] = s;
  return 0;
}

static int by_start(const void *a, const void *b) {
  const struct stack *x = a, *y = b;

  return (x->start > y->start) - (x->start < y->start);
}

/* Whose they are. What changes underneath is left out. */
static void find_stacks(struct reader *r) {
  const struct layout *l = layout_of(r);

  if (!layout_has(l, M_PROC_THREADS) || !layout_has(l, M_THREAD_PROCLINK) ||
      !layout_has(l, M_THREAD_KSTACK))
    return;
  for (size_t i = 0; i < r->nspaces; i++) {
    size_t before = r->nstacks;

    r->now = &r->spaces[i];
    if (memory_list(r->m, r->now->proc + layout_at(l, M_PROC_THREADS),
                    THREADS_MAX, visit_thread, r) < 0)
      r->nstacks = before;
  }
  if (r->nstacks > 0)
    qsort(r->stacks, r->nstacks, sizeof(*r->stacks), by_start);
}

/* Note whose stack it is that begins at `start`, if it is a process's. */
static void name_stack(const struct reader *r, struct region_view *g,
                       uint64_t start) {
  const struct stack wanted = {.start = start}, *s = NULL;

  if (r->nstacks > 0)
    s = bsearch(&wanted, r->stacks, r->nstacks, sizeof(wanted), by_start);
  if (s != NULL)
    snprintf(g->of, sizeof(g->of), "%.19s [%d]", s->name, s->pid);
}

/* --- the kernel's space --- */

/* What is in the kernel's space at va, which leads to pa. */
static const char *kernel_what(struct reader *r, uint64_t va, uint64_t pa,
                               struct page_run *p) {
  const struct layout *l = layout_of(r);
  const struct frame_view *f = frames_at(r->model, pa);

  if (f == NULL) {
    p->kind = CLASS_RESERVED;
    p->flags |= RUN_DEVICE;
    return "devices";
  }
  p->kind = f->kind;
  if (va - layout_offset(l) != pa) {
    if (f->kind == CLASS_STACK || !layout_has(l, V_TRAMPOLINE))
      return "stack";
    if (pa == ((layout_at(l, V_TRAMPOLINE) - layout_offset(l)) &
               ~(PAGE_BYTES - 1ULL))) {
      p->flags |= RUN_TRAMPOLINE;
      return "trampoline";
    }
    return "stack"; /* a kernel that does not say what frames are for */
  }
  if (layout_has(l, V_ETEXT) && va < layout_at(l, V_ETEXT))
    return f->kind == CLASS_RESERVED ? "low memory" : "text";
  if (layout_has(l, V_END) && va < layout_at(l, V_END))
    return "data";
  p->kind = CLASS_KERNEL;
  return "RAM";
}

/* Where a part of the kernel's space that begins at va ends: at the end of the
 * run, of its text or of its data. */
static uint64_t kernel_part(const struct layout *l, uint64_t va, uint64_t end) {
  const enum layout_item marks[] = {V_ETEXT, V_END};

  for (size_t i = 0; i < NELEM(marks); i++) {
    uint64_t mark =
        (layout_at(l, marks[i]) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1ULL);

    if (layout_has(l, marks[i]) && va < mark && mark < end)
      return mark;
  }
  return end;
}

static struct region_view *start_kernel_region(struct reader *r,
                                               struct space_view *v,
                                               const struct walk_run *run,
                                               uint64_t start,
                                               const char *what) {
  struct region_view *g = add_region(v, start, start, what, run->pte.rights);

  if (strcmp(what, "stack") == 0)
    name_stack(r, g, start);
  return g;
}

static void add_kernel_part(struct reader *r, struct space_view *v,
                            const struct walk_run *run, uint64_t start,
                            uint64_t end) {
  struct page_run p = {.pa = run->pa + (start - run->va),
                       .pages = (end - start) / PAGE_BYTES,
                       .flags = flags_of(run)};
  const char *what = kernel_what(r, start, p.pa, &p);
  struct region_view *g = v->nregions ? &v->regions[v->nregions - 1] : NULL;

  if (strcmp(what, "stack") == 0 && (g == NULL || g->end < start)) {
    g = add_region(v, start - PAGE_BYTES, start, "guard", 0);
    add_absent(g, g->start, g->end, RUN_GUARD);
    name_stack(r, g, start);
  }
  if (g == NULL || g->end != start || strcmp(g->what, what) != 0 ||
      g->rights != run->pte.rights)
    g = start_kernel_region(r, v, run, start, what);
  p.first = (start - g->start) / PAGE_BYTES;
  g->end = end;
  add_pages(g, &p);
}

static void show_kernel(struct reader *r, const struct raw_space *s) {
  struct space_view *v = add_space(r->model, s);

  for (size_t i = 0; i < s->nruns; i++) {
    const struct walk_run *run = &s->runs[i];
    uint64_t end = run->va + run->bytes;

    for (uint64_t at = run->va, to; at < end; at = to) {
      to = kernel_part(layout_of(r), at, end);
      add_kernel_part(r, v, run, at, to);
    }
  }
}

static void raw_free(struct raw_space *s) {
  free(s->regions);
  free(s->runs);
}

void spaces_read(struct model *model, struct memory *m) {
  struct reader r = {.model = model, .m = m};
  struct raw_space kernel = {.pid = SPACE_KERNEL,
                             .name = "kernel",
                             .root = memory_kernel_root(m),
                             .consistent = true};
  size_t n = 0;

  read_tables(&r, &kernel, 0);
  find_processes(&r);
  for (size_t i = 0; i < r.nspaces; i++) {
    if (read_space(&r, &r.spaces[i])) {
      map_space(model, &r.spaces[i]);
      r.spaces[n++] = r.spaces[i];
    } else {
      raw_free(&r.spaces[i]);
    }
  }
  r.nspaces = n;
  find_stacks(&r);
  show_kernel(&r, &kernel);
  for (size_t i = 0; i < n; i++) {
    show_space(&r, &r.spaces[i]);
    raw_free(&r.spaces[i]);
  }
  raw_free(&kernel);
  free(r.stacks);
  free(r.spaces);
}
