/*
 * Small objects, kernel/mm/slab.c, in small pages: two of them, which are handed
 * out and taken back like those of kalloc(). Who has an object fills it.
 */
#include "prove.h"

#include "mm/kalloc.h"

#define PAGES 2
#define CALLS 3 /* and so objects at most */
#undef PGSIZE
#define PGSIZE 128 /* a header of 32 bytes, six objects of 16 */
#define HEAD 32
#define SIZE 40 /* of an object: two to a page */

/* Separate, and aligned to words only: where a page begins is known to
 * PGROUNDDOWN() here. */
static uint page0[PGSIZE / sizeof(uint)], page1[PGSIZE / sizeof(uint)];
static bool taken0, taken1;

static vaddr_t page_start(const void *p) {
  claim(__CPROVER_same_object(p, page0) || __CPROVER_same_object(p, page1));
  return __CPROVER_same_object(p, page0) ? (vaddr_t)page0 : (vaddr_t)page1;
}

#undef PGROUNDDOWN
#define PGROUNDDOWN(a) page_start((const void *)(a))

/* Only whole objects are cleared, which consist of words here. */
#define LIB_STRING_H
static void *memset(void *dst, int c, size_t n) {
  claim(c == 0);
  for (size_t i = 0; i < n / sizeof(uint); i++)
    ((uint *)dst)[i] = 0;
  return dst;
}

#include "../../kernel/mm/slab.c"

static struct slab_cache cache = SLAB_CACHE(cache, "proof", 0);
static uint *live[CALLS]; /* objects that are handed out, or NULL */

void *kalloc_for(enum page_owner owner) {
  claim(owner == PAGE_SLAB);
  if (any_bool())
    return NULL;
  if (!taken0) {
    taken0 = true;
    return page0;
  }
  if (taken1)
    return NULL;
  taken1 = true;
  return page1;
}

void kfree(void *page) {
  claim(page == page0 ? taken0 : page == page1 && taken1);
  if (page == page0)
    taken0 = false;
  else
    taken1 = false;
}

void reclaimer_register(struct reclaimer *r) { claim(r->shrink == shrink); }

void acquire(struct spinlock *lk) {
  claim(!lk->locked);
  lk->locked = true;
}

bool acquire_try(struct spinlock *lk) {
  acquire(lk);
  return true;
}

void release(struct spinlock *lk) {
  claim(lk->locked);
  lk->locked = false;
}

static size_t offset(const void *object) {
  return __CPROVER_POINTER_OFFSET(object);
}

static void allocate(uint n) {
  uint *o = slab_alloc(&cache);

  live[n] = o;
  if (o == NULL)
    return;
  claim(__CPROVER_same_object(o, page0) ? taken0 : taken1);
  claim(offset(o) % OBJECT_ALIGN == 0 && offset(o) >= HEAD);
  claim(offset(o) + cache.size <= PGSIZE);
  claim(o[any_below(cache.size / sizeof(uint))] == 0);
  for (uint i = 0; i < n; i++)
    claim(live[i] == NULL || !__CPROVER_same_object(live[i], o) ||
          offset(live[i]) + cache.size <= offset(o) ||
          offset(o) + cache.size <= offset(live[i]));
  o[0] = o[cache.size / sizeof(uint) - 1] = any_uint();
}

static void give_back(uint i) {
  slab_free(&cache, live[i]);
  live[i] = NULL;
}

PROVE(
    calls,
    "objects are zeros, aligned, inside pages that were given for them and "
    "apart from each other; writing to them harms nothing; the cache knows how "
    "many there are; when all are back, so are its pages",
    "any 3 calls, then all back; objects of 40 bytes, two to a page; up to two "
    "pages of 128 bytes, or no memory",
    "small open --unwind 4 --unwindset "
    "memset.0:11,allocate.0:4,slab_create.1:3,slab_sound.1:4,shrink.0:2,shrink_"
    "cache.0:3,shrink_cache.1:3") {
  uint n = 0;

  cache.size = SIZE;
  for (uint call = 0; call < CALLS; call++) {
    uint i = any_below(CALLS);

    if (any_bool())
      allocate(call);
    else if (live[i] != NULL)
      give_back(i);
  }
  for (uint i = 0; i < CALLS; i++)
    n += live[i] != NULL;
  claim(cache.objects == n);
  claim(!taken0 || slab_sound(page0));
  claim(!taken1 || slab_sound(page1));
  reached(n == 3 && taken0 && taken1);
  reached(n == 1 && live[2] != NULL && live[0] == NULL);
  for (uint i = 0; i < CALLS; i++)
    if (live[i] != NULL)
      give_back(i);
  shrink(PAGES);
  claim(!taken0 && !taken1 && cache.objects == 0);
  reached(n == 0);
}
