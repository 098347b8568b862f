/*
 * Shared anonymous memory. See anon.h.
 *
 * The pages are the leaves of a tree of the kind that page tables are, with the
 * index for an address: no hardware walks this one. A page is made when it is
 * first touched, and has one holder in the object beside those that map it. They
 * all go with the object's last reference: with the last region that maps it.
 *
 * All objects are in a list, for who counts memory: a page of which no region is
 * left, because only a part of the object was unmapped, is found there only.
 */
#include "vm/anon.h"

#include "lib/panic.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "vm/space.h"

struct anon {
  struct memobject object;
  uint refs;            /* [a] */
  struct spinlock lock; /* the tree */
  pagetable_t pages;
  size_t count;    /* [lock] pages in the tree */
  uint64 round;    /* [counting] of anon_held(), when it was last counted */
  struct list all; /* [anons_lock] in all_anons */
};

static struct spinlock anons_lock = SPINLOCK("anon list");
static struct list all_anons = LIST_INIT(all_anons); /* [anons_lock] */

/* Around the counting of what a space holds (anon_held). */
static struct sleeplock counting = SLEEPLOCK(counting, "anon count");

static struct slab_cache anons = SLAB_CACHE(anons, "anon", sizeof(struct anon));

static struct anon *anon_of(struct memobject *o) {
  return container_of(o, struct anon, object);
}

/* The page of an index, held, or NULL. lock held. */
static void *find(struct anon *a, uint64 index) {
  pte_t *pte = walk(a->pages, (vaddr_t)index * PGSIZE, false);
  void *page;

  if (pte == NULL || !(*pte & PTE_V))
    return NULL;
  page = P2V(PTE2PA(*pte));
  frame_get(page);
  return page;
}

/* Nothing need be done before such a page is written: it is held so always. */
static bool peek(struct memobject *o, uint64 index, struct objpage *p) {
  struct anon *a = anon_of(o);

  acquire(&a->lock);
  *p = (struct objpage){.page = find(a, index), .write = true};
  release(&a->lock);
  return p->page != NULL;
}

/* Put a new page into the tree, unless there is one by now. 0 or -ENOMEM. */
static int add(struct anon *a, uint64 index, void *page) {
  vaddr_t va = (vaddr_t)index * PGSIZE;
  pte_t *pte;

  acquire(&a->lock);
  pte = walk(a->pages, va, true);
  if (pte != NULL && !(*pte & PTE_V)) {
    *pte = pte_make(V2P(page), PTE_R | PTE_W | PTE_U);
    a->count++;
    page = NULL;
  }
  release(&a->lock);
  if (page != NULL)
    kfree(page);
  return pte != NULL ? 0 : -ENOMEM;
}

static int hold(struct memobject *o, uint64 index, bool write,
                struct objpage *p) {
  (void)write;
  while (!peek(o, index, p)) {
    void *page = kalloc_zero(PAGE_USER);
    int r = page ? add(anon_of(o), index, page) : -ENOMEM;

    if (r < 0)
      return r;
  }
  return 0;
}

static void drop(struct memobject *o, struct objpage *p) {
  (void)o;
  frame_put(p->page);
}

/* Nothing is ever taken away, and nothing is written back. */

static bool attached(struct memobject *o, struct objpage *p) {
  (void)o;
  (void)p;
  return true;
}

static int sync(struct memobject *o, uint64 first, uint64 last) {
  (void)o;
  (void)first;
  (void)last;
  return 0;
}

static void get(struct memobject *o) {
  __atomic_fetch_add(&anon_of(o)->refs, 1, __ATOMIC_RELAXED);
}

static void free_page(void *arg, pte_t pte, int level) {
  (void)arg;
  (void)level;
  frame_put(P2V(PTE2PA(pte)));
}

static void put(struct memobject *o) {
  struct anon *a = anon_of(o);

  if (__atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  unmappages(a->pages, 0, USER_END, free_page, NULL);
  acquire(&anons_lock);
  list_remove(&a->all);
  release(&anons_lock);
  freewalk(a->pages);
  slab_free(&anons, a);
}

static const struct memobject_ops anon_ops = {.hold = hold,
                                              .peek = peek,
                                              .attached = attached,
                                              .drop = drop,
                                              .sync = sync,
                                              .get = get,
                                              .put = put};

struct memobject *anon_create(void) {
  struct anon *a = slab_alloc(&anons);

  if (a == NULL)
    return NULL;
  a->pages = pagetable_create();
  if (a->pages == NULL) {
    slab_free(&anons, a);
    return NULL;
  }
  memobject_init(&a->object, &anon_ops);
  initlock(&a->lock, "anon");
  a->refs = 1;
  a->count = 0;
  acquire(&anons_lock);
  list_add_back(&all_anons, &a->all);
  release(&anons_lock);
  return &a->object;
}

pagetable_t anon_pages(struct memobject *o) {
  return o->ops == &anon_ops ? anon_of(o)->pages : NULL;
}

size_t anon_count(struct memobject *o, uint64 first, uint64 last) {
  struct leaf l = {.va = (vaddr_t)first * PGSIZE};
  struct anon *a = anon_of(o);
  size_t n = 0;

  if (o->ops != &anon_ops)
    return 0;
  acquire(&a->lock);
  while (leaf_next_under(a->pages, &l, (vaddr_t)last * PGSIZE, &a->lock))
    n++;
  release(&a->lock);
  return n;
}

void anon_each(void (*visit)(void *arg, pagetable_t pages), void *arg) {
  list_for_each (l, &all_anons)
    visit(arg, list_entry(l, struct anon, all)->pages);
}

/* What an object has, if it was not yet counted in this round. */
static size_t held_by(struct anon *a, uint64 round) {
  size_t n;

  if (a->round == round)
    return 0;
  a->round = round;
  acquire(&a->lock);
  n = a->count;
  release(&a->lock);
  return n + pagetable_pages(a->pages, &a->lock);
}

size_t anon_held(struct space *s) {
  static uint64 last; /* [counting] */
  size_t n = 0;

  /* one at a time, so that an object of several regions is counted once */
  acquiresleep(&counting);
  last++;
  list_for_each (l, &s->regions) {
    struct memobject *o = list_entry(l, struct region, link)->object;

    if (o != NULL && anon_pages(o) != NULL)
      n += held_by(anon_of(o), last);
  }
  releasesleep(&counting);
  return n;
}
