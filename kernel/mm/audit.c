/*
 * The self-check of memory.
 *
 *   stop the other CPUs
 *     each free list       -> the frame is free, and on one list only
 *     each page table      -> its pages: one reference each
 *     each leaf of a user  -> one reference; no more rights than the region
 *     each cache, object   -> one reference
 *   then for each frame:   count in struct page == references found
 *                          on a free list or owned, never both or neither
 *   and in sum:            free + used == all; what each owner has ==
 *                          what the allocator says it has
 *   let them go on
 *
 * References are counted in an array of numbers by frame, which is allocated
 * for the occasion. Frames that nobody can share and that are on no list (of
 * the kernel's own structures, pipes) must have a count of one.
 */
#include "mm/audit.h"

#include "lib/string.h"
#include "mm/kvm.h"
#include "mm/slab.h"
#include "param.h"
#include "stop.h"

#define COUNTERS (PGSIZE / sizeof(uint)) /* in a page */
#define ON_FREE_LIST (~0U)

static const struct audit_place nowhere;

/* The pages of counters that all frames need. */
static size_t counter_pages(void) {
  return (pages_total() + COUNTERS - 1) / COUNTERS;
}

static int index_order(void) {
  int order = 0;

  while ((PGSIZE << order) / sizeof(uint *) < counter_pages())
    order++;
  return order;
}

int audit_init(struct audit *a) {
  *a = (struct audit){.found = kalloc_pages(index_order(), PAGE_KERNEL),
                      .faults = kalloc()};
  if (a->found != NULL) {
    memset(a->found, 0, PGSIZE << index_order());
    for (size_t i = 0; i < counter_pages(); i++)
      a->found[i] = kalloc();
  }
  if (a->found != NULL && a->faults != NULL) {
    size_t i = 0;

    while (i < counter_pages() && a->found[i] != NULL)
      i++;
    if (i == counter_pages())
      return 0;
  }
  audit_free(a);
  return -ENOMEM;
}

void audit_free(struct audit *a) {
  for (size_t i = 0; a->found != NULL && i < counter_pages(); i++)
    if (a->found[i] != NULL)
      kfree(a->found[i]);
  if (a->found != NULL)
    kfree_pages(a->found, index_order());
  if (a->faults != NULL)
    kfree(a->faults);
}

static uint *found_of(struct audit *a, size_t frame) {
  return &a->found[frame / COUNTERS][frame % COUNTERS];
}

void audit_fault(struct audit *a, enum memfault_kind kind, paddr_t pa,
                 struct audit_place at, uint count, uint found) {
  size_t frame = frame_number(pa);

  if (a->nfaults == AUDIT_FAULTS_MAX)
    return;
  a->faults[a->nfaults++] = (struct memfault){
      .kind = kind,
      .owner = frame < pages_total() ? (int)frame_look(frame).owner : -1,
      .pa = pa,
      .va = at.va,
      .root = at.root != NULL ? V2P(at.root) : 0,
      .count = count,
      .found = found};
}

/* --- references --- */

void audit_page(struct audit *a, paddr_t pa, uint owners,
                struct audit_place at) {
  size_t frame = frame_number(pa);
  struct frame f;
  uint *found;

  if (frame >= pages_total()) {
    audit_fault(a, MEM_OWNER, pa, at, owners, 0);
    return;
  }
  f = frame_look(frame);
  found = found_of(a, frame);
  a->sum.references++;
  if (*found == ON_FREE_LIST)
    audit_fault(a, MEM_FREE_USED, pa, at, f.count, 1);
  else if (!(owners & OWNED_BY(f.owner)))
    audit_fault(a, MEM_OWNER, pa, at, owners, 0);
  else
    ++*found;
}

void audit_block(struct audit *a, paddr_t pa, uint owners,
                 struct audit_place at) {
  size_t frame = frame_number(pa);
  bool whole = frame < pages_total() && frame_look(frame).order == SUPER_ORDER;

  for (uint i = 0; i < (whole ? 1 : 1U << SUPER_ORDER); i++) {
    audit_page(a, pa + i * PGSIZE, owners, at);
    at.va += PGSIZE;
  }
}

/* A table that is walked. */
struct walk {
  struct audit *audit;
  pagetable_t root;
  audit_leaf leaf;
  void *arg;
};

