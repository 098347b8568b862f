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

static uint64 faults[NCPU]; /* since boot, by CPU, which alone changes it */

uint64 fault_count(void) {
  uint64 n = 0;

  for (int i = 0; i < ncpu; i++)
    n += faults[i];
  return n;
}

static void count_fault(void) {
  push_off();
  faults[mycpu()->id]++;
  pop_off();
}

/* Lock held. */
static int resolve_locked(struct space *s, vaddr_t va, uint access) {
  struct region *r = space_find_locked(s, va);
  vaddr_t page = PGROUNDDOWN(va);
  pte_t *pte;

  if (r == NULL || (r->rights & access) != access)
    return -EFAULT;
  pte = walk(s->pagetable, page, false);
  if (pte != NULL && pte_allows(*pte, prot_to_pte(access))) {
    /* the CPU remembers an older, invalid entry */
    tlb_flush_page(page);
    return 0;
  }
  return uvmalloc(s->pagetable, page, page + PGSIZE, r->rights);
}

int fault_resolve(struct space *s, vaddr_t va, uint access) {
  int r;

  count_fault();
  if (va >= SPACE_END)
    return -EFAULT;
  acquiresleep(&s->lock);
  r = resolve_locked(s, va, access);
  releasesleep(&s->lock);
  return r;
}
