/*
 * Do locks keep the rules of docs/locks.md?
 *
 * Order. Locks of one name are one class. Whenever a lock is asked for while
 * others are held, each of those classes is known to come before the new one.
 * These facts are the arrows of a graph, and a circle in it is two or more
 * threads that can wait for each other for ever, whether they do so now or not:
 * so the first arrow that would close one is reported. Spin locks and sleep
 * locks have a graph each, since a sleep lock is never taken under a spin lock.
 * A lock taken by acquire_try() cannot make anybody wait: no arrow leads to it.
 *
 * Nor does one to a lock that nobody else knows (debug_lock_is_new()).
 *
 * Of two locks of one class the order is unknown. That is reported, too.
 * may_nest() says where it is safe all the same.
 *
 * Length. A spin lock is held too long if this CPU makes more than WORK_MAX
 * accesses to memory meanwhile (debug/asan.c counts them). A clock would be
 * wrong: the emulator may be put aside by its host at any time. For the same
 * reason waiting for another CPU does not count: the loops that do it are not
 * instrumented, and what a CPU does for others while it waits for a lock is
 * taken off again.
 *
 * Sleep. sleep() and all that may call it are told first (debug_may_sleep), so
 * that it is found even when nobody has to wait. The same is asked when a thread
 * goes back to its program, which then must hold no sleep lock, either.
 *
 * What a CPU holds of spin locks is that CPU's own, interrupts off; what a
 * thread holds of sleep locks is the thread's own, and kept by its stack.
 */
#include "lockorder.h"

#include "asan.h"
#include "cpu.h"
#include "debug.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/symbols.h"
#include "memlayout.h"
#include "report.h"
#include "sync/spinlock.h"

#define CLASSES 128       /* of each kind, at most */
#define SPIN_HELD 16      /* by a CPU at a time */
#define SLEEP_HELD 12     /* by a thread at a time */
#define WORK_MAX 300000UL /* accesses under a spin lock */

/* A class: what locks of one name have in common. */
struct class {
  const char *name;
  unsigned long longest; /* [a] work under such a lock, at most */
};

/* Classes of one kind and what is known of their order. Grows only: read
 * without the lock. */
struct graph {
  struct class classes[CLASSES];
  uint n;                       /* [a] */
  vaddr_t at[CLASSES][CLASSES]; /* [a] from, to: who did it; 0: nobody yet */
  uint busy;                    /* [a] a lock that nobody checks */
};

struct held {
  const void *lock;
  uint class;
  vaddr_t pc; /* who took it */
  unsigned long work;
};

static struct graph spins, sleeps;

static struct {
  struct held held[SPIN_HELD];
  uint n;
  unsigned long work; /* when the wait for a lock began */
} cpu_held[NCPU];

static struct {
  uint8 n;
  uint8 class[SLEEP_HELD];
  const void *lock[SLEEP_HELD];
  const void *new; /* what it asks for next, if nobody else knows it */
} thread_held[KSTACK_MAX];

static bool quiet(void) {
  return __atomic_load_n(&debug_reporting, __ATOMIC_RELAXED);
}

static void lock_graph(struct graph *g) {
  while (__atomic_exchange_n(&g->busy, 1, __ATOMIC_ACQUIRE))
    cpu_relax();
}

static void unlock_graph(struct graph *g) {
  __atomic_store_n(&g->busy, 0, __ATOMIC_RELEASE);
}

/* --- classes --- */

static const char *name_or_none(const char *name) {
  return name ? name : "(no name)";
}

/* Names are the same if their text is; mostly their address is. */
static bool same(const char *a, const char *b) {
  return a == b || strcmp(a, b) == 0;
}

static uint class_find(const struct graph *g, const char *name, uint n) {
  uint i = 0;

  while (i < n && g->classes[i].name != name)
    i++;
  if (i < n)
    return i;
  for (i = 0; i < n && !same(g->classes[i].name, name); i++)
    ;
  return i;
}

static uint class_add(struct graph *g, const char *name) {
  uint i;

  lock_graph(g);
  i = class_find(g, name, g->n);
  if (i == g->n && i < CLASSES) {
    g->classes[i].name = name;
    __atomic_store_n(&g->n, i + 1, __ATOMIC_RELEASE);
  }
  unlock_graph(g);
  if (i == CLASSES)
    panic("lockorder: more than %d kinds of locks", CLASSES);
  return i;
}

