/*
 * The one fault path.
 *
 *   hardware: trap_page_fault() --+
 *                                 +--> fault_resolve() --> a page, or an error
 *   copyin(), copyout() ----------+
 *
 * The region decides whether the access is right. If it is, what there is to do
 * follows from the region and the entry:
 *
 *   entry             region           access
 *   not valid         anonymous        read    the page of zeros      zero
 *   not valid         anonymous        write   a new page of zeros    zero
 *                                              or a superpage         super
 *   not valid         of an object     any     the object's page      file
 *   valid, no W       private          write   a copy                 copy
 *                                              or if nobody else has
 *                                              the frame, the right   reuse
 *   superpage, no W   private          write   the right              reuse
 *                                              or pages: look again
 *   valid, no W       shared           write   tell the object first  file
 *   allows it                                  only the TLB was old
 *
 * A superpage also takes the place of pages: when the first page of a stretch is
 * written of which some were read before, and when the last page of a stretch
 * has come that all belong to the space alone. Then no other fault may be served
 * meanwhile, so it is done afterwards, with the space's lock held alone (join).
 *
 * Several threads may be in here at once. What the entry shall lead to is made
 * without a spin lock; then, under ptl, the entry is set if it is still what it
 * was. If it is not, somebody else was faster: the program tries again, and
 * faults again if need be.
 */
#include "vm/fault.h"

#include "lib/string.h"
#include "mm/kalloc.h"
#include "sync/spinlock.h"
#include "sync/trace.h"
#include "tlb.h"

/* One page in so many stays free when more is given than was asked for. */
#define KEEP_FREE 4

struct fault {
  struct space *s;
  struct region *r;
  vaddr_t page;
  uint access;
  pte_t seen;           /* the entry when we came, */
  int level;            /* and its level: a superpage's, or where no table is */
  struct objpage *held; /* the object's page that it shall show, or NULL */
  bool join;            /* it pays to have a superpage there now */
};

static struct fault_counts counts[NCPU]; /* since boot, by CPU, which alone
                                            changes it */

void fault_totals(struct fault_counts *total) {
  *total = (struct fault_counts){0};
  for (int i = 0; i < ncpu; i++) {
    total->total += counts[i].total;
    total->zero += counts[i].zero;
    total->copy += counts[i].copy;
    total->file += counts[i].file;
    total->super += counts[i].super;
    total->reuse += counts[i].reuse;
    total->refused += counts[i].refused;
  }
}

/* Count for the space and for the system. */
#define count_fault(s, kind)                                    \
  do {                                                          \
    __atomic_fetch_add(&(s)->faults.kind, 1, __ATOMIC_RELAXED); \
    push_off();                                                 \
    counts[mycpu()->id].kind++;                                 \
    pop_off();                                                  \
  } while (0)

/* Note what the program now finds at the page: `frame`, or what begins there. */
static void trace_fault(const struct fault *f, enum trace_kind kind,
                        const void *frame) {
  trace(kind, f->page, V2P(frame));
}

/* What was seen is the space's alone, and has its right to write back. */
static void reused(const struct fault *f, const void *frame) {
  count_fault(f->s, reuse);
  trace_fault(f, TRACE_FAULT_REUSE, frame);
}

/* Look at the entry. ptl held. */
static void look(struct fault *f) {
  f->seen = *walk_leaf(f->s->pagetable, f->page, &f->level);
}

/* Is it still so? ptl held. */
static bool unchanged(struct fault *f) {
  int level;

  return *walk_leaf(f->s->pagetable, f->page, &level) == f->seen &&
         (level == f->level || !(f->seen & PTE_V));
}

/* Is the page that is to be shown, if it is an object's, not truncated? */
static bool still_attached(struct fault *f) {
  struct memobject *o = f->r->object;

  return f->held == NULL || o->ops->attached(o, f->held);
}

/* If the entry is still what it was, it is `pte` from now on. 1; 0: it is not,
 * and nothing was done; or -ENOMEM. ptl held. */
static int install(struct fault *f, pte_t pte) {
  pte_t *at;

  if (!unchanged(f) || !still_attached(f))
    return 0;
  at = walk(f->s->pagetable, f->page, true);
  if (at == NULL)
    return -ENOMEM;
  uvm_set(at, pte);
  return 1;
}

/* A private page takes the place of what was seen, if that is still there. Our
 * reference to it is the entry's, or is given up. */
static int install_private(struct fault *f, void *page, uint rights) {
  int r;

  if (f->r->rights & PROT_EXEC)
    instructions_mapped(&f->s->arch);
  acquire(&f->s->ptl);
  r = install(f, uvm_pte(page, rights, 0));
  if (r > 0)
    f->s->anon++;
  release(&f->s->ptl);
  if (r <= 0)
    frame_put(page);
  return r;
}

