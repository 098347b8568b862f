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
 *
 * An entry above level 0 may be a leaf, too: a superpage, which maps at once all
 * that the table it stands for could map.
 */
#include "mm/pagetable.h"

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kalloc.h"

/* The page-table page that an entry leads to, created if alloc; or NULL. */
static pagetable_t next_table(pte_t *pte, int level, bool alloc) {
  pagetable_t table;

  if (pte_leaf(*pte, level)) {
    if (alloc)
      panic("walk: a superpage is in the way: %p", (void *)*pte);
    return NULL;
  }
  if (*pte & PTE_V)
    return P2V(PTE2PA(*pte));
  if (!alloc || (table = kalloc_zero(PAGE_TABLE)) == NULL)
    return NULL;
  /* who finds the table, hardware included, finds that it is empty */
  __atomic_store_n(pte, pte_table(V2P(table)), __ATOMIC_RELEASE);
  return table;
}

pte_t *walk_level(pagetable_t pagetable, vaddr_t va, int level, bool alloc) {
  if (va >= MAXVA)
    panic("walk: va %p is above MAXVA", (void *)va);
  for (int i = PT_LEVELS - 1; i > level; i--) {
    pagetable = next_table(&pagetable[PX(i, va)], i, alloc);
    if (pagetable == NULL)
      return NULL;
  }
  return &pagetable[PX(level, va)];
}

pte_t *walk(pagetable_t pagetable, vaddr_t va, bool alloc) {
  return walk_level(pagetable, va, 0, alloc);
}

pte_t *walk_leaf(pagetable_t pagetable, vaddr_t va, int *level) {
  if (va >= MAXVA)
    panic("walk_leaf: va %p is above MAXVA", (void *)va);
  for (*level = PT_LEVELS - 1;; --*level) {
    pte_t *pte = &pagetable[PX(*level, va)];

    if (*level == 0 || !(*pte & PTE_V) || pte_leaf(*pte, *level))
      return pte;
    pagetable = P2V(PTE2PA(*pte));
  }
}

paddr_t walkaddr(pagetable_t pagetable, vaddr_t va, uint access) {
  if (va >= MAXVA)
    return 0;
  for (int level = PT_LEVELS - 1;; level--) {
    /* once: another CPU may change the entry */
    pte_t pte = __atomic_load_n(&pagetable[PX(level, va)], __ATOMIC_RELAXED);

    if (level == 0 || !(pte & PTE_V) || pte_leaf(pte, level))
      return pte_allows(pte, prot_to_pte(access))
                 ? PTE2PA(pte) + va % level_size(level)
                 : 0;
    pagetable = P2V(PTE2PA(pte));
  }
}

/* How many of the n entries from here on are not valid, before one that is.
 * Most of a sparse table is looked at here, so four at a time. */
static uint count_invalid(const pte_t *pte, uint n) {
  uint i = 0;

  while (i + 4 <= n &&
         !((pte[i] | pte[i + 1] | pte[i + 2] | pte[i + 3]) & PTE_V))
    i += 4;
  while (i < n && !(pte[i] & PTE_V))
    i++;
  return i;
}

/* Go on by n entries, at most to the end of this table. False at the end of all
 * addresses. */
static bool leaf_step(struct leaf *leaf, uint n) {
  vaddr_t next = leaf->va + n * level_size(leaf->level);

  if (next <= leaf->va)
    return false;
  leaf->va = next;
  leaf->pte = PX(leaf->level, next) != 0 ? leaf->pte + n : NULL;
  return true;
}

/* From *leaf on, to the next valid entry of this table, a leaf or not, that is
 * for something below end. False: there is none, and *leaf is behind those. */
static bool leaf_skip(struct leaf *leaf, vaddr_t end) {
  uint here = PT_ENTRIES - PX(leaf->level, leaf->va);
  vaddr_t before_end = (end - 1 - leaf->va) >> PXSHIFT(leaf->level);
  uint most = before_end < here ? before_end + 1 : here;
  uint n = count_invalid(leaf->pte, most);

  if (n > 0 && !leaf_step(leaf, n))
    leaf->va = end;
  return n < most;
}

/* The usual step: to the page behind this one, if the same table maps it. */
static inline bool leaf_neighbour(struct leaf *leaf, vaddr_t end) {
  vaddr_t next = leaf->va + PGSIZE;

  if (leaf->pte == NULL || leaf->level > 0 || next >= end || PX(0, next) == 0 ||
      !(leaf->pte[1] & PTE_V))
    return false;
  leaf->va = next;
  leaf->pte++;
  return true;
}

/* The next leaf that is no neighbour, if no more than `most` tables are looked
 * through on the way. It stops before a table, so where one begins, and with it
 * any superpage in its place: nothing is missed, or met twice, when a table and a
 * superpage take turns meanwhile. */
static bool leaf_find(pagetable_t pagetable, struct leaf *leaf, vaddr_t end,
                      uint most) {
  if (leaf->pte != NULL && !leaf_step(leaf, 1))
    leaf->va = end;
  while (leaf->va < end) {
    if (leaf->pte == NULL) {
      if (leaf->tables == most)
        return false;
      leaf->tables++;
      leaf->pte = walk_leaf(pagetable, leaf->va, &leaf->level);
      leaf->va &= -level_size(leaf->level);
    }
    if (!leaf_skip(leaf, end))
      continue;
    if (leaf->level == 0 || pte_leaf(*leaf->pte, leaf->level))
      return true;
    leaf->pte = NULL; /* a table: on to the level below */
  }
  return false;
}

bool leaf_next(pagetable_t pagetable, struct leaf *leaf, vaddr_t end) {
  leaf->tables = 0; /* there is no limit */
  return leaf_neighbour(leaf, end) || leaf_find(pagetable, leaf, end, ~0U);
}

