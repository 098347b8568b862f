/*
 * Copies between kernel and user addresses, kernel/vm/usercopy.c, against a
 * model: a byte array for each stretch of user memory.
 */
/* sources: kernel/vm/usercopy.c kernel/vm/space.c kernel/vm/anon.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#include "mm_fakes.h"

#include "vm/fault.h"
#include "vm/space.h"
#include "vm/usercopy.h"

/*
 *   LOW          rw, 3 pages
 *   + 3 pages    guard
 *   + 4          r-x
 *   + 5          nothing
 *   + 6          rw, made when touched, 2 pages
 *   + 8          --x
 *   ...
 *   SPACE_END    rw, the last 2 pages; above is the trapframe
 */
#define LOW (MiB(2) - PGSIZE) /* page-table pages change in it */
#define PAGES 9UL
#define TOP (SPACE_END - 2 * PGSIZE)
#define BYTES (PAGES * PGSIZE)

static const uint low_rights[PAGES] = {PROT_READ | PROT_WRITE,
                                       PROT_READ | PROT_WRITE,
                                       PROT_READ | PROT_WRITE,
                                       0,
                                       PROT_READ | PROT_EXEC,
                                       0,
                                       PROT_READ | PROT_WRITE,
                                       PROT_READ | PROT_WRITE,
                                       PROT_EXEC};

static struct space *space;
static uchar trapframe[PGSIZE] __attribute__((aligned(PGSIZE)));
static uchar low[BYTES], top[2 * PGSIZE]; /* the model */

static uchar *in_model(vaddr_t va) {
  if (va >= LOW && va < LOW + BYTES)
    return &low[va - LOW];
  return va >= TOP && va < SPACE_END ? &top[va - TOP] : NULL;
}

static uint rights_at(vaddr_t va) {
  if (va >= LOW && va < LOW + BYTES)
    return low_rights[(va - LOW) / PGSIZE];
  return va >= TOP && va < SPACE_END ? PROT_READ | PROT_WRITE : 0;
}

static void add(vaddr_t start, uint64 pages, uint rights, bool fill) {
  vaddr_t end = start + pages * PGSIZE;
  struct region *r;

  assert_int_equal(space_add_locked(space, &(struct region){.start = start,
                                                            .end = end,
                                                            .rights = rights,
                                                            .name = "x"}),
                   0);
  r = space_find_locked(space, start);
  for (vaddr_t va = start; fill && va < end; va += PGSIZE)
    assert_non_null(uvm_page(r, va));
}

static int start(void **state) {
  (void)state;
  space = space_create();
  assert_int_equal(
      tables_add_trapframe(space->pagetable, &space->arch, USER_THREADS_MAX - 1,
                           (struct trapframe *)trapframe),
      0);
  add(LOW, 3, PROT_READ | PROT_WRITE, true);
  add(LOW + 3 * PGSIZE, 1, 0, false);
  add(LOW + 4 * PGSIZE, 1, PROT_READ | PROT_EXEC, true);
  add(LOW + 6 * PGSIZE, 2, PROT_READ | PROT_WRITE, false);
  add(LOW + 8 * PGSIZE, 1, PROT_EXEC, true);
  add(TOP, 2, PROT_READ | PROT_WRITE, true);
  memset(low, 0, sizeof(low));
  memset(top, 0, sizeof(top));
  return 0;
}

static int finish(void **state) {
  (void)state;
  space_put(space);
  return 0;
}

/* Bytes from va on that may be accessed, up to len. */
static size_t allowed(vaddr_t va, size_t len, uint access) {
  size_t n = 0;

  while (n < len && (rights_at(va + n) & access))
    n++;
  return n;
}

/* An address in or near what is mapped, often close to a page's end. */
static vaddr_t random_address(void) {
  vaddr_t page = random_below(6)
                     ? LOW - PGSIZE + random_below(PAGES + 2) * PGSIZE
                     : TOP + random_below(4) * PGSIZE;

  if (random_below(2))
    return page + random_below(PGSIZE);
  return page + (PGSIZE - 20 + random_below(40)) % PGSIZE;
}

