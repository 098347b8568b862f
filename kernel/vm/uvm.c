/*
 * User page tables. See uvm.h.
 *
 * Entries change under the space's ptl only. A frame that an entry led to is
 * given up in three steps:
 *
 *   entry = 0           no CPU can learn of it any more        under ptl
 *   tables_flush_user   no CPU remembers it                    ptl released
 *   frame_put           it may become something else
 *
 * Many entries are cleared before one flush: the frames wait in a struct
 * gather, and so do pages of the table itself, which a CPU may still walk
 * through. It takes what a megabyte has, with its table, and is emptied when it
 * is full. Frames are not linked through the pages themselves, which other CPUs may
 * still write until the flush, and which others may go on using.
 */
#include "vm/uvm.h"

#include "debug.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "sync/trace.h"
#include "vm/space.h"

pagetable_t uvmcreate(void) {
  pagetable_t pagetable = pagetable_create();

  if (pagetable == NULL)
    return NULL;
  if (tables_prepare_user(pagetable) < 0) {
    tables_unprepare_user(pagetable);
    uvmfree(pagetable);
    return NULL;
  }
  return pagetable;
}

void uvmfree(pagetable_t pagetable) { freewalk(pagetable); }

bool uvm_anonymous(const void *page) { return frame_owner(page) == PAGE_USER; }

/* A page without rights keeps its frame: the entry is valid, without PTE_U. It
 * is no global one, though nothing but the kernel may use it. */
pte_t uvm_pte(const void *page, uint rights, int level) {
  uint perm = rights == PROT_NONE ? PTE_R : prot_to_pte(rights);
  pte_t pte =
      level > 0 ? pte_super(V2P(page), perm) : pte_make(V2P(page), perm);

  return pte & ~(pte_t)PTE_G;
}

void uvm_set(pte_t *at, pte_t pte) {
  __atomic_store_n(at, pte, __ATOMIC_RELEASE);
}

/* --- taking away --- */

#define BLOCK 1 /* added to a page's address: it is a superpage's */

void gather_init(struct gather *g, struct space *s, bool live) {
  g->space = s;
  g->live = live;
  g->n = 0;
  g->from = g->to = 0;
}

/* Cached translations of a range have to go, too. */
static void gather_widen(struct gather *g, vaddr_t from, vaddr_t to) {
  g->from = g->from < g->to ? MIN(g->from, from) : from;
  g->to = MAX(g->to, to);
}

void gather_flush(struct gather *g) {
  if (g->live && g->from < g->to)
    tables_flush_user(&g->space->arch, g->from, g->to - g->from);
  g->from = g->to = 0;
}

void gather_put(struct gather *g) {
  for (uint i = 0; i < g->n; i++) {
    if (g->held[i] & BLOCK)
      block_put((void *)(g->held[i] - BLOCK));
    else
      frame_put((void *)g->held[i]);
  }
  g->n = 0;
}

static void gather_empty(struct gather *g) {
  gather_flush(g);
  gather_put(g);
}

static void gather_leaf(struct gather *g, const struct leaf *l) {
  g->held[g->n++] = (vaddr_t)pte_page(*l->pte) + (l->level > 0 ? BLOCK : 0);
  gather_widen(g, l->va, l->va + level_size(l->level));
}

/* What a leaf maps is not this space's any more. ptl held. */
static void forget_anon(struct region *r, const struct leaf *l) {
  if (!(r->flags & REGION_SHARED) && uvm_anonymous(pte_page(*l->pte)))
    r->space->anon -= level_size(l->level) / PGSIZE;
}

/* uvm_take(), or only what is an object's page: `shown`. */
static void take(struct gather *g, struct region *r, vaddr_t from, vaddr_t to,
                 bool shown) {
  struct space *s = g->space;
  struct leaf l = {.va = from};

  acquire(&s->ptl);
  while (leaf_next(s->pagetable, &l, to)) {
    if (shown && uvm_anonymous(pte_page(*l.pte)))
      continue;
    if (g->n == GATHER_MAX) {
      release(&s->ptl);
      gather_empty(g);
      acquire(&s->ptl);
      l = (struct leaf){.va = l.va}; /* it may have changed: look again */
      continue;
    }
    gather_leaf(g, &l);
    forget_anon(r, &l);
    *l.pte = 0;
  }
  release(&s->ptl);
}

void uvm_take(struct gather *g, struct region *r, vaddr_t from, vaddr_t to) {
  take(g, r, from, to, false);
}

static void take_and_put(struct region *r, vaddr_t from, vaddr_t to,
                         bool shown) {
  struct gather g;

  gather_init(&g, r->space, true);
  take(&g, r, from, to, shown);
  gather_empty(&g);
}

void uvmdealloc(struct region *r, vaddr_t from, vaddr_t to) {
  take_and_put(r, from, to, false);
}

