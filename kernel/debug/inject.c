/*
 * Memory that is not there: an allocation fails because somebody said so.
 *
 * An order names a number, n: the n-th allocation of pages or of an object fails,
 * or each from then on. Counted are those of one process, which gave the order,
 * and of what descends from it: its threads are marked by their stacks, and a
 * stack that a marked thread takes for a new one is marked. So as long as the
 * process does the same, n names the same allocation, whatever others do. Or
 * those of all threads are counted, the kernel's too.
 *
 * A real shortage does not go away by itself. The kernel takes back what it can,
 * and tries again (kalloc_failures()): that, too, is met by the failure of all
 * from the n-th on. One that alone fails is not counted as a failure for lack of
 * memory unless the order says so, so that nobody tries again, and all see it who
 * are on the way from there to the program.
 *
 * A place is the chain of callers of an allocation that failed. How many
 * different ones there were says what was tested.
 */
#include "inject.h"

#include "abi/debug.h"
#include "abi/errno.h"
#include "arch_frame.h"
#include "debug.h"
#include "lib/printf.h"
#include "lib/symbols.h"
#include "memlayout.h"
#include "sync/spinlock.h"

#define PLACES_MAX 4096
#define PLACE_DEPTH 6 /* callers that make a place, of the allocator's */

static struct spinlock lock = SPINLOCK("injection");
static bool holds;                 /* [a] there is an order */
static long order;                 /* constant while it holds */
static bool marked[KSTACK_MAX];    /* [a] this stack's thread is meant */
static uint counted;               /* [a] allocations since the order came */
static uint failed;                /* [a] and those that failed */
static uint shortages;             /* [a] that count as lack of memory; ever */
static long objects;               /* [a] of slabs */
static vaddr_t places[PLACES_MAX]; /* [lock] hashes; 0: free */
static uint nplaces;               /* [lock] */

/* The slot of the stack that runs; KSTACK_MAX: a boot stack. */
static uint my_slot(void) {
  vaddr_t below = KSTACK_TOP - 1 - (vaddr_t)__builtin_frame_address(0);

  return MIN(below / KSTACK_SLOT, (vaddr_t)KSTACK_MAX);
}

static bool is_marked(uint slot) {
  return slot < KSTACK_MAX && __atomic_load_n(&marked[slot], __ATOMIC_RELAXED);
}

static void mark(uint slot, bool yes) {
  __atomic_store_n(&marked[slot], yes, __ATOMIC_RELAXED);
}

void inject_stack_taken(int n) { mark(n, is_marked(my_slot())); }

/* Is the thread that runs one of those that the order is about? */
static bool meant(void) {
  return __atomic_load_n(&holds, __ATOMIC_ACQUIRE) &&
         ((order & FAIL_ALL) || is_marked(my_slot()));
}

/* --- places --- */

static vaddr_t place_of(vaddr_t pc, vaddr_t fp) {
  vaddr_t hash = pc;

  for (int i = 0; i < PLACE_DEPTH && frame_caller(&pc, &fp); i++)
    hash = hash * 31 + pc;
  return hash | 1;
}

/* True: it is new. */
static bool place_add(vaddr_t hash) {
  uint at = hash / 2 % PLACES_MAX;
  bool new = false;

  acquire(&lock);
  while (places[at] != 0 && places[at] != hash)
    at = (at + 1) % PLACES_MAX;
  if (places[at] == 0 && nplaces < PLACES_MAX - 1) {
    places[at] = hash;
    nplaces++;
    new = true;
  }
  release(&lock);
  return new;
}

static void note_place(void) {
  vaddr_t pc = DEBUG_CALLER, fp = (vaddr_t)__builtin_frame_address(0);
  bool new = place_add(place_of(pc, fp));

  if (!(order & FAIL_TELL) && !(new && (order & FAIL_TELL_NEW)))
    return;
  printf("no memory, by order:\n");
  backtrace(pc, fp);
}

long inject_places(void) {
  long n;

  acquire(&lock);
  n = nplaces;
  release(&lock);
  return n;
}

/* --- orders --- */

bool debug_alloc_fails(void) {
  uint n;

  if (!meant())
    return false;
  n = __atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
  if (n < (order & FAIL_NUMBER) ||
      (n > (order & FAIL_NUMBER) && !(order & FAIL_FROM)))
    return false;
  __atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
  if (order & (FAIL_FROM | FAIL_AGAIN))
    __atomic_fetch_add(&shortages, 1, __ATOMIC_RELAXED);
  note_place();
  return true;
}

uint debug_shortages(void) {
  return __atomic_load_n(&shortages, __ATOMIC_RELAXED);
}

bool debug_starved(void) {
  return meant() && !(order & FAIL_AGAIN) &&
         __atomic_load_n(&failed, __ATOMIC_RELAXED) > 0;
}

int inject_begin(long what) {
  int r = -EBUSY;

  if ((what & FAIL_NUMBER) == 0 || my_slot() >= KSTACK_MAX)
    return -EINVAL;
  acquire(&lock);
  if (!holds) {
    order = what;
    counted = failed = 0;
    mark(my_slot(), true);
    __atomic_store_n(&holds, true, __ATOMIC_RELEASE);
    r = 0;
  }
  release(&lock);
  return r;
}

long inject_end(void) {
  acquire(&lock);
  __atomic_store_n(&holds, false, __ATOMIC_RELEASE);
  for (uint n = 0; n < KSTACK_MAX; n++)
    mark(n, false);
  release(&lock);
  return __atomic_load_n(&failed, __ATOMIC_RELAXED);
}

void inject_object(int by) {
  __atomic_fetch_add(&objects, by, __ATOMIC_RELAXED);
}

long inject_objects(void) {
  return __atomic_load_n(&objects, __ATOMIC_RELAXED);
}