static size_t random_length(void) {
  switch (random_below(4)) {
    case 0:
      return random_below(4 * PGSIZE);
    case 1:
      return PGSIZE - 10 + random_below(20);
    default:
      return random_below(50);
  }
}

static uchar kernel[4 * PGSIZE + 64]; /* the kernel's side */

static void random_copyout(void) {
  vaddr_t va = random_address();
  size_t len = random_length(), ok = allowed(va, len, PROT_WRITE), whole;

  for (size_t i = 0; i < len; i++)
    kernel[i] = random_below(256);
  assert_int_equal(copyout(space, va, kernel, len), ok < len ? -EFAULT : 0);
  /* in case of an error, the pages before it were written */
  whole = ok < len ? PGROUNDDOWN(va + ok) - va : len;
  for (size_t i = 0; i < (ok ? whole : 0); i++)
    *in_model(va + i) = kernel[i];
}

static void random_copyin(void) {
  vaddr_t va = random_address();
  size_t len = random_length(), ok = allowed(va, len, PROT_READ);

  memset(kernel, 0xee, sizeof(kernel));
  assert_int_equal(copyin(space, kernel, va, len), ok < len ? -EFAULT : 0);
  for (size_t i = 0; i < ok; i++)
    assert_int_equal(kernel[i], *in_model(va + i));
  for (size_t i = ok; i < sizeof(kernel); i++)
    assert_int_equal(kernel[i], 0xee);
}

static void random_copies(void **state) {
  (void)state;
  for (int i = 0; i < 4000; i++) {
    random_copyout();
    random_copyin();
    assert_int_equal(space->lock.sharers, 0);
  }
  /* the pages that were never writable hold what they held */
  for (vaddr_t va = LOW; va < LOW + BYTES; va += PGSIZE) {
    pte_t *pte = walk(space->pagetable, va, false);

    if (pte != NULL && *pte != 0)
      assert_memory_equal(P2V(PTE2PA(*pte)), in_model(va), PGSIZE);
  }
  assert_true(page_zero(trapframe));
}

/* --- strings --- */

static void put(vaddr_t va, const void *p, size_t n) {
  memcpy(in_model(va), p, n);
  assert_int_equal(copyout(space, va, p, n), 0);
}

/* What copyinstr() should return. */
static int string_result(vaddr_t va, size_t max) {
  for (size_t n = 0; n < max; n++) {
    if (!(rights_at(va + n) & PROT_READ))
      return -EFAULT;
    if (*in_model(va + n) == 0)
      return n;
  }
  return -ENAMETOOLONG;
}

/* A string around a page's end: every length, every limit that matters. */
static void check_strings(vaddr_t page_end) {
  for (vaddr_t va = page_end - 12; va < page_end; va++) {
    for (size_t len = 0; len < 24; len++) {
      char text[32] = "abcdefghijklmnopqrstuvwxyz12345";

      text[len] = 0;
      for (size_t i = 0; i <= len; i++)
        if (rights_at(va + i) & PROT_WRITE)
          put(va + i, &text[i], 1);
      for (size_t max = len < 2 ? 0 : len - 2; max < len + 4; max++) {
        int expected = string_result(va, max);

        memset(kernel, 0xee, 64);
        assert_int_equal(copyinstr(space, (char *)kernel, va, max), expected);
        if (expected >= 0)
          assert_memory_equal(kernel, text, len + 1);
        for (size_t i = expected >= 0 ? len + 1 : max; i < 64; i++)
          assert_int_equal(kernel[i], 0xee);
      }
    }
  }
}

static void strings_around_page_ends(void **state) {
  (void)state;
  check_strings(LOW + PGSIZE);     /* goes on, in another table page */
  check_strings(LOW + 2 * PGSIZE); /* goes on */
  check_strings(LOW + 3 * PGSIZE); /* the guard follows */
  check_strings(LOW + 7 * PGSIZE); /* made when touched */
  check_strings(SPACE_END);        /* the trapframe follows */
}

