/*
 * The one fault path.
 *
 *   hardware: trap_page_fault() --+
 *                                 +--> fault_resolve() --> a page, or an error
 *   copyin(), copyout() ----------+
 *
 * The region decides whether the access is right. If it is, and no page is
 * there yet (lazily grown heap), the page is made.
 */
#include "vm/fault.h"

#include "tlb.h"

static uint64 faults; /* [a] since boot */

uint64 fault_count(void) { return __atomic_load_n(&faults, __ATOMIC_RELAXED); }

/* Lock held. */
static int resolve_locked(struct space *s, vaddr_t va, uint access) {
  struct region *r = space_find_locked(s, va);
  vaddr_t page = PGROUNDDOWN(va);
  pte_t *pte;

  if (r == NULL || (r->rights & access) != access)
    return -EFAULT;
  pte = walk(s->pagetable, page, false);
  if (pte != NULL && pte_allows(*pte, access | PTE_U)) {
    /* the CPU remembers an older, invalid entry (4.2.1) */
    tlb_flush_page(page);
    return 0;
  }
  return uvmalloc(s->pagetable, page, page + PGSIZE, r->rights);
}

int fault_resolve(struct space *s, vaddr_t va, uint access) {
  int r;

  __atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
  if (va >= SPACE_END)
    return -EFAULT;
  acquiresleep(&s->lock);
  r = resolve_locked(s, va, access);
  releasesleep(&s->lock);
  return r;
}
