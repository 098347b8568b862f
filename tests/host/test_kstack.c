/*
 * The kernel's own mappings, kernel/mm/{kvm,kstack}.c: what kvmmake() maps, and
 * stacks that come and go.
 */
/* sources: kernel/mm/kvm.c kernel/mm/kstack.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/lib/printf.c tests/host/mm_fakes.c */
#include "mm_fakes.h"

#include "cpu.h"
#include "machine.h"
#include "mm/kvm.h"
#include "param.h"
#include "tables.h"
#include "tlb.h"

#define STACK_BYTES (KSTACK_PAGES * PGSIZE)

/* --- what they stand on --- */

static const struct kmapping machine_map[] = {
    {0x100000, 0x100000, PGSIZE, PTE_R | PTE_W, "test"},
    {0x10000000, 0x10000000, MiB(3), PTE_R | PTE_W, "UART"},
    {0x80000000, 0x90000000, 5 * PGSIZE, PTE_R | PTE_X, "text"},
    /* 2 pages, 2 MiB, 1 GiB, 4 MiB, 1 page */
    {0xbfdfe000, 0xbfdfe000, MiB(1024 + 6) + 3 * PGSIZE, PTE_R | PTE_W, "RAM"},
    /* aligned here, but not there */
    {0x200000000, 0x300001000, MiB(4), PTE_R | PTE_W, "apart"},
    {TRAMPOLINE, 0x90004000, PGSIZE, PTE_R | PTE_X, "trampoline"},
};

bool machine_mapping(int i, struct kmapping *m) {
  if (i >= (int)NELEM(machine_map))
    return false;
  *m = machine_map[i];
  return true;
}

static pagetable_t loaded;
static uint64 shootdowns, stacks_at_shootdown;

void tables_load_kernel(pagetable_t kernel) { loaded = kernel; }

void tlb_shootdown(vaddr_t va, size_t size) {
  assert_true(va >= KSTACK(KSTACK_MAX - 1) - PGSIZE && va + size <= KSTACK_TOP);
  assert_int_equal(cpus[0].noff, 0); /* other CPUs may wait for a lock */
  shootdowns++;
  stacks_at_shootdown = pages_owned(PAGE_STACK);
}

char *safestrcpy(char *dst, const char *src, size_t n) {
  size_t len = strnlen(src, n - 1);

  memcpy(dst, src, len);
  dst[len] = 0;
  return dst;
}

/* --- the table --- */

static paddr_t expected_pa(vaddr_t va, uint *perm) {
  for (uint i = 0; i < NELEM(machine_map); i++) {
    const struct kmapping *m = &machine_map[i];

    if (va >= m->va && va < m->va + m->size) {
      *perm = m->perm;
      return m->pa + (va - m->va);
    }
  }
  *perm = 0;
  return 0;
}

/* Does an aligned stretch of this size fit around va? */
static bool fits(vaddr_t va, vaddr_t size) {
  vaddr_t start = va & -size;

  for (uint i = 0; i < NELEM(machine_map); i++) {
    const struct kmapping *m = &machine_map[i];

    if (start >= m->va && start + size <= m->va + m->size)
      return (m->va - m->pa) % size == 0;
  }
  return false;
}

static int check_leaf(void *arg, vaddr_t va, int level, pte_t pte) {
  vaddr_t size = (vaddr_t)PGSIZE << 9 * level;
  uint perm;

  assert_int_equal(va % size, 0);
  assert_true(fits(va, size));
  assert_false(fits(va, size << 9));
  assert_int_equal(PTE2PA(pte), expected_pa(va, &perm));
  assert_int_equal(pte & (PTE_R | PTE_W | PTE_X | PTE_U), perm);
  *(uint64 *)arg += size / PGSIZE;
  return 0;
}