static void a_string_over_many_pages(void **state) {
  static char text[2 * PGSIZE + 100], got[sizeof(text)];
  vaddr_t va = LOW + 3 * PGSIZE - sizeof(text);

  (void)state;
  memset(text, 'x', sizeof(text) - 1);
  put(va, text, sizeof(text));
  assert_int_equal(copyinstr(space, got, va, sizeof(text)), sizeof(text) - 1);
  assert_string_equal(got, text);
  assert_int_equal(copyinstr(space, got, va, sizeof(text) - 1), -ENAMETOOLONG);
  put(va + sizeof(text) - 1, "x", 1);
  assert_int_equal(copyinstr(space, got, va, sizeof(text)), -ENAMETOOLONG);
}

/* --- what is refused --- */

static void wild_addresses(void **state) {
  const vaddr_t bad[] = {
      0,
      LOW - 1,
      LOW + 3 * PGSIZE,
      LOW + 5 * PGSIZE,
      TOP - 1,
      SPACE_END,
      TRAPFRAME + 8,
      TRAMPOLINE,
      MAXVA - 1,
      MAXVA,
      MAXVA + LOW,
      1UL << 63,
      1UL << 39,
      ~0UL,
      ~0UL - 7,
      (vaddr_t)ram,
      (1UL << 39) + LOW,
      -(1UL << 38) + LOW,
  };

  (void)state;
  for (uint i = 0; i < NELEM(bad); i++) {
    memset(kernel, 0xee, 64);
    assert_int_equal(copyin(space, kernel, bad[i], 1), -EFAULT);
    assert_int_equal(copyin(space, kernel, bad[i], 64), -EFAULT);
    assert_int_equal(copyin(space, kernel, bad[i], ~0UL), -EFAULT);
    assert_int_equal(copyinstr(space, (char *)kernel, bad[i], 64), -EFAULT);
    assert_int_equal(kernel[0], 0xee);
    assert_int_equal(copyout(space, bad[i], kernel, 1), -EFAULT);
    assert_int_equal(copyout(space, bad[i], kernel, ~0UL), -EFAULT);
    assert_int_equal(copyin(space, kernel, bad[i], 0), 0);
    assert_int_equal(copyout(space, bad[i], kernel, 0), 0);
  }
  assert_true(page_zero(trapframe));
}

static void ranges_that_end_nowhere(void **state) {
  static uchar big[2 * PGSIZE];

  (void)state;
  /* the source is read no further than the pages that may be written */
  assert_int_equal(copyout(space, TOP, big, ~0UL), -EFAULT);
  assert_int_equal(copyout(space, TOP, big, -TOP + 8), -EFAULT);
  assert_int_equal(copyin(space, big, TOP, 1UL << 63), -EFAULT);
  assert_int_equal(copyin(space, big, TOP, 2 * PGSIZE), 0);
  assert_int_equal(copyin(space, big, TOP + 1, 2 * PGSIZE), -EFAULT);
}

static void rights_count(void **state) {
  (void)state;
  assert_int_equal(copyout(space, LOW + 4 * PGSIZE, "x", 1), -EFAULT);
  assert_int_equal(copyin(space, kernel, LOW + 4 * PGSIZE, PGSIZE), 0);
  assert_int_equal(copyin(space, kernel, LOW + 8 * PGSIZE, 1), -EFAULT);
  assert_int_equal(copyinstr(space, (char *)kernel, LOW + 8 * PGSIZE, 9),
                   -EFAULT);
}

/* A page that is missing cannot be made: an error, and later it can. */
static void no_memory_for_a_missing_page(void **state) {
  vaddr_t va = LOW + 6 * PGSIZE;

  (void)state;
  memory_leave(0);
  assert_int_equal(copyout(space, va - 1, "xy", 2), -EFAULT);
  assert_int_equal(copyin(space, kernel, va, 8), 0); /* the page of zeros */
  memory_return();
  assert_int_equal(copyout(space, va, "xy", 2), 0);
  assert_int_equal(copyin(space, kernel, va, 8), 0);
  assert_memory_equal(kernel, "xy\0\0\0\0\0\0", 8);
}

