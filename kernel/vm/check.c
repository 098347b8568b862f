/*
 * Are address spaces what they should be? Regions say what may be there, entries
 * what is (space.h); so each entry for a user needs a region that grants as much,
 * and is one reference to its page.
 */
#include "vm/check.h"

#include "vm/anon.h"
#include "vm/space.h"

/* The rights that an entry grants a user, as far as the machine can deny them
 * (PROT_*). */
static uint granted(pte_t pte) {
  if (!pte_allows(pte, PTE_U))
    return 0;
  return (PTE_R != 0 && pte_allows(pte, PTE_R) ? PROT_READ : 0) |
         (PTE_W != 0 && pte_allows(pte, PTE_W) ? PROT_WRITE : 0) |
         (PTE_X != 0 && pte_allows(pte, PTE_X) ? PROT_EXEC : 0);
}

/* Pages that entries may lead to. */
#define FOR_USERS \
  (OWNED_BY(PAGE_USER) | OWNED_BY(PAGE_CACHE) | OWNED_BY(PAGE_ZERO))

/* A space that is looked at, and the region where the walk through its entries
 * is: both are in order of address. */
struct cursor {
  struct space *space;
  struct list *at;
  size_t private; /* pages of private memory so far */
};

/* The region of an address that is not below those asked for before. */
static struct region *region_at(struct cursor *c, vaddr_t va) {
  while (c->at != &c->space->regions) {
    struct region *r = list_entry(c->at, struct region, link);

    if (va < r->end)
      return va >= r->start ? r : NULL;
    c->at = c->at->next;
  }
  return NULL;
}

static void check_leaf(struct audit *a, void *arg, struct audit_place at,
                       int level, pte_t pte) {
  paddr_t pa = PTE2PA(pte);
  struct cursor *c = arg;
  struct region *r;
  uint rights;

  a->sum.leaves++;
  if (at.va >= SPACE_END) {
    /* the machine's: a user may not use it, and it is not counted */
    if (pte_allows(pte, PTE_U))
      audit_fault(a, MEM_NO_REGION, pa, at, granted(pte), 0);
    return;
  }
  if (level == 0)
    audit_page(a, pa, FOR_USERS, at);
  else
    audit_block(a, pa, OWNED_BY(PAGE_USER), at);
  r = region_at(c, at.va);
  if (r == NULL || r->end - at.va < level_size(level)) {
    audit_fault(a, MEM_NO_REGION, pa, at, granted(pte), 0);
    return;
  }
  if (uvm_anonymous(P2V(pa)) && !(r->flags & REGION_SHARED))
    c->private += level_size(level) / PGSIZE;
  /* an entry that lets write or execute lets read, too; the page of zeros is
   * never to be written */
  rights = r->rights | (r->rights != PROT_NONE ? PROT_READ : 0);
  if (pa == V2P(zero_page))
    rights &= ~PROT_WRITE;
  if (granted(pte) & ~rights)
    audit_fault(a, MEM_RIGHTS, pa, at, granted(pte), rights);
}

/* What the space says of itself, and what is so. */
static void check_count(struct audit *a, struct space *s, size_t count,
                        size_t found) {
  if (count != found)
    audit_fault(a, MEM_SPACE, 0, (struct audit_place){s->pagetable, 0}, count,
                found);
}

static void check_shared_leaf(struct audit *a, void *arg, struct audit_place at,
                              int level, pte_t pte) {
  (void)arg;
  (void)level;
  audit_page(a, PTE2PA(pte), OWNED_BY(PAGE_USER), at);
}

/* Shared memory has a tree of pages of its own. */
static void check_shared(void *arg, pagetable_t pages) {
  audit_table(arg, pages, PT_ENTRIES, check_shared_leaf, NULL);
}

static void check_regions(struct audit *a, struct space *s) {
  size_t regions = 0, pages = 0;
  vaddr_t last = 0;

  list_for_each (l, &s->regions) {
    struct region *r = list_entry(l, struct region, link);

    regions++;
    pages += (r->end - r->start) / PGSIZE;
    if (r->start < last || r->start >= r->end || r->end > SPACE_END ||
        r->start % PGSIZE || r->end % PGSIZE || r->space != s ||
        space_find_locked(s, r->start) != r)
      audit_fault(a, MEM_REGIONS, 0,
                  (struct audit_place){s->pagetable, r->start}, 0, 0);
    last = r->end;
  }
  a->sum.regions += regions;
  check_count(a, s, s->nregions, regions);
  check_count(a, s, s->size, pages);
}

void spaces_audit(struct audit *a) {
  anon_each(check_shared, a);
  list_for_each (l, &spaces) {
    struct space *s = list_entry(l, struct space, all);
    struct cursor c = {.space = s, .at = s->regions.next};

    a->sum.spaces++;
    if (s->lock.holder != NULL) {
      audit_fault(a, MEM_BUSY, 0, (struct audit_place){s->pagetable, 0}, 0, 0);
      continue;
    }
    check_regions(a, s);
    audit_table(a, s->pagetable, PT_OWN_ENTRIES, check_leaf, &c);
    check_count(a, s, s->anon, c.private);
  }
}
