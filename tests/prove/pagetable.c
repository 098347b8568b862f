/*
 * Page tables, kernel/mm/pagetable.c: walk, mappages and unmappages.
 *
 * The table that a proof begins with is any table of pages of two entries, not one that it built: each
 * entry has any value. What makes it a tree, and not just pages, is assumed only
 * where it matters, for the addresses that the proof looks at: two addresses come
 * through the same page of a level if, and only if, they agree in all index bits
 * above.
 *
 *    level 3        level 2          level 1          level 0
 *    [ root ] --0-> [ 0 ]    --0->   [ 0 ]    --0->   [ 0 ]
 *             \-1-> [ 1 ]    --1->   [ 1 ]    --1->   [ 1 ]   of address 1
 *
 * A page of each level is there for each address; an address that shares its
 * page with one before it does not use its own. Which page a frame number means
 * is known to P2V() here, and nothing else about it is.
 *
 * What the translation of an address should be is worked out by look(), in the
 * words of the machine's manual, not by the code that is being proved.
 */
#include "prove.h"

#include "mm/kalloc.h"

/* Small pages of the table: the checker looks at each entry that an index can
 * mean. That indexes are cut out of an address as the machine does it is proved
 * for itself, in pte.c. */
#undef PT_INDEX_BITS
#undef PT_ENTRIES
#undef PXMASK
#undef MAXVA
#define PT_INDEX_BITS 1
#define PT_ENTRIES (1 << PT_INDEX_BITS)
#define PXMASK (PT_ENTRIES - 1)
#define MAXVA ((vaddr_t)1 << (PT_INDEX_BITS * PT_LEVELS + PGSHIFT))

#define ADDRESSES 3
#define OWN ((PT_LEVELS - 1) * ADDRESSES) /* pages but the root */
#define SPARE (2 * (PT_LEVELS - 1))       /* pages that can be allocated */
#define PAGES (1 + OWN + SPARE)
#define PAGE_BYTES (PT_ENTRIES * sizeof(pte_t))
#define BASE 0x1000000UL /* of the page-table pages, physical */

/* Defined nowhere: they begin with any value. One array, as the checker takes in
 * an access at some index of one array more easily. */
extern pte_t pages[PAGES * PT_ENTRIES];
static uint allocated;

static void *p2v(paddr_t pa) {
  paddr_t n = (pa - BASE) >> 12;

  claim(pa >= BASE && n < PAGES && (pa & 0xfff) == 0);
  return pages + n * PT_ENTRIES;
}

static paddr_t v2p(const void *page) {
  return BASE + (__CPROVER_POINTER_OFFSET(page) / PAGE_BYTES << 12);
}

#undef P2V
#undef V2P
#define P2V(pa) p2v(pa)
#define V2P(page) v2p(page)

#include "../../kernel/mm/pagetable.c"

static vaddr_t address[ADDRESSES];

static uint index_at(vaddr_t va, int level) {
  return va >> (12 + level * PT_INDEX_BITS) & (PT_ENTRIES - 1);
}

static pte_t *entry(uint page, vaddr_t va, int level) {
  return &pages[page * PT_ENTRIES + index_at(va, level)];
}

/* New pages are behind those that were there. They are full of zeros: as nobody
 * has looked at them before, that may be assumed. */
void *kalloc_for(enum page_owner owner) {
  claim(owner == PAGE_TABLE);
  if (any_bool() || allocated == SPARE)
    return NULL;
  return pages + (1 + OWN + allocated++) * PT_ENTRIES;
}

void *kalloc_zero(enum page_owner owner) {
  pte_t *page = kalloc_for(owner);

  for (uint i = 0; page != NULL && i < ADDRESSES; i++)
    for (int level = 0; level < PT_LEVELS; level++)
      assume(page[index_at(address[i], level)] == 0);
  return page;
}

void kfree(void *page) { claim(page == NULL); }

/* --- the tree for the addresses --- */

/* Do two addresses come through the same page of a level? */
static bool same_page(vaddr_t a, vaddr_t b, int level) {
  return a >> (12 + (level + 1) * PT_INDEX_BITS) ==
         b >> (12 + (level + 1) * PT_INDEX_BITS);
}

/* The page of a level that address n comes through, if it comes so far. */
static uint page_for(uint n, int level) {
  uint first = n;

  if (level == PT_LEVELS - 1)
    return 0;
  for (uint i = n; i-- > 0;)
    if (same_page(address[i], address[n], level))
      first = i;
  return 1 + level * ADDRESSES + first;
}

struct translation {
  int level; /* where the walk ends */
  pte_t pte;
  uint page; /* that the entry is in */
};

static bool leads_on(pte_t pte, int level) {
  return (pte & PTE_V) && level > 0 && !pte_leaf(pte, level);
}

static struct translation look(vaddr_t va) {
  struct translation t = {PT_LEVELS - 1, 0, 0};

  for (int level = PT_LEVELS - 1; level >= 0; level--) {
    t.level = level;
    t.pte = *entry(t.page, va, level);
    if (!leads_on(t.pte, level))
      break;
    t.page = (PTE2PA(t.pte) - BASE) >> 12;
  }
  return t;
}

/* Assume that the tables are a tree for the first n addresses. */
static void begin(uint n) {
  allocated = 0;
  for (uint i = 0; i < ADDRESSES; i++)
    address[i] = i < n ? any_size() : 0;
  for (uint i = 0; i < n; i++) {
    bool more = true;

    assume(address[i] < MAXVA);
    for (int level = PT_LEVELS - 1; level > 0; level--) {
      pte_t pte = *entry(page_for(i, level), address[i], level);

      more = more && leads_on(pte, level);
      if (more)
        assume(PTE2PA(pte) == BASE + page_for(i, level - 1) * PGSIZE);
    }
  }
}

