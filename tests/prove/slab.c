/*
 * Small objects, kernel/mm/slab.c, in small pages: two of them, with room for
 * three objects each. A proof begins with any state that these can be in: which
 * pages are there, which objects are handed out, and in which order the others
 * are linked. What makes it a state that can be (the invariant) is claimed after a
 * call, too: so it holds after any number of calls.
 *
 *    page 0   | head | object | (free) -> (free) |    in the cache's list
 *    page 1   | head | object | object | object  |    full: in no list
 */
#include "prove.h"

#include "mm/kalloc.h"

#define PAGES 2
#define OBJECTS 3 /* to a page */
#define HEAD 32
#define SIZE 12 /* of an object; they are 16 apart */
#define WORDS (SIZE / sizeof(uint))
#undef PGSIZE
#define PGSIZE (HEAD + 16 * OBJECTS)

static vaddr_t page_start(const void *p);

#undef PGROUNDDOWN
#define PGROUNDDOWN(a) page_start((const void *)(a))

/* Only whole objects are cleared. */
#define LIB_STRING_H
static void *memset(void *object, int c, size_t n);

#include "../../kernel/mm/slab.c"

struct object {
  struct free_object link;
  uint word[3];
};

/* A page, as the checker takes it in most easily. */
struct small_page {
  union {
    struct slab slab;
    char room[HEAD];
  };
  struct object object[OBJECTS];
};

_Static_assert(sizeof(struct small_page) == PGSIZE, "small_page");

static struct small_page page0, page1;
static struct small_page *const page[PAGES] = {&page0, &page1};
static bool taken[PAGES];         /* the cache has this page */
static bool live[PAGES][OBJECTS]; /* handed out */
static bool registered;

static struct slab_cache cache = SLAB_CACHE(cache, "proof", SIZE);

static uint page_of(const void *p) {
  claim(__CPROVER_same_object(p, &page0) || __CPROVER_same_object(p, &page1));
  return __CPROVER_same_object(p, &page1);
}

static vaddr_t page_start(const void *p) { return (vaddr_t)page[page_of(p)]; }

/* An object's number in its page. */
static uint number_of(const void *p) {
  size_t offset = __CPROVER_POINTER_OFFSET(p) - HEAD;

  claim(offset % 16 == 0 && offset / 16 < OBJECTS);
  return offset / 16;
}

static void *memset(void *p, int c, size_t n) {
  struct object *o = &page[page_of(p)]->object[number_of(p)];

  claim(c == 0 && n == SIZE);
  o->link.next = NULL;
  o->word[0] = o->word[1] = 0;
  return p;
}

void *kalloc_for(enum page_owner owner) {
  claim(owner == PAGE_SLAB);
  for (uint k = 0; k < PAGES; k++)
    if (!taken[k] && any_bool()) {
      taken[k] = true;
      return page[k];
    }
  return NULL;
}

void kfree(void *p) {
  uint k = page_of(p);

  claim(p == page[k] && taken[k]);
  for (uint i = 0; i < OBJECTS; i++)
    claim(!live[k][i]);
  taken[k] = false;
}

void reclaimer_register(struct reclaimer *r) {
  claim(r->shrink == shrink && !registered);
  registered = true;
}

void acquire(struct spinlock *lk) {
  claim(!lk->locked);
  lk->locked = true;
}

bool acquire_try(struct spinlock *lk) {
  if (any_bool())
    return false;
  acquire(lk);
  return true;
}

void release(struct spinlock *lk) {
  claim(lk->locked);
  lk->locked = false;
}

/* --- the invariant --- */

static uint count_live(uint k) {
  uint n = 0;

  for (uint i = 0; i < OBJECTS; i++)
    n += live[k][i];
  return n;
}

static bool has_room(uint k) { return taken[k] && count_live(k) < OBJECTS; }

/* Link the free objects of a page in any order. */
static void any_order(uint k) {
  uint first = any_below(OBJECTS), step = 1 + any_below(OBJECTS - 1);
  struct slab *s = &page[k]->slab;

  for (uint i = 0; i < OBJECTS; i++) {
    uint n = (first + i * step) % OBJECTS;

    if (!live[k][n]) {
      page[k]->object[n].link.next = s->free;
      s->free = &page[k]->object[n].link;
    }
  }
}

/* Is only the last page in the list empty, if any is? */
static bool empty_is_last(void) {
  bool r = true;

  for (uint k = 0; k < PAGES; k++)
    if (taken[k] && count_live(k) == 0)
      r = r && cache.partial.prev == &page[k]->slab.link;
  return r;
}

/* Any state. Pages that the cache does not have hold anything. */
static void begin(void) {
  any_bytes(&page0);
  any_bytes(&page1);
  if (any_bool())
    enlist(&cache);
  for (uint k = 0; k < PAGES; k++) {
    taken[k] = registered && any_bool();
    for (uint i = 0; i < OBJECTS; i++)
      live[k][i] = taken[k] && any_bool();
    if (!taken[k])
      continue;
    page[k]->slab = (struct slab){.cache = &cache, .used = count_live(k)};
    cache.objects += count_live(k);
    any_order(k);
    if (!has_room(k))
      list_init(&page[k]->slab.link);
    else if (any_bool())
      list_add_front(&cache.partial, &page[k]->slab.link);
    else
      list_add_back(&cache.partial, &page[k]->slab.link);
  }
  assume(empty_is_last());
}