/* --- memory that starts as zeros --- */

/* May the program get n pages where it asked for one? Not in a region that may be
 * larger than memory, of which little may ever be touched; and not when memory
 * is getting short. */
static bool may_be_generous(const struct fault *f, size_t n) {
  return !(f->r->flags & (REGION_NORESERVE | REGION_STACK)) &&
         pages_owned(PAGE_FREE) > pages_total() / KEEP_FREE + n;
}

/* Could a superpage hold the page: is a whole one inside the region? */
static bool super_fits(const struct fault *f) {
  size_t size = level_size(1);
  vaddr_t at = f->page & -size;

  return at >= f->r->start && f->r->end - at >= size &&
         may_be_generous(f, size / PGSIZE);
}

/* Map a superpage of zeros around the page. False: none could be had, or others
 * were faster. */
static bool fault_super(struct fault *f) {
  void *block = block_alloc(PAGE_USER);
  pte_t *at;
  bool done;

  if (block == NULL)
    return false;
  memset(block, 0, level_size(1));
  if (f->r->rights & PROT_EXEC)
    instructions_mapped(&f->s->arch);
  acquire(&f->s->ptl);
  at = walk_level(f->s->pagetable, f->page, 1, true);
  done = at != NULL && !(*at & PTE_V);
  if (done) {
    uvm_set(at, uvm_pte(block, f->r->rights, 1));
    f->s->anon += level_size(1) / PGSIZE;
  }
  release(&f->s->ptl);
  if (done) {
    count_fault(f->s, super);
    trace_fault(f, TRACE_FAULT_SUPER, block);
  } else {
    block_put(block);
  }
  return done;
}

/* Pages written side by side from which on some are given ahead, and how many
 * at most. */
#define AHEAD_MIN 8
#define AHEAD_MAX 16

/* Pages below this one, side by side, that the program has written, up to
 * AHEAD_MAX and to the first that the same page-table page maps. */
static uint written_below(struct fault *f) {
  uint most = MIN(AHEAD_MAX, PX(0, f->page)), n = 0;
  const pte_t *at;

  acquire(&f->s->ptl);
  at = walk(f->s->pagetable, f->page, false);
  for (; at != NULL && n < most && (at[-1] & PTE_V) && (at[-1] & PTE_W); at--)
    n++;
  release(&f->s->ptl);
  return n;
}

/* A program that writes one page after the other gets as many at once as it has
 * written so far, and so faults less and less often; but not what a superpage
 * could still be for. */
static void zero_ahead(struct fault *f) {
  uint n = written_below(f);
  void *page;

  if (n < AHEAD_MIN)
    return;
  n = MIN(n, PT_ENTRIES - PX(0, f->page));
  for (uint i = 1; i < n; i++) {
    struct fault next = {.s = f->s,
                         .r = f->r,
                         .page = f->page + i * PGSIZE,
                         .access = f->access};

    if (next.page >= f->r->end || (page = kalloc_zero(PAGE_USER)) == NULL ||
        install_private(&next, page, f->r->rights) <= 0)
      break;
    count_fault(f->s, zero);
  }
}

/* Untouched memory. The hardware may have remembered that the entry is not
 * valid: then it faults once more, and the entry is found to be right. */
static int fault_zero(struct fault *f) {
  void *page = zero_page;
  int r;

  if (f->access == PROT_WRITE) {
    if (f->level >= 1 && super_fits(f) && fault_super(f))
      return 0;
    page = kalloc_zero(PAGE_USER);
    r = page ? install_private(f, page, f->r->rights) : -ENOMEM;
  } else {
    acquire(&f->s->ptl);
    r = install(f, uvm_pte(zero_page, f->r->rights & ~(uint)PROT_WRITE, 0));
    release(&f->s->ptl);
  }
  if (r > 0) {
    count_fault(f->s, zero);
    trace_fault(f, TRACE_FAULT_ZERO, page);
  }
  if (r > 0 && f->access == PROT_WRITE && may_be_generous(f, AHEAD_MAX))
    zero_ahead(f);
  return MIN(r, 0);
}

/* --- copy-on-write --- */

/* The frame that was seen is this space's alone: then the page may be written
 * where it is. Else true, and the frame is held so that it can be copied. */
