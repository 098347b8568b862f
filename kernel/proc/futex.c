/*
 * Futexes: threads wait for a change of a word of their memory. A lock that
 * nobody else wants then costs no system call at all.
 *
 *   bucket --> waiter --> waiter        each lies on the stack of its thread
 *              key        key           key: which word
 *
 * A change is not missed: the waiter first enters the bucket, then reads the
 * word. Who changes the word does so first, then looks into the bucket. The
 * bucket's lock orders the two: either the waiter was there when the other
 * looked, and is woken; or it came later, and sees the new value. The word is
 * read without the lock, since that may fault and sleep.
 *
 * A word of private memory is known by its space and address. One of memory
 * that is shared is a place in an object (vm/object.h), the same for all
 * processes, wherever they map it. The object is known by its number, which no
 * other object ever gets: so who waits does not keep it, and memory that all have
 * unmapped goes although somebody waits there, for nothing.
 */
#include "proc/proc.h"
#include "vm/usercopy.h"

#define BUCKETS 64

/* A word of memory. */
struct futex_key {
  struct space *space; /* NULL if the memory is shared */
  uint64 object;       /* then: its number; else 0 */
  uint64 offset;       /* bytes, in that */
};

/* [b] the bucket's lock; [c] constant. */
struct waiter {
  struct futex_key key; /* [c] */
  struct list link;     /* [b] */
  struct waitq q;       /* its thread sleeps here */
  bool woken;           /* [b] and out of the bucket */
};

static struct bucket {
  struct spinlock lock;
  struct list waiters; /* [lock] in the order in which they came */
} buckets[BUCKETS];

void futex_init(void) {
  for (int i = 0; i < BUCKETS; i++) {
    initlock(&buckets[i].lock, "futex");
    list_init(&buckets[i].waiters);
  }
}

/* 0, or -EINVAL. What is not mapped counts as private: it faults later. */
static int key_get(struct space *s, vaddr_t va, struct futex_key *key) {
  struct region *r;

  if (va % sizeof(uint32) != 0)
    return -EINVAL;
  *key = (struct futex_key){.space = s, .offset = va};
  acquire_shared(&s->lock);
  r = space_find_locked(s, va);
  if (r != NULL && r->object != NULL && (r->flags & REGION_SHARED)) {
    *key = (struct futex_key){
        .object = r->object->id,
        .offset = region_index(r, va) * PGSIZE + va % PGSIZE};
  }
  release_shared(&s->lock);
  return 0;
}

static bool same(const struct futex_key *a, const struct futex_key *b) {
  return a->space == b->space && a->object == b->object &&
         a->offset == b->offset;
}

static struct bucket *bucket_of(const struct futex_key *key) {
  uint64 n = ((vaddr_t)key->space >> 4) + key->object + (key->offset >> 2);

  return &buckets[(n ^ n >> 8) % BUCKETS];
}

/* Sleep until woken. Lock held. */
static int sleep_locked(struct bucket *b, struct waiter *w,
                        uint64 deadline_ns) {
  int r = 0;

  while (!w->woken && r == 0) {
    if (clock_ns() >= deadline_ns)
      r = -ETIMEDOUT;
    else if (deadline_ns == FUTEX_FOREVER)
      r = sleep_killable(&w->q, &b->lock);
    else
      r = sleep_until(&w->q, &b->lock, deadline_ns);
  }
  return r;
}

int futex_wait(vaddr_t va, uint32 value, uint64 deadline_ns) {
  struct space *s = myproc()->space;
  struct waiter w = {.woken = false};
  struct bucket *b;
  uint32 now;
  int r = key_get(s, va, &w.key);

  if (r < 0)
    return r;
  waitq_init(&w.q, "futex");
  b = bucket_of(&w.key);
  acquire(&b->lock);
  list_add_back(&b->waiters, &w.link);
  release(&b->lock);
  r = copyin(s, &now, va, sizeof(now));
  if (r == 0 && now != value)
    r = -EAGAIN;
  acquire(&b->lock);
  if (r == 0)
    r = sleep_locked(b, &w, deadline_ns);
  list_remove(&w.link);
  if (w.woken)
    r = 0; /* somebody counts on it that we were */
  release(&b->lock);
  return r;
}

int futex_wake(struct space *s, vaddr_t va, int most) {
  struct futex_key key;
  struct bucket *b;
  int n = key_get(s, va, &key);

  if (n < 0)
    return n;
  b = bucket_of(&key);
  acquire(&b->lock);
  list_for_each_safe (l, &b->waiters) {
    struct waiter *w = list_entry(l, struct waiter, link);

    if (n >= most)
      break;
    if (!same(&w->key, &key))
      continue;
    list_remove(l);
    w->woken = true;
    wakeup(&w->q);
    n++;
  }
  release(&b->lock);
  return n;
}