/* Copies for who must not fault: as far as the pages are there. */
static void only_what_is_there(void **state) {
  vaddr_t rw = LOW + 6 * PGSIZE; /* two pages, made when touched */

  (void)state;
  assert_int_equal(copyin_present(space, kernel, rw, 10), 0);
  assert_int_equal(copyout_present(space, rw, "abc", 3), 0);
  /* reading makes the page of zeros: there to be read, not to be written */
  assert_int_equal(user_prefault(space, rw, 1, PROT_READ), 0);
  assert_int_equal(copyin_present(space, kernel, rw, PGSIZE + 10), PGSIZE);
  assert_int_equal(copyout_present(space, rw, "abc", 3), 0);
  assert_int_equal(user_prefault(space, rw, 1, PROT_WRITE), 0);
  assert_int_equal(copyout_present(space, rw + PGSIZE - 2, "abc", 3), 2);
  assert_int_equal(copyin_present(space, kernel, rw + PGSIZE - 2, 5), 2);
  assert_memory_equal(kernel, "ab", 2);
  /* all pages of the range that may be there; --x follows, then nothing */
  assert_int_equal(user_prefault(space, rw, 9 * PGSIZE, PROT_WRITE), 0);
  assert_int_equal(copyout_present(space, rw + PGSIZE - 2, "abc", 3), 3);
  assert_int_equal(copyin_present(space, kernel, rw, 3 * PGSIZE), 2 * PGSIZE);
  assert_int_equal(user_prefault(space, rw + 2 * PGSIZE, 1, PROT_READ),
                   -EFAULT);
  assert_int_equal(user_prefault(space, LOW + 4 * PGSIZE, 1, PROT_WRITE),
                   -EFAULT);
  assert_int_equal(user_prefault(space, LOW + 5 * PGSIZE, 0, PROT_WRITE), 0);
  assert_int_equal(user_prefault(NULL, 0, 10, PROT_WRITE), 0);
  assert_int_equal(either_copyout_present(NULL, (vaddr_t)kernel, "xy", 2), 2);
  assert_int_equal(either_copyin_present(NULL, kernel + 2, (vaddr_t)kernel, 2),
                   2);
  assert_memory_equal(kernel, "xyxy", 4);
}

static void the_other_side_may_be_the_kernel(void **state) {
  char a[16] = "0123456789", b[16] = "";

  (void)state;
  assert_int_equal(either_copyout(NULL, (vaddr_t)b, a, 11), 0);
  assert_string_equal(b, a);
  assert_int_equal(either_copyin(NULL, b, (vaddr_t)(a + 2), 5), 0);
  assert_string_equal(b, "2345656789");
  assert_int_equal(either_copyout(NULL, (vaddr_t)(a + 1), a, 9), 0);
  assert_string_equal(a, "0012345678"); /* overlapping */
  assert_int_equal(either_copyin(NULL, a, (vaddr_t)(a + 1), 9), 0);
  assert_string_equal(a, "0123456788");
  assert_int_equal(either_copyout(space, LOW, a, 11), 0);
  assert_int_equal(either_copyin(space, b, LOW, 11), 0);
  assert_string_equal(b, a);
  assert_int_equal(either_copyout(space, (vaddr_t)a, b, 1), -EFAULT);
  assert_int_equal(either_copyin(space, b, (vaddr_t)a, 1), -EFAULT);
}

static int start_all(void **state) {
  (void)state;
  ram_start(300);
  return 0;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
  const struct CMUnitTest tests[] = {
      TEST(random_copies),
      TEST(strings_around_page_ends),
      TEST(a_string_over_many_pages),
      TEST(wild_addresses),
      TEST(ranges_that_end_nowhere),
      TEST(rights_count),
      TEST(no_memory_for_a_missing_page),
      TEST(only_what_is_there),
      TEST(the_other_side_may_be_the_kernel),
  };

  return cmocka_run_group_tests(tests, start_all, NULL);
}