static bool must_copy(struct fault *f, void *old) {
  bool copy = false;

  acquire(&f->s->ptl);
  if (unchanged(f)) {
    /* nobody can gain the frame from us: that takes ptl */
    copy = !uvm_anonymous(old) || frame_count(old) > 1;
    if (copy) {
      frame_get(old);
    } else {
      install(f, uvm_pte(old, f->r->rights, 0));
      reused(f, old);
    }
  }
  release(&f->s->ptl);
  if (!copy)
    tlb_refused(f->page); /* other CPUs fault, and do the same */
  return copy;
}

/* The copy is known to all: it may be written, unless something happened to the
 * entry meanwhile, in which case the program faults again. */
static void let_write(struct fault *f, void *page, bool anonymous) {
  acquire(&f->s->ptl);
  f->seen = uvm_pte(page, f->r->rights & ~(uint)PROT_WRITE, 0);
  if (unchanged(f))
    install(f, uvm_pte(page, f->r->rights, 0));
  if (anonymous)
    f->s->anon--;
  release(&f->s->ptl);
  tlb_refused(f->page); /* without the right to write until now */
}

/*
 * A write to a private page that others may have, too. Threads on other CPUs may
 * go on reading the old frame until they are told, so nobody may write to the
 * new one before:
 *
 *   entry -> copy, without W     others read the old or the new, which are equal
 *   tables_flush_user            all read the new one
 *   entry -> copy, with W
 *
 * We hold the copy meanwhile: a thread that faults in between finds it to have
 * two holders, and does not write to it either.
 */
static int fault_copy(struct fault *f) {
  void *old = pte_page(f->seen), *page;
  int r;

  if (!must_copy(f, old))
    return 0;
  page = old == zero_page ? kalloc_zero(PAGE_USER) : kalloc_for(PAGE_USER);
  if (page != NULL && old != zero_page)
    memcpy(page, old, PGSIZE);
  if (page != NULL)
    frame_get(page);
  r = page ? install_private(f, page, f->r->rights & ~(uint)PROT_WRITE)
           : -ENOMEM;
  if (r > 0) {
    tables_flush_user(&f->s->arch, f->page, PGSIZE);
    frame_put(old); /* the entry's */
    let_write(f, page, uvm_anonymous(old));
    count_fault(f->s, copy);
  }
  if (page != NULL)
    frame_put(page);
  frame_put(old); /* ours */
  if (r > 0)      /* who looks now sees frames held as they will be */
    trace_fault(f, TRACE_FAULT_COPY, page);
  return MIN(r, 0);
}

/* A write to a superpage. If nobody else has it, it may be written; else it
 * becomes a table of pages, of which those written to are copied: 1, to be looked
 * at again. */
static int fault_copy_super(struct fault *f) {
  void *block = pte_page(f->seen);
  int r = 0;

  acquire(&f->s->ptl);
  if (unchanged(f)) {
    if (block_count(block) > 1) {
      r = uvm_split_locked(f->s, f->page) < 0 ? -ENOMEM : 1;
    } else {
      uvm_set(walk_level(f->s->pagetable, f->page, f->level, false),
              uvm_pte(block, f->r->rights, f->level));
      reused(f, block);
    }
  }
  release(&f->s->ptl);
  if (r == 0)
    tlb_refused(f->page); /* other CPUs fault, and do the same */
  return r;
}

/* --- pages of objects --- */

/* A write to a private page of an object that was not touched yet. */
static int copy_held(struct fault *f) {
  void *page = kalloc_for(PAGE_USER);
  int r;

  if (page == NULL)
    return -ENOMEM;
  memcpy(page, f->held->page, PGSIZE);
  r = install_private(f, page, f->r->rights);
  if (r > 0) {
    count_fault(f->s, copy);
    trace_fault(f, TRACE_FAULT_COPY, page);
  }
  return r;
}

/* Show the page itself. What is private, or shared but not to be changed now,
 * comes without the right to write. */
static int map_held(struct fault *f) {
  uint rights = f->r->rights;
  int r;

  if (!f->held->write || !(f->r->flags & REGION_SHARED))
    rights &= ~(uint)PROT_WRITE;
  if (rights & PROT_EXEC)
    instructions_mapped(&f->s->arch);
  acquire(&f->s->ptl);
  r = install(f, uvm_pte(f->held->page, rights, 0));
  if (r > 0 && !(f->seen & PTE_V))
    frame_get(f->held->page);
  release(&f->s->ptl);
  if (r > 0)
    count_fault(f->s, file);
  if (f->seen & PTE_V)
    tlb_refused(f->page); /* other CPUs fault, and find it so */
  return r;
}

/* Pages, aligned, of which those in memory are mapped at once. */
#define AROUND 16

/* A program that reads or executes a page soon wants its neighbours: map those
 * that are in memory anyway. */