static void audit_level(struct walk *w, pagetable_t table, vaddr_t base,
                        int level, int entries) {
  struct audit_place here = {w->root, base};

  w->audit->sum.tables++;
  audit_page(w->audit, V2P(table), OWNED_BY(PAGE_TABLE), here);
  for (int i = 0; i < entries; i++) {
    struct audit_place at = {w->root, base + ((vaddr_t)i << PXSHIFT(level))};
    pte_t pte = table[i];

    if (!(pte & PTE_V))
      continue;
    if (level == 0 || pte_leaf(pte, level))
      w->leaf(w->audit, w->arg, at, level, pte);
    else if (frame_number(PTE2PA(pte)) >= pages_total())
      audit_fault(w->audit, MEM_OWNER, PTE2PA(pte), at, OWNED_BY(PAGE_TABLE),
                  0);
    else
      audit_level(w, P2V(PTE2PA(pte)), at.va, level - 1, PT_ENTRIES);
  }
}

void audit_table(struct audit *a, pagetable_t root, int entries,
                 audit_leaf leaf, void *arg) {
  struct walk w = {a, root, leaf, arg};

  audit_level(&w, root, 0, PT_LEVELS - 1, entries);
}

/* --- what mm itself knows --- */

static void free_block(void *arg, size_t frame, int order) {
  struct audit *a = arg;

  for (size_t i = frame; i < frame + (1UL << order); i++) {
    struct frame f = frame_look(i);

    if (*found_of(a, i) == ON_FREE_LIST)
      audit_fault(a, MEM_FREE_TWICE, frame_pa(i), nowhere, 0, 2);
    if (f.owner != PAGE_FREE)
      audit_fault(a, MEM_FREE_USED, frame_pa(i), nowhere, f.count, 0);
    *found_of(a, i) = ON_FREE_LIST;
    a->sum.free++;
  }
}

/* The kernel's own mappings: of these, only the stacks' pages are counted; the
 * rest is what the machine has, mapped for ever. */
static void kernel_leaf(struct audit *a, void *arg, struct audit_place at,
                        int level, pte_t pte) {
  (void)arg;
  (void)level;
  if (at.va < KSTACK_TOP && at.va >= KSTACK(KSTACK_MAX - 1))
    audit_page(a, PTE2PA(pte), OWNED_BY(PAGE_STACK), at);
}

/* May pages of this owner have several holders, all of which are found? */
static bool is_counted(enum page_owner owner) {
  return owner == PAGE_USER || owner == PAGE_CACHE || owner == PAGE_TABLE ||
         owner == PAGE_STACK;
}

/* An allocated block and what was found of it. */
static void check_block(struct audit *a, size_t frame, struct frame f) {
  uint found = *found_of(a, frame);

  if (f.owner == PAGE_SLAB && !slab_sound(P2V(frame_pa(frame))))
    audit_fault(a, MEM_SLAB, frame_pa(frame), nowhere, 0, 0);
  if (!is_counted(f.owner))
    found = 1;
  if (f.count != found && f.owner > PAGE_IMAGE && f.owner != PAGE_ZERO)
    audit_fault(a, found == 0 ? MEM_LOST : MEM_COUNT, frame_pa(frame), nowhere,
                f.count, found);
  for (size_t i = frame + 1; i < frame + (1UL << f.order); i++)
    if (*found_of(a, i) != 0)
      audit_fault(a, MEM_INSIDE, frame_pa(i), nowhere, 0, *found_of(a, i));
}

static void check_frames(struct audit *a) {
  size_t held[PAGE_OWNERS] = {0};

  for (size_t i = 0; i < pages_total();) {
    struct frame f = frame_look(i);
    size_t n = f.owner > PAGE_IMAGE ? 1UL << f.order : 1;

    if (f.owner != PAGE_FREE)
      check_block(a, i, f);
    else if (*found_of(a, i) != ON_FREE_LIST) {
      a->sum.moving++;
      audit_fault(a, MEM_LOST, frame_pa(i), nowhere, 0, 0);
    }
    held[f.owner] += n;
    i += n;
  }
  for (int o = 0; o < PAGE_OWNERS; o++) {
    a->sum.used += o != PAGE_FREE ? held[o] : 0;
    if (held[o] != pages_owned(o))
      audit_fault(a, MEM_SUM, 0, (struct audit_place){NULL, o}, pages_owned(o),
                  held[o]);
  }
  if (a->sum.free + a->sum.used + a->sum.moving != pages_total())
    audit_fault(a, MEM_SUM, 0, nowhere, pages_total(),
                a->sum.free + a->sum.used);
}

void audit_run(struct audit *a, const audit_part *parts) {
  a->sum = (struct memcheck){.frames = pages_total()};
  a->nfaults = 0;
  cpus_stop();
  for (size_t i = 0; i < counter_pages(); i++)
    memset(a->found[i], 0, PGSIZE);
  free_each(free_block, a);
  audit_table(a, kernel_pagetable, PT_ENTRIES, kernel_leaf, NULL);
  for (; *parts != NULL; parts++)
    (*parts)(a);
  check_frames(a);
  cpus_go();
}
