/*
 * Looking at address spaces. See inspect.h.
 */
#include "vm/inspect.h"

#include "lib/string.h"
#include "mm/kvm.h"

_Static_assert(VM_READ == PROT_READ && VM_WRITE == PROT_WRITE &&
                   VM_EXEC == PROT_EXEC,
               "abi/inspect.h");

/* Why user mode cannot read through this last entry of a walk. */
static enum ptfault fault_of(pte_t pte, int level) {
  if (!pte_leaf(pte, level))
    return PT_INVALID;
  if (!pte_allows(pte, PTE_U))
    return PT_NOTUSER;
  return pte_allows(pte, PTE_R) ? PT_OK : PT_NOTREADABLE;
}

void pagetable_trace(pagetable_t pagetable, vaddr_t va, struct ptwalk *w) {
  *w = (struct ptwalk){.root = V2P(pagetable), .levels = PT_LEVELS};
  if (va >= MAXVA) {
    w->fault = PT_BADADDR;
    return;
  }
  for (int level = PT_LEVELS - 1; level >= 0; level--) {
    pte_t *pte = &pagetable[PX(level, va)];
    int i = w->steps++;

    w->step[i].level = level;
    w->step[i].index = PX(level, va);
    w->step[i].pte_addr = V2P(pte);
    w->step[i].pte = *pte;
    w->step[i].leaf = pte_leaf(*pte, level);
    w->fault = fault_of(*pte, level);
    if (w->step[i].leaf) {
      vaddr_t offset = va & (((vaddr_t)1 << PXSHIFT(level)) - 1);

      w->pa = PTE2PA(*pte) + offset;
      return;
    }
    if (!(*pte & PTE_V))
      return;
    pagetable = P2V(PTE2PA(*pte));
  }
}

void space_trace(struct space *s, vaddr_t va, struct ptwalk *w) {
  acquire(&s->ptl); /* the tables on the way stay */
  pagetable_trace(s->pagetable, va, w);
  release(&s->ptl);
}

void inspect_name(struct space *s, vaddr_t va, char *buf, size_t n) {
  const char *name;
  struct region *r;

  if (s == NULL) {
    kvm_describe(va, buf, n);
    return;
  }
  name = va < MAXVA ? tables_describe_user(va) : "";
  if (name == NULL) {
    r = space_find_locked(s, va);
    name = r ? r->name : "";
  }
  safestrcpy(buf, name, n);
}

/* The run of leaves being collected. */
struct runs {
  struct space *space;
  struct ptentry *buf;
  int n, max;
};

static int add_leaf(void *arg, vaddr_t va, int level, pte_t pte) {
  struct runs *runs = arg;
  struct ptentry *last = runs->n ? &runs->buf[runs->n - 1] : NULL;
  struct ptentry e = {.va = va,
                      .pa = PTE2PA(pte),
                      .size = (size_t)1 << PXSHIFT(level),
                      .flags = PTE_FLAGS(pte),
                      .level = level};

  inspect_name(runs->space, va, e.name, sizeof(e.name));
  if (last != NULL && last->va + last->size == e.va &&
      last->pa + last->size == e.pa && last->flags == e.flags &&
      last->level == level && strcmp(last->name, e.name) == 0) {
    last->size += e.size;
    return 0;
  }
  if (runs->n == runs->max)
    return 1;
  runs->buf[runs->n++] = e;
  return 0;
}

int inspect_leaves(struct space *s, vaddr_t from, struct ptentry *buf,
                   int max) {
  struct runs runs = {s, buf, 0, max};
  struct leaf l = {.va = from};

  if (s == NULL) {
    pagetable_each(kernel_pagetable, from, MAXVA, add_leaf, &runs);
    return runs.n;
  }
  acquire(&s->ptl);
  while (leaf_next_under(s->pagetable, &l, MAXVA, &s->ptl) &&
         add_leaf(&runs, l.va, l.level, *l.pte) == 0)
    continue;
  release(&s->ptl);
  return runs.n;
}

static int shown_rights(uint rights) {
  return rights | (rights != PROT_NONE ? VM_USER : 0);
}

int inspect_regions(struct space *s, vaddr_t from, struct vmregion *buf,
                    int max) {
  struct region *r = space_first_locked(s, from);
  int n = 0;

  for (; r != NULL && n < max; r = region_next(r), n++) {
    struct uvm_usage usage = {0};

    uvm_usage(s, r->start, r->end, &usage);
    buf[n] = (struct vmregion){.start = r->start,
                               .end = r->end,
                               .rights = shown_rights(r->rights),
                               .shared = (r->flags & REGION_SHARED) != 0,
                               .resident = usage.resident * PGSIZE,
                               .common = usage.shared * PGSIZE,
                               .dirty = usage.dirty * PGSIZE,
                               .super = usage.super * PGSIZE};
    safestrcpy(buf[n].name, r->name, sizeof(buf[n].name));
  }
  return n;
}
