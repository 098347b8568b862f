/*
 * The tree that translates.
 *
 *   root page              level 1                level 0
 *   +-------+             +-------+              +-------+
 *   |       |       +---> |       |        +---> |       |
 *   | PTE --+-------+     | PTE --+--------+     | PTE --+---> the page
 *   |       |             |       |              |       |
 *   +-------+             +-------+              +-------+
 *   PX(2, va)             PX(1, va)              PX(0, va)     va & 0xfff
 *
 * PTEs hold physical page numbers, because the hardware that reads them has
 * nothing to translate with. The kernel follows them through its direct map
 * (P2V), which is why walk() works at all.
 */
#include "mm/pagetable.h"

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kalloc.h"

/* The page-table page that an entry leads to; created if alloc. */
static pagetable_t next_table(pte_t *pte, bool alloc) {
  pagetable_t table;

  if (*pte & PTE_V)
    return P2V(PTE2PA(*pte));
  if (!alloc || (table = kalloc_zero(PAGE_TABLE)) == NULL)
    return NULL;
  *pte = pte_table(V2P(table));
  return table;
}

pte_t *walk(pagetable_t pagetable, vaddr_t va, bool alloc) {
  if (va >= MAXVA)
    panic("walk: va %p is above MAXVA", (void *)va);
  for (int level = PT_LEVELS - 1; level > 0; level--) {
    pagetable = next_table(&pagetable[PX(level, va)], alloc);
    if (pagetable == NULL)
      return NULL;
  }
  return &pagetable[PX(0, va)];
}

paddr_t walkaddr(pagetable_t pagetable, vaddr_t va, uint access) {
  pte_t *pte;

  if (va >= MAXVA)
    return 0;
  pte = walk(pagetable, va, false);
  if (pte == NULL || !pte_allows(*pte, prot_to_pte(access)))
    return 0;
  return PTE2PA(*pte) + va % PGSIZE;
}

int mappages(pagetable_t pagetable, vaddr_t va, size_t size, paddr_t pa,
             uint perm) {
  pte_t *pte = NULL;

  if (va % PGSIZE || size % PGSIZE || pa % PGSIZE)
    panic("mappages: va %p, pa %p or size %p is not aligned", (void *)va,
          (void *)pa, (void *)size);
  if (size == 0)
    panic("mappages: size 0 at va %p", (void *)va);
  for (vaddr_t end = va + size; va != end; va += PGSIZE, pa += PGSIZE) {
    /* neighbours share a table page: walk once for each of those */
    if (pte == NULL || PX(0, va) == 0)
      pte = walk(pagetable, va, true);
    if (pte == NULL)
      return -ENOMEM;
    if (*pte & PTE_V)
      panic("mappages: va %p is mapped already", (void *)va);
    *pte++ = pte_make(pa, perm);
  }
  return 0;
}

/* The first address after va that an entry of this level does not cover. */
static vaddr_t level_end(vaddr_t va, int level) {
  return ((va >> PXSHIFT(level)) + 1) << PXSHIFT(level);
}

void unmappages(pagetable_t pagetable, vaddr_t va, size_t size,
                void (*each)(void *arg, pte_t pte), void *arg) {
  pte_t *pte = NULL, old;

  if (va % PGSIZE || size % PGSIZE)
    panic("unmappages: va %p or size %p is not aligned", (void *)va,
          (void *)size);
  for (vaddr_t end = va + size; va < end;) {
    if (pte == NULL && (pte = walk(pagetable, va, false)) == NULL) {
      va = level_end(va, 1);
      continue;
    }
    old = *pte;
    *pte++ = 0;
    if ((old & PTE_V) && each != NULL)
      each(arg, old);
    va += PGSIZE;
    if (PX(0, va) == 0)
      pte = NULL;
  }
}

pagetable_t pagetable_create(void) { return kalloc_zero(PAGE_TABLE); }

static void free_level(pagetable_t pagetable, int level) {
  for (int i = 0; i < PT_ENTRIES; i++) {
    pte_t pte = pagetable[i];

    if (!(pte & PTE_V))
      continue;
    if (level == 0 || pte_leaf(pte, level))
      panic("freewalk: a leaf is left: %p", (void *)pte);
    free_level(P2V(PTE2PA(pte)), level - 1);
  }
  kfree(pagetable);
}

void freewalk(pagetable_t pagetable) { free_level(pagetable, PT_LEVELS - 1); }

/* Where a walk over leaves is. */
struct visit {
  vaddr_t from, to;
  int (*visit)(void *arg, vaddr_t va, int level, pte_t pte);
  void *arg;
};

static int each_level(const struct visit *v, pagetable_t pagetable,
                      vaddr_t base, int level) {
  for (int i = 0; i < PT_ENTRIES; i++) {
    vaddr_t va = base + ((vaddr_t)i << PXSHIFT(level));
    pte_t pte = pagetable[i];
    int r = 0;

    if (va >= v->to)
      break;
    if (!(pte & PTE_V) || level_end(va, level) - 1 < v->from)
      continue;
    if (pte_leaf(pte, level))
      r = v->visit(v->arg, va, level, pte);
    else if (level > 0)
      r = each_level(v, P2V(PTE2PA(pte)), va, level - 1);
    if (r != 0)
      return r;
  }
  return 0;
}

int pagetable_each(pagetable_t pagetable, vaddr_t from, vaddr_t to,
                   int (*visit)(void *arg, vaddr_t va, int level, pte_t pte),
                   void *arg) {
  struct visit v = {from, to, visit, arg};

  return each_level(&v, pagetable, 0, PT_LEVELS - 1);
}

static size_t count_level(pagetable_t pagetable, int level, int entries) {
  size_t n = 1;

  for (int i = 0; level > 0 && i < entries; i++) {
    if ((pagetable[i] & PTE_V) && !pte_leaf(pagetable[i], level))
      n += count_level(P2V(PTE2PA(pagetable[i])), level - 1, PT_ENTRIES);
  }
  return n;
}

size_t pagetable_pages(pagetable_t pagetable) {
  return count_level(pagetable, PT_LEVELS - 1, PT_OWN_ENTRIES);
}