/* Are all objects of a page that are not handed out, and nothing else, in its
 * list of free ones? */
static void check_page(uint k) {
  const struct free_object *o = page[k]->slab.free;
  bool found[OBJECTS] = {false};
  uint n = OBJECTS - count_live(k);

  claim(page[k]->slab.cache == &cache);
  claim(page[k]->slab.used == count_live(k));
  for (uint i = 0; i < n; i++) {
    uint at;

    claim(o != NULL && page_of(o) == k);
    at = number_of(o);
    claim(!live[k][at] && !found[at]);
    found[at] = true;
    o = page[k]->object[at].link.next;
  }
  claim(o == NULL);
}

static bool between(const struct list *a, const struct list *l,
                    const struct list *b) {
  return a->next == l && l->prev == a && l->next == b && b->prev == l;
}

/* Is each page with room, and nothing else, in the cache's list? */
static void check_partial(void) {
  const struct list *head = &cache.partial, *l0 = &page0.slab.link,
                    *l1 = &page1.slab.link;

  if (has_room(0) && has_room(1))
    claim((between(head, l0, l1) && between(l0, l1, head)) ||
          (between(head, l1, l0) && between(l1, l0, head)));
  else if (has_room(0) || has_room(1))
    claim(between(head, has_room(0) ? l0 : l1, head));
  else
    claim(head->next == head && head->prev == head);
}

static void check(void) {
  uint n = 0;

  for (uint k = 0; k < PAGES; k++) {
    n += count_live(k);
    if (taken[k]) {
      claim(registered && cache.link.next == &caches);
      check_page(k);
    }
  }
  claim(cache.objects == n);
  claim(!cache.lock.locked && !caches_lock.locked);
  check_partial();
  claim(empty_is_last());
}

PROVE(alloc,
      "an object is zeros, was free and is no more; no other changes; there is "
      "none only without room and memory; a page goes back only when it is "
      "empty; links and numbers are right again",
      "any state of two pages of three objects; memory may fail",
      "small --unwind 5") {
  uint k = any_below(PAGES), i = any_below(OBJECTS), w = any_below(WORDS), was;
  bool others, room, memory;
  uint *o;

  begin();
  was = page[k]->object[i].word[w];
  others = live[k][i];
  room = has_room(0) || has_room(1);
  memory = taken[0] && taken[1];
  o = slab_alloc(&cache);
  if (o == NULL) {
    claim(!room);
  } else {
    uint at = page_of(o), n = number_of(o);
    struct object *object = &page[at]->object[n];

    claim(taken[at] && !live[at][n]);
    claim(object->link.next == NULL && !object->word[0] && !object->word[1]);
    live[at][n] = true;
  }
  claim(!others || page[k]->object[i].word[w] == was);
  check();
  reached(o == NULL && memory);
  reached(o != NULL && !room && others);
  reached(o != NULL && room && cache.objects == PAGES * OBJECTS);
}

PROVE(
    free,
    "an object that is given back is free; no other changes; a page that "
    "becomes empty goes back if another has room; links and numbers are right "
    "again",
    "any state of two pages of three objects, any of these",
    "small --unwind 5") {
  uint k = any_below(PAGES), i = any_below(OBJECTS), was;
  uint at = any_below(PAGES), n = any_below(OBJECTS);
  bool others, room;

  begin();
  assume(live[at][n] && (at != k || n != i));
  was = page[k]->object[i].word[0];
  others = live[k][i];
  room = has_room(!at);
  live[at][n] = false;
  slab_free(&cache, &page[at]->object[n]);
  claim(!others || page[k]->object[i].word[0] == was);
  claim(taken[at] == (count_live(at) > 0 || !room));
  check();
  reached(!taken[at]);
  reached(taken[at] && count_live(at) == 0);
  reached(taken[at] && count_live(at) == 2 && others);
}

PROVE(
    shrink,
    "when memory runs out, the empty page goes back, and no other, if nobody "
    "holds a lock; slab_sound() finds nothing wrong with any page, before and "
    "after, but if a number is",
    "any state of two pages of three objects", "small --unwind 5") {
  bool there[PAGES], busy;
  size_t n;

  begin();
  for (uint k = 0; k < PAGES; k++) {
    there[k] = taken[k];
    claim(!taken[k] || slab_sound(page[k]));
  }
  n = shrink(1);
  busy = n == 0;
  for (uint k = 0; k < PAGES; k++) {
    claim(taken[k] == (there[k] && (busy || count_live(k) > 0)));
    n -= there[k] && !taken[k];
  }
  claim(n == 0);
  check();
  reached(!busy && taken[0] && there[1] && !taken[1]);
  reached(!busy && !there[1] && !taken[0]);
  if (taken[0]) {
    page0.slab.used++;
    claim(!slab_sound(page[0]));
  }
}
