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
 *   not valid         of an object     any     the object's page      file
 *   valid, no W       private          write   a copy, or if nobody else has
 *                                              the frame, the right   copy
 *   valid, no W       shared           write   tell the object first  file
 *   allows it                                  only the TLB was old
 *
 * Several threads may be in here at once. What the entry shall lead to is made
 * without a spin lock; then, under ptl, the entry is set if it is still what it
 * was. If it is not, somebody else was faster: the program tries again, and
 * faults again if need be.
 */
#include "vm/fault.h"

#include "lib/string.h"
#include "mm/kalloc.h"
#include "tlb.h"

struct fault {
  struct space *s;
  struct region *r;
  vaddr_t page;
  uint access;
  pte_t seen; /* the entry when we came */
  struct objpage
      *held; /* the object's page that the entry shall show, or NULL */
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
  }
}

/* Count for the space and for the system; ptl held. */
#define count_fault(s, kind, n)      \
  do {                               \
    (s)->faults.kind += (n);         \
    counts[mycpu()->id].kind += (n); \
  } while (0)

/* The entry of a page, or 0. ptl held. */
static pte_t entry_of(struct space *s, vaddr_t page) {
  pte_t *pte = walk(s->pagetable, page, false);

  return pte ? *pte : 0;
}

/* Is the page that is to be shown, if it is an object's, not truncated? */
static bool still_attached(struct fault *f) {
  struct memobject *o = f->r->object;

  return f->held == NULL || o->ops->attached(o, f->held);
}

/* If the entry is still what it was, it is `pte` from now on. 1; 0: it is not,
 * and nothing was done; or -ENOMEM. ptl held. */
static int install(struct fault *f, pte_t pte) {
  pte_t *at = walk(f->s->pagetable, f->page, true);

  if (at == NULL)
    return -ENOMEM;
  if (*at != f->seen || !still_attached(f))
    return 0;
  uvm_set(at, pte);
  return 1;
}

/* A private page takes the place of what was seen, if that is still there. Our
 * reference to it is the entry's, or is given up. */
static int install_private(struct fault *f, void *page) {
  int r;

  if (f->r->rights & PROT_EXEC)
    instructions_written();
  acquire(&f->s->ptl);
  r = install(f, uvm_pte(page, f->r->rights));
  if (r > 0)
    f->s->anon++;
  release(&f->s->ptl);
  if (r <= 0)
    frame_put(page);
  return r;
}

static void count_zero(struct fault *f) {
  acquire(&f->s->ptl);
  count_fault(f->s, zero, 1);
  release(&f->s->ptl);
}

static void count_copy(struct fault *f) {
  acquire(&f->s->ptl);
  count_fault(f->s, copy, 1);
  release(&f->s->ptl);
}

/* Untouched memory. The hardware may have remembered that the entry is not
 * valid: then it faults once more, and the entry is found to be right. */
static int fault_zero(struct fault *f) {
  int r;

  if (f->access == PROT_WRITE) {
    void *page = kalloc_zero(PAGE_USER);

    r = page ? install_private(f, page) : -ENOMEM;
  } else {
    acquire(&f->s->ptl);
    r = install(f, uvm_pte(zero_page, f->r->rights & ~(uint)PROT_WRITE));
    release(&f->s->ptl);
  }
  if (r > 0)
    count_zero(f);
  return MIN(r, 0);
}

/* The frame that was seen is this space's alone: then the page may be written
 * where it is. Else true, and the frame is held so that it can be copied. */
static bool must_copy(struct fault *f, void *old) {
  bool copy = false;

  acquire(&f->s->ptl);
  if (entry_of(f->s, f->page) == f->seen) {
    /* nobody can gain the frame from us: that takes ptl */
    copy = !uvm_anonymous(old) || frame_count(old) > 1;
    if (copy)
      frame_get(old);
    else
      install(f, uvm_pte(old, f->r->rights));
  }
  release(&f->s->ptl);
  if (!copy)
    tlb_flush_page(f->page); /* other CPUs fault, and do the same */
  return copy;
}

/* A write to a private page that others may have, too. */
static int fault_copy(struct fault *f) {
  void *old = pte_page(f->seen), *page;
  int r;

  if (!must_copy(f, old))
    return 0;
  page = old == zero_page ? kalloc_zero(PAGE_USER) : kalloc_for(PAGE_USER);
  if (page != NULL && old != zero_page)
    memcpy(page, old, PGSIZE);
  r = page ? install_private(f, page) : -ENOMEM;
  if (r > 0) {
    /* Other threads must see the new page, too, and the old frame may go. */
    tables_flush_user(&f->s->arch, f->page, PGSIZE);
    frame_put(old); /* the entry's */
    acquire(&f->s->ptl);
    if (uvm_anonymous(old))
      f->s->anon--;
    release(&f->s->ptl);
    count_copy(f);
  }
  frame_put(old); /* ours */
  return MIN(r, 0);
}

/* --- pages of objects --- */

/* A write to a private page of an object that was not touched yet. */
static int copy_held(struct fault *f) {
  void *page = kalloc_for(PAGE_USER);
  int r;

  if (page == NULL)
    return -ENOMEM;
  memcpy(page, f->held->page, PGSIZE);
  r = install_private(f, page);
  if (r > 0)
    count_copy(f);
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
    instructions_written();
  acquire(&f->s->ptl);
  r = install(f, uvm_pte(f->held->page, rights));
  if (r > 0 && !(f->seen & PTE_V))
    frame_get(f->held->page);
  if (r > 0)
    count_fault(f->s, file, 1);
  release(&f->s->ptl);
  if (f->seen & PTE_V)
    tlb_flush_page(f->page); /* other CPUs fault, and find it so */
  return r;
}

#define AROUND \
  16 /* pages, aligned, of which those in memory are mapped at once */

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
    uvmdealloc(f->r, f->page, f->page + PGSIZE, true); /* an old one: anew */
  else
    r = map_held(f);
  o->ops->drop(o, &p);
  if (r > 0 && !write)
    map_around(f);
  return MIN(r, 0);
}

/* s->lock is shared. */
static int resolve_locked(struct fault *f, vaddr_t va) {
  f->r = space_find_locked(f->s, va);
  acquire(&f->s->ptl);
  count_fault(f->s, total, 1);
  f->seen = entry_of(f->s, f->page);
  release(&f->s->ptl);
  if (f->r == NULL || (f->r->rights & f->access) != f->access)
    return -EFAULT;
  if (pte_allows(f->seen, prot_to_pte(f->access))) {
    /* the CPU remembers an older entry */
    tlb_flush_page(f->page);
    return 0;
  }
  if (!(f->seen & PTE_V))
    return f->r->object ? fault_object(f) : fault_zero(f);
  return f->r->flags & REGION_SHARED ? fault_object(f) : fault_copy(f);
}

int (*fault_out_of_memory)(struct space *s, uint attempt);

int fault_resolve(struct space *s, vaddr_t va, uint access) {
  int r = va < SPACE_END ? -ENOMEM : -EFAULT;

  for (uint attempt = 0; r == -ENOMEM; attempt++) {
    struct fault f = {.s = s, .page = PGROUNDDOWN(va), .access = access};

    acquire_shared(&s->lock);
    r = resolve_locked(&f, va);
    release_shared(&s->lock);
    if (r == -ENOMEM &&
        (fault_out_of_memory == NULL || fault_out_of_memory(s, attempt) < 0))
      break;
  }
  return r;
}