static void all_is_mapped_and_nothing_else(void **state) {
  uint64 leaves = 0, expected = 0;

  (void)state;
  kvminithart();
  assert_ptr_equal(loaded, kernel_pagetable);
  for (uint i = 0; i < NELEM(machine_map); i++)
    expected += machine_map[i].size / PGSIZE;
  pagetable_each(kernel_pagetable, 0, MAXVA, check_leaf, &leaves);
  assert_int_equal(leaves, expected);
  /* the way to each stack is there already */
  for (int i = 0; i < KSTACK_MAX; i++)
    assert_non_null(walk(kernel_pagetable, KSTACK(i), false));
}

static void addresses_have_names(void **state) {
  static const struct {
    vaddr_t va;
    const char *name;
  } places[] = {
      {0, ""},
      {0x100000, "test"},
      {0x100fff, "test"},
      {0x101000, ""},
      {0x10000000 + MiB(3) - 1, "UART"},
      {0x80000000, "text"},
      {TRAMPOLINE - 1, ""},
      {TRAMPOLINE, "trampoline"},
      {MAXVA - 1, "trampoline"},
      {KSTACK(0), "stack 0"},
      {KSTACK(0) + STACK_BYTES - 1, "stack 0"},
      {KSTACK(0) + STACK_BYTES, ""},
      {KSTACK(0) - 1, "guard 0"},
      {KSTACK(0) - PGSIZE, "guard 0"},
      {KSTACK(0) - PGSIZE - 1, "stack 1"},
      {KSTACK(KSTACK_MAX - 1), "stack 4095"},
      {KSTACK(KSTACK_MAX - 1) - PGSIZE, "guard 4095"},
      {KSTACK(KSTACK_MAX - 1) - PGSIZE - 1, ""},
  };
  char name[20];

  (void)state;
  for (uint i = 0; i < NELEM(places); i++) {
    kvm_describe(places[i].va, name, sizeof(name));
    assert_string_equal(name, places[i].name);
  }
}

/* --- stacks --- */

/* Pages of a stack that are mapped; no two stacks may share one. */
static int mapped(int n, bool in_use) {
  pte_t *pte = walk(kernel_pagetable, KSTACK(n), false);
  int count = 0;

  assert_int_equal(pte[-1], 0); /* the guard */
  for (int i = 0; i < KSTACK_PAGES; i++) {
    if (pte[i] == 0)
      continue;
    count++;
    assert_int_equal(pte[i] & (PTE_R | PTE_W | PTE_X | PTE_U), PTE_R | PTE_W);
    if (in_use)
      assert_true(page_marked(P2V(PTE2PA(pte[i])), n * 8 + i + 1));
  }
  return count;
}

static void mark(int n) {
  pte_t *pte = walk(kernel_pagetable, KSTACK(n), false);

  for (int i = 0; i < KSTACK_PAGES; i++)
    page_mark(P2V(PTE2PA(pte[i])), n * 8 + i + 1);
}

static bool used[KSTACK_MAX];
static int nused;

static void take_stack(void) {
  uint64 before = shootdowns, pages = pages_owned(PAGE_STACK);
  int n = kstack_alloc();

  assert_in_range(n, 0, KSTACK_MAX - 1);
  assert_false(used[n]);
  used[n] = true;
  nused++;
  assert_int_equal(mapped(n, false), KSTACK_PAGES);
  if (pages_owned(PAGE_STACK) > pages) { /* no CPU knows it as unmapped */
    assert_int_equal(shootdowns, before + 1);
    assert_int_equal(stacks_at_shootdown, pages_owned(PAGE_STACK));
  }
  mark(n);
}

static void give_stack(int n) {
  uint64 before = shootdowns, pages = pages_owned(PAGE_STACK);

  assert_int_equal(mapped(n, true), KSTACK_PAGES);
  kstack_free(n);
  used[n] = false;
  nused--;
  if (pages_owned(PAGE_STACK) < pages) { /* flushed first */
    assert_int_equal(shootdowns, before + 1);
    assert_int_equal(stacks_at_shootdown, pages);
  }
}