static void map_around(struct fault *f) {
  struct memobject *o = f->r->object;
  vaddr_t from = f->page & -(vaddr_t)(AROUND * PGSIZE);
  vaddr_t to = MIN(from + AROUND * PGSIZE, f->r->end);
  struct objpage p;

  for (vaddr_t va = MAX(from, f->r->start); va < to; va += PGSIZE) {
    struct fault other = {
        .s = f->s, .r = f->r, .page = va, .seen = 0, .held = &p};

    if (va == f->page || !o->ops->peek(o, region_index(f->r, va), &p))
      continue;
    map_held(&other);
    o->ops->drop(o, &p);
  }
}

static int fault_object(struct fault *f) {
  struct memobject *o = f->r->object;
  bool write = f->access == PROT_WRITE, shared = f->r->flags & REGION_SHARED;
  struct objpage p;
  int r = o->ops->hold(o, region_index(f->r, f->page), write && shared, &p);

  if (r < 0)
    return r;
  f->held = &p;
  if (write && !shared)
    r = copy_held(f);
  else if ((f->seen & PTE_V) && pte_page(f->seen) != p.page)
    uvmdealloc(f->r, f->page, f->page + PGSIZE); /* an old one: anew */
  else if ((r = map_held(f)) > 0)
    trace_fault(f, TRACE_FAULT_FILE, p.page);
  o->ops->drop(o, &p);
  if (r > 0 && !write)
    map_around(f);
  return MIN(r, 0);
}

/* What the table at the top says. 1: look again. s->lock is shared. */
static int resolve_entry(struct fault *f) {
  acquire(&f->s->ptl);
  look(f);
  release(&f->s->ptl);
  if (pte_allows(f->seen, prot_to_pte(f->access))) {
    /* the CPU remembers an older entry */
    tlb_refused(f->page);
    return 0;
  }
  if (!(f->seen & PTE_V))
    return f->r->object ? fault_object(f) : fault_zero(f);
  if (f->level > 0)
    return fault_copy_super(f);
  return f->r->flags & REGION_SHARED ? fault_object(f) : fault_copy(f);
}

/* --- pages that become a superpage --- */

/* All pages of a stretch are copied only when faults have done as much since that
 * was done last: else it would be for nothing in a program that frees and touches
 * a page again and again. Counted are faults, and the pages that they made. */
static uint work_done(const struct space *s) {
  return s->faults.total + s->faults.zero + s->faults.copy;
}

/* A page was written. Does it pay to have a superpage now? The space's lock is
 * held, to be sure alone. */
static bool join_pays(const struct fault *f) {
  if (f->access != PROT_WRITE || f->r->object != NULL || !super_fits(f))
    return false;
  switch (uvm_stretch(f->s, f->page)) {
    case STRETCH_BEGUN:
      return true;
    case STRETCH_FULL:
      return work_done(f->s) - f->s->joined >= PT_ENTRIES;
    default:
      return false;
  }
}

/* Put a superpage in the place of the pages around one that was written. */
static void join(struct space *s, vaddr_t page) {
  struct fault f = {.s = s, .page = page, .access = PROT_WRITE};

  acquire_exclusive(&s->lock);
  f.r = space_find_locked(s, page);
  if (f.r != NULL && (f.r->rights & PROT_WRITE) && join_pays(&f) &&
      uvm_join(f.r, page)) {
    s->joined = work_done(s);
    count_fault(s, super);
  }
  release_exclusive(&s->lock);
}

static int resolve_locked(struct fault *f) {
  int r;

  count_fault(f->s, total);
  f->r = space_find_locked(f->s, f->page);
  if (f->r == NULL || (f->r->rights & f->access) != f->access)
    return -EFAULT;
  do {
    r = resolve_entry(f);
  } while (r > 0);
  f->join = r == 0 && join_pays(f);
  return r;
}

int (*fault_out_of_memory)(struct space *s, uint attempt);

int fault_resolve(struct space *s, vaddr_t va, uint access) {
  uint attempt = 0;
  int r;

  do {
    struct fault f = {.s = s, .page = PGROUNDDOWN(va), .access = access};

    acquire_shared(&s->lock);
    r = resolve_locked(&f);
    release_shared(&s->lock);
    if (f.join)
      join(s, f.page);
  } while (r == -ENOMEM && fault_out_of_memory != NULL &&
           fault_out_of_memory(s, attempt++) >= 0);
  if (r < 0) {
    count_fault(s, refused);
    trace(TRACE_FAULT_REFUSED, PGROUNDDOWN(va), access);
  }
  return r;
}