/* Interrupts off. */
static uint class_of(struct graph *g, const char *name) {
  uint n = __atomic_load_n(&g->n, __ATOMIC_ACQUIRE);
  uint i;

  name = name_or_none(name);
  i = class_find(g, name, n);
  return i < n ? i : class_add(g, name);
}

/* --- order --- */

/* Is `to` known to come after `from`? Then next[] leads there. */
static bool leads(const struct graph *g, uint from, uint to) {
  static uint queue[CLASSES]; /* [busy] */
  bool seen[CLASSES] = {false};
  uint head = 0, tail = 0;

  queue[tail++] = from;
  seen[from] = true;
  while (head < tail) {
    uint i = queue[head++];

    if (g->at[i][to])
      return true;
    for (uint j = 0; j < g->n; j++) {
      if (g->at[i][j] && !seen[j]) {
        seen[j] = true;
        queue[tail++] = j;
      }
    }
  }
  return false;
}

static const char *where(vaddr_t pc) {
  vaddr_t offset;
  const char *name = symbol_find(pc - 1, &offset);

  return name ? name : "?";
}

/* Of two inodes one is new, or the thread is alone with them under `tree`:
 * docs/locks.md. */
static bool may_nest(const char *name) { return same(name, "inode"); }

/* `to` is asked for by pc while `from` is held, for the first time. */
static void add_arrow(struct graph *g, uint from, uint to, vaddr_t pc) {
  const char *a = g->classes[from].name, *b = g->classes[to].name;
  bool circle;
  vaddr_t other;

  if (from == to && may_nest(a))
    return;
  if (from == to)
    debug_report(pc, "lock order: %s is taken while another %s is held", b, a);
  lock_graph(g);
  circle = leads(g, to, from);
  other = g->at[to][from];
  if (!circle)
    __atomic_store_n(&g->at[from][to], pc, __ATOMIC_RELAXED);
  unlock_graph(g);
  if (circle && other)
    debug_report(
        pc,
        "lock order: %s is taken while %s is held; %s took %s while it "
        "held %s",
        b, a, where(other), a, b);
  if (circle)
    debug_report(pc,
                 "lock order: %s is taken while %s is held, but %s is known to "
                 "come before it by way of others",
                 b, a, b);
}

static inline void check_order(struct graph *g, uint from, uint to,
                               vaddr_t pc) {
  if (!__atomic_load_n(&g->at[from][to], __ATOMIC_RELAXED))
    add_arrow(g, from, to, pc);
}

/* --- locks that are new --- */

/* The slot of the stack that runs; KSTACK_MAX: a boot stack. */
static uint my_slot(void) {
  vaddr_t below = KSTACK_TOP - 1 - (vaddr_t)__builtin_frame_address(0);

  return MIN(below / KSTACK_SLOT, (vaddr_t)KSTACK_MAX);
}

void debug_lock_is_new(const void *lk) {
  uint slot = my_slot();

  if (slot < KSTACK_MAX)
    thread_held[slot].new = lk;
}

/* Is the lock asked for one of those? It is not the next time. */
static bool is_new(const void *lk) {
  uint slot = my_slot();

  if (slot == KSTACK_MAX || thread_held[slot].new != lk)
    return false;
  thread_held[slot].new = NULL;
  return true;
}

/* --- spin locks; interrupts off --- */

void debug_spin_wait(struct spinlock *lk, vaddr_t pc) {
  uint self = mycpu()->id;
  uint class;

  cpu_held[self].work = debug_work[self];
  if (cpu_held[self].n == 0 || is_new(lk) || quiet())
    return;
  class = class_of(&spins, lk->name);
  for (uint i = 0; i < cpu_held[self].n; i++)
    check_order(&spins, cpu_held[self].held[i].class, class, pc);
}

/* waited: since debug_spin_wait(). */
void debug_spin_taken(struct spinlock *lk, bool waited, vaddr_t pc) {
  uint self = mycpu()->id;
  struct held *h = &cpu_held[self].held[cpu_held[self].n];

  if (waited)
    debug_work[self] = cpu_held[self].work;
  if (quiet())
    return;
  if (cpu_held[self].n == SPIN_HELD)
    panic("lockorder: more than %d spin locks are held", SPIN_HELD);
  *h = (struct held){lk, class_of(&spins, lk->name), pc, debug_work[self]};
  cpu_held[self].n++;
}

static void check_length(const struct held *h, unsigned long work, vaddr_t pc) {
  struct class *c = &spins.classes[h->class];

  if (work > c->longest)
    c->longest = work;
  if (work > WORK_MAX && !quiet())
    debug_report(
        pc,
        "lock %s is held too long: %lu accesses to memory, allowed are "
        "%lu; taken in %s",
        c->name, work, WORK_MAX, where(h->pc));
}

