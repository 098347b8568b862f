/*
 * The address sanitizer's end of the bargain.
 *
 * The compiler puts a call before each access to memory that it cannot prove to
 * be good (-fsanitize=kernel-address). The shadow map says of every 8 bytes of
 * RAM which may be accessed:
 *
 *      0        all 8
 *      1 to 7   the first so many
 *      from POISON on  none; the value says why
 *
 *    RAM      | text, data | shadow map | frame table | pages ...        |
 *              \__________________________________________________________/ / 8
 *
 * What is poisoned: pages that are free, objects of slabs that are free, all else
 * in a slab's page, what lies behind each global variable, and the map itself.
 *
 *    | struct slab | object 1 | redzone | object 2 | redzone | ... | rest |
 *        poisoned    somebody's poisoned    free:    poisoned       poisoned
 *                                         poisoned
 *
 * Kernel stacks are not in the direct map: of each there is one byte that says
 * whether it is some thread's.
 *
 * A freed page is at once good again for who gets it next, so an access to what
 * was freed is found as long as it is free. Outside RAM and the stacks (devices,
 * address 0) everything is allowed here: the page table says what is there.
 *
 * The accesses are counted by CPU, which is a measure of work that does not
 * depend on the clock: lockorder.c uses it.
 */
#include "asan.h"

#include "cpu.h"
#include "debug.h"
#include "inject.h"
#include "machine.h"
#include "memlayout.h"
#include "pte.h"
#include "report.h"

#define GRANULE_SHIFT 3
#define GRANULE (1UL << GRANULE_SHIFT)

enum poison {
  POISON = 0xf0,
  POISON_PAGE,
  POISON_OBJECT,
  POISON_REDZONE,
  POISON_GLOBAL,
  POISON_MAP,
};

/* A variable with its redzone, as both compilers describe it (compiler-rt,
 * asan_interface_internal.h, version 8). */
struct asan_global {
  vaddr_t at;
  size_t size, size_with_redzone;
  const char *name, *file;
  vaddr_t dynamic, location, indicator; /* of no interest here */
};

extern void (*init_array[])(void), (*init_array_end[])(void); /* kernel.ld */

static bool on;               /* constant once there is a map */
static vaddr_t ram;           /* constant: what the map's first byte is about */
static size_t ram_size;       /* constant */
static uint8 *shadow;         /* [a] */
uint8 stack_used[KSTACK_MAX]; /* [a] 1: some thread's */

unsigned long debug_work[NCPU];

/* --- reports --- */

/* The variable that ends last before the address. */
static const struct asan_global *newest;
static void look_for_global(const struct asan_global *g, size_t n, vaddr_t at) {
  for (; n > 0; n--, g++) {
    if (at >= g->at && at < g->at + g->size_with_redzone)
      newest = g;
  }
}

#define MODULES 256 /* files with variables, at most */
static struct module {
  const struct asan_global *globals;
  size_t n;
} modules[MODULES];
static int nmodules; /* constant after boot */

static void __attribute__((noreturn))
report(vaddr_t at, size_t n, bool write, vaddr_t bad, vaddr_t pc) {
  const char *what = write ? "write" : "read";
  uint8 why = shadow[(bad - ram) >> GRANULE_SHIFT];

  if (why < POISON && bad - ram + GRANULE < ram_size)
    why = shadow[((bad - ram) >> GRANULE_SHIFT) + 1];
  switch (why) {
    case POISON_PAGE:
      debug_report(pc, "asan: %s of %zu bytes at %p, in a page that is free",
                   what, n, (void *)at);
    case POISON_OBJECT:
      debug_report(pc, "asan: %s of %zu bytes at %p, in an object that is free",
                   what, n, (void *)at);
    case POISON_REDZONE:
      debug_report(pc, "asan: %s of %zu bytes at %p, beside an object", what, n,
                   (void *)at);
    case POISON_GLOBAL:
      for (int i = 0; i < nmodules; i++)
        look_for_global(modules[i].globals, modules[i].n, bad);
      debug_report(pc,
                   "asan: %s of %zu bytes at %p, behind the end of variable %s "
                   "(%s)",
                   what, n, (void *)at, newest ? newest->name : "?",
                   newest ? newest->file : "?");
    case POISON_MAP:
      debug_report(pc, "asan: %s of %zu bytes at %p, in the shadow map", what,
                   n, (void *)at);
    default:
      debug_report(pc, "asan: %s of %zu bytes at %p, which nobody may use",
                   what, n, (void *)at);
  }
}

/* --- the check --- */

static bool allowed(vaddr_t at) {
  uint8 s = shadow[(at - ram) >> GRANULE_SHIFT];

  return s == 0 || (s < POISON && (at & (GRANULE - 1)) < s);
}

/* A range in RAM, granule by granule. */
static void check_range(vaddr_t at, size_t n, bool write, vaddr_t pc) {
  vaddr_t last = MIN(at + n, ram + ram_size) - 1;

  for (vaddr_t p = at; p <= last; p = (p | (GRANULE - 1)) + 1) {
    vaddr_t to = MIN(p | (GRANULE - 1), last);

    if (!allowed(to) && !__atomic_load_n(&debug_reporting, __ATOMIC_RELAXED))
      report(at, n, write, allowed(p) ? to : p, pc);
  }
}