void uvm_release(struct region *r) { take_and_put(r, r->start, r->end, true); }

static bool gather_table(void *arg, void *table) {
  struct gather *g = arg;

  g->held[g->n++] = (vaddr_t)table;
  return g->n < GATHER_MAX;
}

void uvm_take_tables(struct gather *g, vaddr_t from, vaddr_t to) {
  struct space *s = g->space;
  vaddr_t at = from;

  while (at < to) {
    uint before;

    if (g->n == GATHER_MAX)
      gather_empty(g);
    before = g->n;
    acquire(&s->ptl);
    at = pagetable_trim(s->pagetable, at, to, gather_table, g);
    release(&s->ptl);
    if (g->n > before)
      gather_widen(g, from, to);
  }
}

void uvm_protect(struct region *r) {
  struct space *s = r->space;
  struct leaf l = {.va = r->start};
  vaddr_t from = r->end, to = r->start;

  acquire(&s->ptl);
  while (leaf_next(s->pagetable, &l, r->end)) {
    uint keep = *l.pte & PTE_W ? r->rights : r->rights & ~(uint)PROT_WRITE;
    pte_t pte = uvm_pte(pte_page(*l.pte), keep, l.level);

    if (*l.pte & ~pte & (PTE_R | PTE_W | PTE_X | PTE_U)) {
      from = MIN(from, l.va);
      to = l.va + level_size(l.level);
    }
    *l.pte = pte;
  }
  release(&s->ptl);
  /* other threads must notice what they lost before the caller is told that it
   * is done; what they gained they find out */
  if (from < to)
    tables_flush_user(&s->arch, from, to - from);
}

void uvm_protect_page(struct region *r, vaddr_t va) {
  struct space *s = r->space;
  pte_t *pte;
  bool lost;
  int level;

  acquire(&s->ptl);
  pte = walk_leaf(s->pagetable, va, &level);
  lost = (*pte & PTE_V) && (*pte & PTE_W);
  if (lost)
    *pte &= ~(pte_t)PTE_W;
  release(&s->ptl);
  /* the next write must fault, so that the page is known to be dirty */
  if (lost)
    tables_flush_user(&s->arch, va, PGSIZE);
}

/* --- superpages --- */

int uvm_split_locked(struct space *s, vaddr_t va) {
  int level, r;
  pte_t pte = *walk_leaf(s->pagetable, va, &level);

  if (level == 0 || !(pte & PTE_V))
    return 0;
  /* What was one reference to a block are references to its pages. Nothing is
   * flushed: both entries say the same, and a flush of a page takes a superpage
   * around it away, too. */
  r = pagetable_split(s->pagetable, va);
  if (r == 0) {
    block_break(pte_page(pte));
    trace(TRACE_SPLIT, va & -level_size(level), 0);
  }
  return r;
}

int uvm_split_at(struct space *s, vaddr_t va) {
  int r = 0;

  if (va % level_size(1) == 0 || va >= SPACE_END)
    return 0;
  acquire(&s->ptl);
  r = uvm_split_locked(s, va);
  release(&s->ptl);
  return r;
}

/* The table of the superpage-sized stretch that va is in, or NULL: a superpage is
 * there, or nothing. ptl held. */
static pagetable_t stretch_table(struct space *s, vaddr_t va) {
  const pte_t *at = walk_level(s->pagetable, va, 1, false);

  if (at == NULL || !(*at & PTE_V) || pte_leaf(*at, 1))
    return NULL;
  return P2V(PTE2PA(*at));
}

/* A page at va was just written: where its neighbours are is soon seen that not
 * all are there. ptl held. */
static enum uvm_stretch stretch_locked(struct space *s, vaddr_t va) {
  const pte_t *table = stretch_table(s, va);
  uint own = 0, holes = 0, before = PX(0, va) + PT_ENTRIES - 1;

  for (uint i = 0; table != NULL && i < PT_ENTRIES; i++) {
    pte_t pte = table[(before + i) % PT_ENTRIES];

    if (!(pte & PTE_V) || pte_page(pte) == zero_page)
      holes++;
    else if (pte & PTE_W)
      own++; /* nobody else may have it */
    else
      return STRETCH_MIXED;
    if (own > 1 && holes > 0)
      return STRETCH_MIXED;
  }
  return own == 1 ? STRETCH_BEGUN : own > 0 ? STRETCH_FULL : STRETCH_MIXED;
}

enum uvm_stretch uvm_stretch(struct space *s, vaddr_t va) {
  enum uvm_stretch is;

  acquire(&s->ptl);
  is = stretch_locked(s, va);
  release(&s->ptl);
  return is;
}