static paddr_t any_page(void) { return any_below(1UL << 19) * PGSIZE; }

static uint any_perm(void) {
  uint perm = (any_bool() ? PTE_R : 0) | (any_bool() ? PTE_W : 0) |
              (any_bool() ? PTE_X : 0) | (any_bool() ? PTE_U : 0);

  assume((perm & (PTE_R | PTE_W | PTE_X)) || (PTE_R | PTE_X) == 0);
  return perm;
}

PROVE(walks,
      "walk, walk_leaf and walkaddr come to the entry that the manual's "
      "algorithm comes to; walkaddr gives an address only for a right that is "
      "there",
      "pages of 2 entries; any table, any address", "levels --unwind 5") {
  struct translation t;
  uint access = any_below(PROT_EXEC << 1);
  bool allowed;
  paddr_t pa;
  vaddr_t va;
  pte_t *pte;
  int level;

  begin(1);
  va = address[0];
  t = look(va);
  pte = walk(pages, va, false);
  claim((pte != NULL) == (t.level == 0));
  claim(pte == NULL || pte == entry(t.page, va, 0));
  pte = walk_leaf(pages, va, &level);
  claim(level == t.level && pte == entry(t.page, va, level));
  allowed = (t.pte & PTE_V) && (t.pte & PTE_U) &&
            (!(access & PROT_READ) || (t.pte & PTE_R) || PTE_R == 0) &&
            (!(access & PROT_WRITE) || (t.pte & PTE_W)) &&
            (!(access & PROT_EXEC) || (t.pte & PTE_X) || PTE_X == 0);
  pa = PTE2PA(t.pte) +
       (va & (((vaddr_t)1 << (12 + t.level * PT_INDEX_BITS)) - 1));
  claim(walkaddr(pages, va, access) == (allowed ? pa : 0));
  reached(allowed && t.level == 1);
  reached(allowed && t.level == 0 && access == PROT_WRITE);
}

PROVE(walkaddr_any, "walkaddr of an address that is none is 0",
      "any address from MAXVA on", "levels --unwind 5") {
  vaddr_t va = any_size();

  begin(1);
  assume(va >= MAXVA);
  claim(walkaddr(pages, va, any_uint()) == 0);
  reached(va == ~(vaddr_t)0);
}

PROVE(mappages,
      "mappages maps each page where it should, or says that there is no "
      "memory; no other address changes; only missing tables are allocated",
      "any table in which up to two pages at any address are not mapped; any "
      "third address",
      "levels most3 --unwind 5") {
  size_t n = 1 + any_below(2);
  paddr_t pa = any_page();
  uint perm = any_perm();
  struct translation before[ADDRESSES], after;
  int r;

  begin(ADDRESSES);
  assume(address[0] % PGSIZE == 0 && address[0] + PGSIZE < MAXVA);
  assume(address[1] == address[0] + PGSIZE);
  assume(address[2] - address[0] >= n * PGSIZE); /* not one of those */
  for (uint i = 0; i < ADDRESSES; i++)
    before[i] = look(address[i]);
  for (uint i = 0; i < n; i++)
    assume(!(before[i].pte & PTE_V));
  r = mappages(pages, address[0], n * PGSIZE, pa, perm);
  claim(r == 0 || r == -ENOMEM);
  for (uint i = 0; i < n; i++) {
    after = look(address[i]);
    if (r == 0)
      claim(after.level == 0 && after.pte == pte_make(pa + i * PGSIZE, perm));
    else
      claim(!(after.pte & PTE_V) || i == 0);
  }
  after = look(address[2]);
  claim((after.pte & PTE_V) == (before[2].pte & PTE_V));
  claim(!(after.pte & PTE_V) ||
        (after.pte == before[2].pte && after.level == before[2].level));
  reached(r == 0 && n == 2 && allocated == SPARE);
  reached(r == -ENOMEM && allocated == 1);
  reached(r == 0 && allocated == 0);
}

static uint seen;

static void see(void *arg, pte_t pte, int level) {
  struct translation *was = arg;

  claim(pte & PTE_V);
  claim((pte == was[0].pte && level == was[0].level) ||
        (pte == was[1].pte && level == was[1].level));
  seen++;
}

PROVE(unmappages,
      "unmappages clears each entry in its range, hands each to the caller "
      "once, and changes no other",
      "any table; up to two pages, or superpages beside each other, at any "
      "address; any third address",
      "small --unwind 5") {
  struct translation was[ADDRESSES], after;
  uint n = 1 + any_below(2), valid;
  vaddr_t step, end;

  begin(ADDRESSES);
  for (uint i = 0; i < ADDRESSES; i++)
    was[i] = look(address[i]);
  assume(was[0].level == was[1].level && was[0].level <= 1);
  step = (vaddr_t)1 << (12 + was[0].level * PT_INDEX_BITS);
  end = address[0] + n * step;
  assume(address[0] % step == 0 && address[1] == address[0] + step);
  assume(end > address[0] && end <= MAXVA);
  assume(address[2] < address[0] || address[2] >= end);
  seen = 0;
  unmappages(pages, address[0], n * step, see, was);
  valid = !!(was[0].pte & PTE_V) + (n == 2 && (was[1].pte & PTE_V));
  claim(seen == valid && !(look(address[0]).pte & PTE_V));
  claim(n == 1 || !(look(address[1]).pte & PTE_V));
  after = look(address[2]);
  claim(after.pte == was[2].pte && after.level == was[2].level);
  reached(seen == 1 && n == 1 && was[0].level == 1 && (after.pte & PTE_V));
  reached(seen == 2 && was[0].page != was[1].page && (after.pte & PTE_V));
}