static bool in_free_stack(vaddr_t at) {
  vaddr_t below = KSTACK_TOP - 1 - at; /* wraps if it is above */

  return below < KSTACK_MAX * KSTACK_SLOT &&
         !__atomic_load_n(&stack_used[below / KSTACK_SLOT], __ATOMIC_RELAXED);
}

static inline void __attribute__((always_inline))
check(vaddr_t at, size_t n, bool write, vaddr_t pc) {
  size_t offset = at - ram;

  if (offset < ram_size) {
    debug_work[mycpu()->id]++;
    if (shadow[offset >> GRANULE_SHIFT] != 0 ||
        (at & (GRANULE - 1)) + n > GRANULE)
      check_range(at, n, write, pc);
  } else if (on && in_free_stack(at) &&
             !__atomic_load_n(&debug_reporting, __ATOMIC_RELAXED)) {
    debug_report(pc, "asan: %s of %zu bytes at %p, in a stack that is free",
                 write ? "write" : "read", n, (void *)at);
  }
}

void debug_access(const void *p, size_t n, bool write, vaddr_t pc) {
  if (n == 0)
    return;
  check((vaddr_t)p, n, write, pc);
  if ((vaddr_t)p - ram < ram_size)
    debug_work[mycpu()->id] += n / GRANULE;
}

/* --- what the compiler calls --- */

#define PC ((vaddr_t)__builtin_return_address(0))
#define CHECKS(n)                                                        \
  void __asan_load##n##_noabort(vaddr_t at);                             \
  void __asan_store##n##_noabort(vaddr_t at);                            \
  void __asan_load##n##_noabort(vaddr_t at) { check(at, n, false, PC); } \
  void __asan_store##n##_noabort(vaddr_t at) { check(at, n, true, PC); }

CHECKS(1)
CHECKS(2)
CHECKS(4)
CHECKS(8)
CHECKS(16)

void __asan_loadN_noabort(vaddr_t at, size_t n);
void __asan_loadN_noabort(vaddr_t at, size_t n) {
  debug_access((void *)at, n, false, PC);
}

void __asan_storeN_noabort(vaddr_t at, size_t n);
void __asan_storeN_noabort(vaddr_t at, size_t n) {
  debug_access((void *)at, n, true, PC);
}

void __asan_handle_no_return(void);
void __asan_handle_no_return(void) {}

/* --- poisoning --- */

/* memset() would ask whether it may write there. */
static void fill(uint8 *s, uint8 what, size_t n) {
  unsigned long word = what * (~0UL / 0xff);

  for (; n > 0 && (vaddr_t)s % sizeof(word) != 0; n--)
    *s++ = what;
  for (; n >= sizeof(word); n -= sizeof(word), s += sizeof(word))
    *(unsigned long *)s = word;
  for (; n > 0; n--)
    *s++ = what;
}

/* at: of a granule. The last one may be in part. */
static void allow(vaddr_t at, size_t n) {
  uint8 *s = &shadow[(at - ram) >> GRANULE_SHIFT];

  fill(s, 0, n >> GRANULE_SHIFT);
  if (n & (GRANULE - 1))
    s[n >> GRANULE_SHIFT] = n & (GRANULE - 1);
}

static void poison(vaddr_t at, size_t n, enum poison why) {
  fill(&shadow[(at - ram) >> GRANULE_SHIFT], why, n >> GRANULE_SHIFT);
}

void __asan_register_globals(const struct asan_global *g, size_t n);
void __asan_register_globals(const struct asan_global *g, size_t n) {
  if (nmodules < MODULES)
    modules[nmodules++] = (struct module){g, n};
  for (; n > 0; n--, g++) {
    poison(g->at, g->size_with_redzone, POISON_GLOBAL);
    allow(g->at, g->size);
  }
}

/* The kernel does not end. */
void __asan_unregister_globals(const struct asan_global *g, size_t n);
void __asan_unregister_globals(const struct asan_global *g, size_t n) {
  (void)g;
  (void)n;
}

vaddr_t debug_reserve(vaddr_t at) {
  size_t size = machine.ram_end - machine.ram_start;
  size_t map = PGROUNDUP(size >> GRANULE_SHIFT);

  shadow = (uint8 *)at;
  fill(shadow, 0, map);
  ram = (vaddr_t)P2V(machine.ram_start);
  for (void (**f)(void) = init_array; f < init_array_end; f++)
    (*f)();
  poison(at, map, POISON_MAP);
  ram_size = size;
  on = true;
  return at + map;
}

void debug_pages_freed(void *p, size_t n) {
  poison((vaddr_t)p, n * PGSIZE, POISON_PAGE);
}

void debug_pages_taken(void *p, size_t n) { allow((vaddr_t)p, n * PGSIZE); }

void debug_slab_new(void *page) {
  poison((vaddr_t)page, PGSIZE, POISON_REDZONE);
}

void debug_object_new(void *p, size_t size) {
  poison((vaddr_t)p, (size + GRANULE - 1) & -GRANULE, POISON_OBJECT);
}

void debug_object_taken(void *p, size_t size) {
  allow((vaddr_t)p, size);
  inject_object(1);
}

void debug_object_freed(void *p, size_t size) {
  uint8 before = shadow[((vaddr_t)p - ram) >> GRANULE_SHIFT];

  if (before >= POISON && !debug_reporting)
    debug_report(PC, "asan: object %p of %zu bytes is freed, but was free", p,
                 size);
  inject_object(-1);
  debug_object_new(p, size);
}