static void random_stacks(void **state) {
  (void)state;
  for (int step = 0; step < 3000; step++) {
    int n = random_below(150);

    if (random_below(200) == 0) {
      for (int i = 0; i < 150; i++) /* many at once */
        if (used[i])
          give_stack(i);
    } else if (used[n] && random_below(3) == 0) {
      give_stack(n);
    } else if (nused < 140) {
      take_stack();
    }
    assert_true(pages_owned(PAGE_STACK) >= (uint64)nused * KSTACK_PAGES);
    assert_true(pages_owned(PAGE_STACK) <= (nused + 33UL) * KSTACK_PAGES);
  }
  for (int i = 0; i < KSTACK_MAX; i++) {
    assert_false(used[i] && mapped(i, true) != KSTACK_PAGES);
    if (used[i])
      give_stack(i);
  }
}

/* Idle stacks give their pages back when there are no others. */
static void idle_stacks_are_reclaimed(void **state) {
  uint64 idle = pages_owned(PAGE_STACK), before = shootdowns;
  void *page;

  (void)state;
  assert_true(idle > 0 && idle % KSTACK_PAGES == 0);
  memory_leave(0);
  page = kalloc();
  assert_non_null(page);
  assert_int_equal(pages_owned(PAGE_STACK), 0);
  assert_int_equal(pages_owned(PAGE_FREE), idle - 1);
  assert_int_equal(shootdowns, before + 1);
  assert_int_equal(stacks_at_shootdown, idle); /* not yet free then */
  for (int i = 0; i < KSTACK_MAX; i++)
    assert_int_equal(mapped(i, false), 0);
  kfree(page);
  memory_return();
}

static void memory_runs_out_at_each_page(void **state) {
  (void)state;
  for (uint64 n = 0; n <= KSTACK_PAGES; n++) {
    int stack;

    memory_leave(n);
    stack = kstack_alloc();
    if (n < KSTACK_PAGES) {
      assert_int_equal(stack, -ENOMEM);
      assert_int_equal(pages_owned(PAGE_FREE), n);
      assert_int_equal(mapped(0, false), 0);
    } else {
      assert_int_equal(stack, 0); /* the lowest place, again */
      kstack_free(stack);
    }
    memory_return();
  }
}

static void places_run_out(void **state) {
  (void)state;
  for (int n = 0; n < KSTACK_MAX; n++)
    assert_int_equal(kstack_alloc(), n);
  assert_int_equal(kstack_alloc(), -EAGAIN);
  for (int n = 0; n < KSTACK_MAX; n++)
    assert_int_equal(mapped(n, false), KSTACK_PAGES);
  kstack_free(77);
  assert_int_equal(kstack_alloc(), 77);
  for (int n = 0; n < KSTACK_MAX; n++)
    kstack_free(n);
}

/* Who starts many threads does not disturb all CPUs for each. */
static void many_stacks_take_few_flushes(void **state) {
  uint64 before = shootdowns;

  (void)state;
  for (int n = 0; n < 256; n++)
    take_stack();
  assert_true(shootdowns - before <= 256 / 6);
  for (int n = 0; n < KSTACK_MAX; n++)
    if (used[n])
      give_stack(n);
  assert_true(shootdowns - before <= 256 / 6 + 256 / 16);
}

static void freeing_twice_panics(void **state) {
  (void)state;
  /* the panic leaves the lock held, so this comes last */
  assert_panics("not in use", kstack_free(KSTACK_MAX - 1));
}

static int start(void **state) {
  (void)state;
  ram_start(RAM_PAGES);
  kvminit();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_is_mapped_and_nothing_else),
      cmocka_unit_test(addresses_have_names),
      cmocka_unit_test(random_stacks),
      cmocka_unit_test(idle_stacks_are_reclaimed),
      cmocka_unit_test(memory_runs_out_at_each_page),
      cmocka_unit_test(places_run_out),
      cmocka_unit_test(many_stacks_take_few_flushes),
      cmocka_unit_test(freeing_twice_panics),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