/* Move what a table maps to a block. Pages that were there before. */
static uint collect(pagetable_t table, char *block) {
  uint n = 0;

  for (uint i = 0; i < PT_ENTRIES; i++, block += PGSIZE) {
    void *page = pte_page(table[i]);

    if (!(table[i] & PTE_V) || page == zero_page) {
      memset(block, 0, PGSIZE);
    } else {
      memcpy(block, page, PGSIZE);
      frame_put(page);
      n++;
    }
  }
  return n;
}

bool uvm_join(struct region *r, vaddr_t va) {
  struct space *s = r->space;
  void *block = block_alloc(PAGE_USER);
  pagetable_t table = NULL;
  pte_t *at = NULL;
  uint n;

  if (block == NULL)
    return false;
  acquire(&s->ptl);
  if (stretch_locked(s, va) != STRETCH_MIXED) {
    table = stretch_table(s, va);
    at = walk_level(s->pagetable, va, 1, false);
    *at = 0;
  }
  release(&s->ptl);
  if (table == NULL) {
    block_put(block);
    return false;
  }
  /* nobody writes to the pages after this, and nobody walks through the table;
   * who tries to waits for the space's lock */
  tables_flush_user(&s->arch, va & -level_size(1), level_size(1));
  n = collect(table, block);
  if (r->rights & PROT_EXEC)
    instructions_mapped(&s->arch);
  acquire(&s->ptl);
  s->anon += level_size(1) / PGSIZE - n;
  uvm_set(at, uvm_pte(block, r->rights, 1));
  release(&s->ptl);
  kfree(table);
  trace(TRACE_FAULT_SUPER, va & -level_size(1), V2P(block));
  return true;
}

/* --- sharing with a child --- */

#define COPY_MAX 512 /* entries that are copied before others get the locks */

/* Copy one entry. Both ptls are held. */
static void share_page(struct region *r, struct space *child,
                       const struct leaf *l, pte_t *to, bool *lost) {
  void *page = pte_page(*l->pte);

  if (!(r->flags & REGION_SHARED)) {
    *lost |= (*l->pte & PTE_W) != 0;
    *l->pte &= ~(pte_t)PTE_W;
    if (uvm_anonymous(page))
      child->anon += level_size(l->level) / PGSIZE;
  }
  if (l->level > 0)
    block_get(page);
  else
    frame_get(page);
  uvm_set(to, *l->pte);
}

/* Copy some entries; 1: and there may be more. Both ptls are held: what a
 * truncation removes from the parent is then not copied, and what was copied
 * before is removed from the child, which comes later in its list. */
static int share_pages(struct region *r, struct space *child, struct leaf *l,
                       bool *lost) {
  pte_t *to = NULL;

  for (int n = 0; n < COPY_MAX; n++) {
    vaddr_t last = l->va;

    if (!leaf_next(r->space->pagetable, l, r->end))
      return 0;
    if (to != NULL && l->level == 0 && l->va == last + PGSIZE &&
        PX(0, l->va) != 0)
      to++; /* side by side, in the child, too */
    else
      to = walk_level(child->pagetable, l->va, l->level, true);
    if (to == NULL)
      return -ENOMEM;
    share_page(r, child, l, to, lost);
  }
  return 1;
}

int uvmcopy(struct region *r, struct space *child, bool *lost) {
  struct space *s = r->space;
  struct leaf l = {.va = r->start};
  int more;

  do {
    acquire(&s->ptl);
    debug_lock_is_new(&child->ptl); /* it does not run yet */
    acquire(&child->ptl);
    more = share_pages(r, child, &l, lost);
    release(&child->ptl);
    release(&s->ptl);
    l = (struct leaf){.va = l.va + level_size(l.level)};
  } while (more > 0);
  return more;
}

/* --- the rest --- */

void *uvm_page(struct region *r, vaddr_t va) {
  struct space *s = r->space;
  void *page = NULL;
  pte_t *pte;

  acquire(&s->ptl);
  pte = walk(s->pagetable, va, true);
  if (pte != NULL && (*pte & PTE_V))
    page = pte_page(*pte);
  else if (pte != NULL && (page = kalloc_zero(PAGE_USER)) != NULL) {
    uvm_set(pte, uvm_pte(page, r->rights, 0));
    s->anon++;
  }
  release(&s->ptl);
  return page;
}

void uvm_usage(struct space *s, vaddr_t from, vaddr_t to, struct uvm_usage *u) {
  struct leaf l = {.va = from};

  acquire(&s->ptl);
  while (leaf_next(s->pagetable, &l, to)) {
    const void *page = pte_page(*l.pte);
    size_t n = level_size(l.level) / PGSIZE;

    u->resident += n;
    u->shared += l.level > 0 ? block_shared(page) : frame_count(page) > 1;
    if (uvm_anonymous(page))
      u->dirty += n;
    if (l.level > 0)
      u->super += n;
  }
  release(&s->ptl);
}
