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
 *
 * How long a way through the entries is, is up to a program. So each gives up ptl
 * after a few tables (leaf_next_under), and goes on from the address. What keeps
 * the range as it is meanwhile, as far as that matters, is the space's lock: held
 * alone, no fault makes entries in what was passed already. Entries may go at any
 * time, when an object loses pages.
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

/* Cached translations of a range have to go, too. */
static void stale_widen(struct stale *stale, vaddr_t from, vaddr_t to) {
  stale->from = stale->from < stale->to ? MIN(stale->from, from) : from;
  stale->to = MAX(stale->to, to);
}

void stale_flush(struct stale *stale) {
  if (stale->live && stale->from < stale->to)
    tables_flush_user(&stale->space->arch, stale->from,
                      stale->to - stale->from);
  stale->from = stale->to = 0;
}

void gather_init(struct gather *g, struct space *s, bool live) {
  g->stale = (struct stale){.space = s, .live = live};
  g->n = 0;
}

void gather_flush(struct gather *g) { stale_flush(&g->stale); }

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
  stale_widen(&g->stale, l->va, l->va + level_size(l->level));
}

/* What a leaf maps is not this space's any more. ptl held. */
static void forget_anon(struct region *r, const struct leaf *l) {
  if (!(r->flags & REGION_SHARED) && uvm_anonymous(pte_page(*l->pte)))
    r->space->anon -= level_size(l->level) / PGSIZE;
}

bool uvm_take_some(struct gather *g, struct region *r, vaddr_t *from,
                   vaddr_t to, bool shown) {
  struct space *s = r->space;
  struct leaf l = {.va = *from};

  acquire(&s->ptl);
  while (leaf_next_some(s->pagetable, &l, to)) {
    if (shown && uvm_anonymous(pte_page(*l.pte)))
      continue;
    if (g->n == GATHER_MAX)
      break;
    gather_leaf(g, &l);
    forget_anon(r, &l);
    *l.pte = 0;
  }
  release(&s->ptl);
  *from = l.va;
  return l.va >= to;
}

void uvm_take(struct gather *g, struct region *r, vaddr_t from, vaddr_t to) {
  while (!uvm_take_some(g, r, &from, to, false))
    if (g->n == GATHER_MAX)
      gather_empty(g);
}

void uvmdealloc(struct region *r, vaddr_t from, vaddr_t to) {
  struct gather g;

  gather_init(&g, r->space, true);
  uvm_take(&g, r, from, to);
  gather_empty(&g);
}

#define TRIM_SOME 16 /* tables; when there are so many others get ptl */

static bool gather_table(void *arg, void *table) {
  struct gather *g = arg;

  g->held[g->n++] = (vaddr_t)table;
  return g->n < GATHER_MAX && g->n % TRIM_SOME != 0;
}

void uvm_take_tables(struct gather *g, vaddr_t from, vaddr_t to) {
  struct space *s = g->stale.space;
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
      stale_widen(&g->stale, from, to);
  }
}

void uvm_protect(struct region *r) {
  struct space *s = r->space;
  struct stale stale = {.space = s, .live = true};
  struct leaf l = {.va = r->start};

  acquire(&s->ptl);
  while (leaf_next_under(s->pagetable, &l, r->end, &s->ptl)) {
    uint keep = *l.pte & PTE_W ? r->rights : r->rights & ~(uint)PROT_WRITE;
    pte_t pte = uvm_pte(pte_page(*l.pte), keep, l.level);

    if (*l.pte & ~pte & (PTE_R | PTE_W | PTE_X | PTE_U))
      stale_widen(&stale, l.va, l.va + level_size(l.level));
    *l.pte = pte;
  }
  release(&s->ptl);
  /* other threads must notice what they lost before the caller is told that it
   * is done; what they gained they find out */
  stale_flush(&stale);
}

void uvm_protect_page(struct stale *stale, struct region *r, vaddr_t va) {
  struct space *s = r->space;
  pte_t *pte;
  int level;

  acquire(&s->ptl);
  pte = walk_leaf(s->pagetable, va, &level);
  if ((*pte & PTE_V) && (*pte & PTE_W)) {
    *pte &= ~(pte_t)PTE_W;
    /* the next write must fault, so that the page is known to be dirty */
    stale_widen(stale, va, va + PGSIZE);
  }
  release(&s->ptl);
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
  vaddr_t last = l->va;

  while (leaf_next_some(r->space->pagetable, l, r->end)) {
    if (to != NULL && l->level == 0 && l->va == last + PGSIZE &&
        PX(0, l->va) != 0)
      to++; /* side by side, in the child, too */
    else
      to = walk_level(child->pagetable, l->va, l->level, true);
    if (to == NULL)
      return -ENOMEM;
    share_page(r, child, l, to, lost);
    last = l->va;
  }
  return l->va < r->end;
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
    l = (struct leaf){.va = l.va};
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
  while (leaf_next_under(s->pagetable, &l, to, &s->ptl)) {
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
