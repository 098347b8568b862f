/*
 * User pages. See uvm.h.
 */
#include "vm/uvm.h"

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kalloc.h"

pagetable_t uvmcreate(void) {
  pagetable_t pagetable = pagetable_create();

  if (pagetable == NULL)
    return NULL;
  if (tables_prepare_user(pagetable) < 0) {
    uvmfree(pagetable);
    return NULL;
  }
  return pagetable;
}

void uvmfree(pagetable_t pagetable) {
  tables_unprepare_user(pagetable);
  freewalk(pagetable);
}

/* Pages that were unmapped and wait for the flush, linked through their first
 * words. */
struct gather {
  void *pages;
};

static void gather_page(void *arg, pte_t pte, int level) {
  struct gather *g = arg;
  void *page = P2V(PTE2PA(pte));

  ASSERT(level == 0);
  *(void **)page = g->pages;
  g->pages = page;
}

void uvmdealloc(pagetable_t pagetable, struct arch_space *as, vaddr_t from,
                vaddr_t to) {
  struct gather g = {NULL};

  if (from >= to)
    return;
  unmappages(pagetable, from, to - from, gather_page, &g);
  if (g.pages != NULL && as != NULL)
    tables_flush_user(as, from, to - from);
  while (g.pages != NULL) {
    void *next = *(void **)g.pages;

    kfree(g.pages);
    g.pages = next;
  }
}

static void free_page(void *arg, pte_t pte, int level) {
  (void)arg;
  ASSERT(level == 0);
  kfree(P2V(PTE2PA(pte)));
}

int uvmalloc(pagetable_t pagetable, vaddr_t from, vaddr_t to, uint rights) {
  for (vaddr_t va = from; va < to; va += PGSIZE) {
    void *page = kalloc_zero(PAGE_USER);

    if (page == NULL ||
        mappages(pagetable, va, PGSIZE, V2P(page), prot_to_pte(rights)) < 0) {
      if (page != NULL)
        kfree(page);
      /* no CPU has run with these: nothing to flush */
      unmappages(pagetable, from, va - from, free_page, NULL);
      return -ENOMEM;
    }
  }
  return 0;
}

static int copy_page(void *arg, vaddr_t va, int level, pte_t pte) {
  pagetable_t to = arg;
  void *page = kalloc_for(PAGE_USER);

  (void)level;
  if (page == NULL)
    return -ENOMEM;
  memcpy(page, P2V(PTE2PA(pte)), PGSIZE);
  if (mappages(to, va, PGSIZE, V2P(page),
               pte & (PTE_R | PTE_W | PTE_X | PTE_U)) < 0) {
    kfree(page);
    return -ENOMEM;
  }
  if (pte & PTE_X)
    instructions_written();
  return 0;
}

int uvmcopy(pagetable_t from_table, pagetable_t to_table, vaddr_t from,
            vaddr_t to) {
  return pagetable_each(from_table, from, to, copy_page, to_table);
}

static int count_page(void *arg, vaddr_t va, int level, pte_t pte) {
  (void)va;
  (void)pte;
  *(size_t *)arg += (size_t)1 << (PXSHIFT(level) - PGSHIFT);
  return 0;
}

size_t uvmcount(pagetable_t pagetable, vaddr_t from, vaddr_t to) {
  size_t n = 0;

  pagetable_each(pagetable, from, to, count_page, &n);
  return n;
}