void debug_spin_released(struct spinlock *lk, vaddr_t pc) {
  uint self = mycpu()->id;
  struct held *held = cpu_held[self].held;
  uint i = cpu_held[self].n;

  while (i > 0 && held[i - 1].lock != lk)
    i--;
  if (i == 0)
    return; /* taken before a report */
  check_length(&held[i - 1], debug_work[self] - held[i - 1].work, pc);
  for (; i < cpu_held[self].n; i++)
    held[i - 1] = held[i];
  cpu_held[self].n--;
}

/* --- sleep locks --- */

/* This thread is about to do what no spin lock but lk (NULL: none) may be held
 * for, and interrupts be off for no other reason. */
static void check_none_held(struct spinlock *lk, const char *doing,
                            const char *what, vaddr_t pc) {
  const struct held *h;
  uint self;

  push_off();
  self = mycpu()->id;
  for (h = cpu_held[self].held; h < cpu_held[self].held + cpu_held[self].n; h++)
    if (h->lock != lk && !quiet())
      debug_report(pc, "%s %s, but spin lock %s is held, taken in %s", doing,
                   what, spins.classes[h->class].name, where(h->pc));
  /* one push_off() is ours, one that of lk */
  if (mycpu()->noff > (lk == NULL ? 1 : 2) && !quiet())
    debug_report(pc, "%s %s, but interrupts are off by push_off()", doing,
                 what);
  pop_off();
}

void debug_may_sleep(struct spinlock *lk, const char *queue, vaddr_t pc) {
  check_none_held(lk, "sleep: this may wait for", queue, pc);
}

void debug_user_return(void) {
  uint slot = my_slot();

  check_none_held(NULL, "return: this goes back to", "the program",
                  DEBUG_CALLER);
  if (thread_held[slot].n > 0 && !quiet())
    debug_report(DEBUG_CALLER,
                 "return: this goes back to the program, but sleep lock %s is "
                 "held",
                 sleeps.classes[thread_held[slot].class[0]].name);
}

void debug_sleep_wait(const void *lk, const char *name, vaddr_t pc) {
  uint slot = my_slot(), class;

  debug_may_sleep(NULL, name, pc);
  if (is_new(lk) || slot == KSTACK_MAX || thread_held[slot].n == 0 || quiet())
    return;
  push_off();
  class = class_of(&sleeps, name);
  for (uint i = 0; i < thread_held[slot].n; i++)
    check_order(&sleeps, thread_held[slot].class[i], class, pc);
  pop_off();
}

void debug_sleep_taken(void *lk, const char *name) {
  uint slot = my_slot(), n;

  if (slot == KSTACK_MAX || quiet())
    return;
  n = thread_held[slot].n;
  if (n == SLEEP_HELD)
    panic("lockorder: more than %d sleep locks are held", SLEEP_HELD);
  push_off();
  thread_held[slot].class[n] = class_of(&sleeps, name);
  pop_off();
  thread_held[slot].lock[n] = lk;
  thread_held[slot].n++;
}

void debug_sleep_released(void *lk) {
  uint slot = my_slot(), i;

  if (slot == KSTACK_MAX)
    return;
  for (i = thread_held[slot].n; i > 0; i--)
    if (thread_held[slot].lock[i - 1] == lk)
      break;
  if (i == 0)
    return;
  for (; i < thread_held[slot].n; i++) {
    thread_held[slot].lock[i - 1] = thread_held[slot].lock[i];
    thread_held[slot].class[i - 1] = thread_held[slot].class[i];
  }
  thread_held[slot].n--;
}

void lockorder_ended(int slot) {
  if (thread_held[slot].n > 0 && !quiet())
    debug_report(DEBUG_CALLER, "a thread ended with sleep lock %s held",
                 sleeps.classes[thread_held[slot].class[0]].name);
}

/* --- on demand --- */

static void print_graph(const struct graph *g, const char *kind) {
  for (uint i = 0; i < g->n; i++) {
    printf("%s %s: longest %lu; then", kind, g->classes[i].name,
           g->classes[i].longest);
    for (uint j = 0; j < g->n; j++)
      if (g->at[i][j])
        printf(" %s", g->classes[j].name);
    printf("\n");
  }
}

void lockorder_print(void) {
  print_graph(&spins, "spin");
  print_graph(&sleeps, "sleep");
}