bool leaf_next_some(pagetable_t pagetable, struct leaf *leaf, vaddr_t end) {
  return leaf_neighbour(leaf, end) ||
         leaf_find(pagetable, leaf, end, LEAF_TABLES);
}

bool leaf_next_under(pagetable_t pagetable, struct leaf *leaf, vaddr_t end,
                     struct spinlock *lk) {
  if (leaf_neighbour(leaf, end))
    return true;
  while (!leaf_find(pagetable, leaf, end, LEAF_TABLES)) {
    if (leaf->va >= end)
      return false;
    release(lk);
    *leaf = (struct leaf){.va = leaf->va};
    acquire(lk);
  }
  return true;
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

void unmappages(pagetable_t pagetable, vaddr_t va, size_t size,
                void (*each)(void *arg, pte_t pte, int level), void *arg) {
  struct leaf leaf = {.va = va};
  vaddr_t end = va + size;

  if (va % PGSIZE || size % PGSIZE)
    panic("unmappages: va %p or size %p is not aligned", (void *)va,
          (void *)size);
  while (leaf_next(pagetable, &leaf, end)) {
    pte_t old = *leaf.pte;

    if (leaf.va < va || end - leaf.va < level_size(leaf.level))
      panic("unmappages: a part of the superpage at %p", (void *)leaf.va);
    *leaf.pte = 0;
    if (each != NULL)
      each(arg, old, leaf.level);
  }
}

int pagetable_split(pagetable_t pagetable, vaddr_t va) {
  int level;
  pte_t *pte = walk_leaf(pagetable, va, &level), old = *pte;
  pagetable_t table;

  if (level == 0 || !(old & PTE_V))
    return 0;
  table = kalloc_for(PAGE_TABLE);
  if (table == NULL)
    return -ENOMEM;
  for (uint i = 0; i < PT_ENTRIES; i++)
    table[i] = pte_part(old, level, i);
  /* the table's entries must be there before the hardware can come to them */
  __atomic_store_n(pte, pte_table(V2P(table)), __ATOMIC_RELEASE);
  return 0;
}

static bool table_empty(pagetable_t table) {
  return count_invalid(table, PT_ENTRIES) == PT_ENTRIES;
}

/* A range whose empty tables are taken out. */
struct trim {
  vaddr_t from, end;
  bool (*each)(void *arg, void *table);
  void *arg;
};

/* False: each() has enough. Then the same entry comes first the next time, so
 * that the tables above it are looked at, too. */
static bool trim_level(struct trim *t, pagetable_t pagetable, vaddr_t base,
                       int level) {
  uint i = t->from > base ? PX(level, t->from) : 0;

  for (;; i++) {
    pagetable_t table;
    vaddr_t va;

    i += count_invalid(pagetable + i, PT_ENTRIES - i);
    va = base + ((vaddr_t)i << PXSHIFT(level));
    if (i >= PT_ENTRIES || va >= t->end)
      break;
    if (pte_leaf(pagetable[i], level))
      continue;
    table = P2V(PTE2PA(pagetable[i]));
    if (level > 1 && !trim_level(t, table, va, level - 1))
      return false;
    if (table_empty(table)) {
      pagetable[i] = 0;
      if (!t->each(t->arg, table)) {
        t->from = MAX(t->from, va);
        return false;
      }
    }
  }
  return true;
}

vaddr_t pagetable_trim(pagetable_t pagetable, vaddr_t va, vaddr_t end,
                       bool (*each)(void *arg, void *table), void *arg) {
  struct trim t = {va, end, each, arg};

  return trim_level(&t, pagetable, 0, PT_LEVELS - 1) ? end : t.from;
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

int pagetable_each(pagetable_t pagetable, vaddr_t from, vaddr_t to,
                   int (*visit)(void *arg, vaddr_t va, int level, pte_t pte),
                   void *arg) {
  struct leaf leaf = {.va = from};

  while (leaf_next(pagetable, &leaf, to)) {
    int r = visit(arg, leaf.va, leaf.level, *leaf.pte);

    if (r != 0)
      return r;
  }
  return 0;
}

#define COUNT_SOME 32 /* tables; after so many others get the lock */

/* The tables are being counted, in order of address. */
struct count {
  vaddr_t from; /* those that begin below are done */
  size_t n;
  uint some; /* of which entries were looked at, since the lock was taken */
};

/* Count those below a table. False: it is enough for now, at this table's end. */
static bool count_level(struct count *c, pagetable_t pagetable, vaddr_t base,
                        int level) {
  uint entries = level == PT_LEVELS - 1 ? PT_OWN_ENTRIES : PT_ENTRIES;

  for (uint i = c->from > base ? PX(level, c->from) : 0; i < entries; i++) {
    vaddr_t va = base + ((vaddr_t)i << PXSHIFT(level));
    pte_t pte = pagetable[i];

    if (!(pte & PTE_V) || pte_leaf(pte, level))
      continue;
    c->n += va >= c->from;
    if (level > 1 && !count_level(c, P2V(PTE2PA(pte)), va, level - 1))
      return false;
  }
  c->from = base + ((vaddr_t)entries << PXSHIFT(level));
  return ++c->some < COUNT_SOME;
}

size_t pagetable_pages(pagetable_t pagetable, struct spinlock *lk) {
  const vaddr_t end = (vaddr_t)PT_OWN_ENTRIES << PXSHIFT(PT_LEVELS - 1);
  struct count c = {.n = 1};

  while (c.from < end) {
    c.some = 0;
    acquire(lk);
    count_level(&c, pagetable, 0, PT_LEVELS - 1);
    release(lk);
  }
  return c.n;
}
