/*
 * Arguments of exec, kernel/proc/args.c: what is pushed is read back as a
 * program would.
 */
/* sources: kernel/proc/args.c kernel/vm/usercopy.c kernel/vm/space.c kernel/vm/anon.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#include "mm_fakes.h"

#include "param.h"
#include "proc/args.h"
#include "vm/space.h"
#include "vm/usercopy.h"

#define STACK_PAGES 40UL /* more than ARGS_PAGES */
#define TOP (MiB(2) + 3 * PGSIZE)
#define BASE (TOP - STACK_PAGES * PGSIZE)
#define LEFT 1024 /* bytes that a program finds free on its stack, at least */
#define BELOW (BASE - PGSIZE) /* a page that no push may touch */
#define DATA MiB(8)           /* the old program's memory */
#define DATA_PAGES 40UL

static struct space *space;
static struct args args;

/* What was added. */
static char strings[ARG_MAX + 1][64];
static const char *expected[ARG_MAX + 1];
static char page_long[3 * PGSIZE];

static struct census before_test;

static void add(vaddr_t start, vaddr_t end, const char *name) {
  assert_int_equal(
      space_add_locked(space, &(struct region){.start = start,
                                               .end = end,
                                               .rights = PROT_READ | PROT_WRITE,
                                               .name = name}),
      0);
  for (vaddr_t va = start; va < end; va += PGSIZE)
    assert_non_null(uvm_page(space_find_locked(space, va), va));
}

static int start(void **state) {
  (void)state;
  before_test = census_take();
  memset(&args, 0, sizeof(args));
  space = space_create();
  add(BELOW, TOP, "stack");
  add(DATA, DATA + DATA_PAGES * PGSIZE, "data");
  memset(page_long, 'y', sizeof(page_long) - 1);
  return 0;
}

static int finish(void **state) {
  (void)state;
  args_free(&args);
  space_put(space);
  assert_census(before_test);
  return 0;
}

static bool page_below_is_zero(void) {
  return page_zero(P2V(walkaddr(space->pagetable, BELOW, PROT_READ)));
}

/* argv[] at sp is followed by 0 and points to the strings, which lie between
 * it and the stack's top. */
static void check_stack(vaddr_t sp, vaddr_t top, vaddr_t base, int argc) {
  static char got[sizeof(page_long)];
  vaddr_t pointer, low = sp + (argc + 1) * sizeof(vaddr_t);

  assert_true(sp >= base + LEFT && sp < top);
  assert_int_equal(sp % 16, 0);
  for (int i = 0; i < argc; i++) {
    assert_int_equal(copyin(space, &pointer, sp + i * 8, 8), 0);
    assert_true(pointer >= low);
    low = pointer + strlen(expected[i]) + 1; /* none overlaps the next */
    assert_true(low <= top);
    assert_true(copyinstr(space, got, pointer, sizeof(got)) >= 0);
    assert_string_equal(got, expected[i]);
  }
  assert_int_equal(copyin(space, &pointer, sp + argc * 8, 8), 0);
  assert_int_equal(pointer, 0);
  assert_true(page_below_is_zero());
}

/* Bytes that strings and pointers need, and what must be left, without what
 * aligning may cost. */
static size_t needed(int argc) {
  size_t n = (argc + 1) * sizeof(vaddr_t) + LEFT;

  for (int i = 0; i < argc; i++)
    n += strlen(expected[i]) + 1;
  return n;
}

/* Push with every amount of room around what is needed. */
static void check_push(int argc) {
  size_t n = needed(argc);
  vaddr_t top = TOP - random_below(3) * 16;

  assert_int_equal(args.argc, argc);
  for (size_t room = n > 20 ? n - 20 : 0; room < n + 40; room++) {
    long sp = args_push(&args, space, top, top - room);

    if (sp < 0) {
      assert_int_equal(sp, -E2BIG);
      assert_true(room < n + 32);
    } else {
      check_stack(sp, top, top - room, argc);
    }
  }
}

/* Some of one length, some of any. */
static int random_strings(void) {
  int argc = random_below(40);
  size_t len = random_below(64);

  for (int i = 0; i < argc; i++) {
    size_t n = random_below(2) ? len : random_below(64);

    for (size_t k = 0; k < n; k++)
      strings[i][k] = 'a' + random_below(26);
    strings[i][n] = 0;
    expected[i] = strings[i];
    if (random_below(40) == 0) /* crosses one or two pages */
      expected[i] = page_long + random_below(sizeof(page_long));
  }
  return argc;
}

static void what_the_kernel_adds(void **state) {
  (void)state;
  for (int round = 0; round < 100; round++) {
    int argc = random_strings();

    args = (struct args){0};
    for (int i = 0; i < argc; i++)
      assert_int_equal(args_add(&args, expected[i]), 0);
    check_push(argc);
    args_free(&args);
  }
  args = (struct args){0};
}

/* Lay strings and argv[] out in the old program's memory, so that both cross
 * pages. Returns the address of argv. */
static vaddr_t put_argv(int argc) {
  vaddr_t at = DATA + PGSIZE - random_below(30);
  vaddr_t argv = DATA + 36 * PGSIZE - random_below(30) * sizeof(vaddr_t);
  vaddr_t pointer = 0;

  argv += random_below(2); /* nobody says that it is aligned */
  for (int i = 0; i < argc; i++) {
    assert_int_equal(copyout(space, at, expected[i], strlen(expected[i]) + 1),
                     0);
    assert_int_equal(copyout(space, argv + i * 8, &at, sizeof(at)), 0);
    at += strlen(expected[i]) + 1 + random_below(100);
  }
  assert_int_equal(copyout(space, argv + argc * 8, &pointer, 8), 0);
  assert_true(at < argv);
  return argv;
}

static void what_a_program_gives(void **state) {
  (void)state;
  for (int round = 0; round < 100; round++) {
    int argc = random_strings();

    args = (struct args){0};
    assert_int_equal(args_add_user(&args, space, put_argv(argc)), 0);
    check_push(argc);
    args_free(&args);
  }
  args = (struct args){0};
}

/* A string that ends with a page, begins with one, fills one. */
static void strings_at_page_ends(void **state) {
  (void)state;
  for (size_t first = PGSIZE - 4; first <= PGSIZE + 2; first++) {
    args = (struct args){0};
    expected[0] = page_long + sizeof(page_long) - 1 - first;
    expected[1] = page_long + sizeof(page_long) - 1 - (PGSIZE - 1);
    expected[2] = "";
    expected[3] = "end";
    assert_int_equal(args_add_user(&args, space, put_argv(4)), 0);
    check_push(4);
    args_free(&args);
    args = (struct args){0};
    for (int i = 0; i < 4; i++)
      assert_int_equal(args_add(&args, expected[i]), 0);
    check_push(4);
    args_free(&args);
  }
  args = (struct args){0};
}

static void no_arguments(void **state) {
  vaddr_t null = 0;

  (void)state;
  assert_int_equal(copyout(space, DATA, &null, sizeof(null)), 0);
  assert_int_equal(args_add_user(&args, space, DATA), 0);
  check_push(0);
}

static void too_many(void **state) {
  (void)state;
  for (int i = 0; i < ARG_MAX; i++) {
    expected[i] = "a";
    assert_int_equal(args_add(&args, expected[i]), 0);
  }
  assert_int_equal(args_add(&args, "a"), -E2BIG);
  check_push(ARG_MAX);
  args_free(&args);
  args = (struct args){0};
  expected[ARG_MAX] = "a";
  assert_int_equal(args_add_user(&args, space, put_argv(ARG_MAX + 1)), -E2BIG);
  args_free(&args);
  args = (struct args){0};
  assert_int_equal(args_add_user(&args, space, put_argv(ARG_MAX)), 0);
  check_push(ARG_MAX);
}

/* Exactly ARGS_PAGES pages of strings fit, and not a byte more. */
static void too_long(void **state) {
  const char *page = page_long + sizeof(page_long) - 1 - (PGSIZE - 1);

  (void)state;
  for (int i = 0; i < ARGS_PAGES; i++)
    assert_int_equal(args_add(&args, expected[i] = page), 0);
  assert_int_equal(args_add(&args, ""), -E2BIG);
  check_push(ARGS_PAGES);
  args_free(&args);
  args = (struct args){0};
  expected[0] = page - 1;
  assert_int_equal(args_add_user(&args, space, put_argv(ARGS_PAGES)), -E2BIG);
  args_free(&args);
  args = (struct args){0};
  for (int i = 0; i < ARGS_PAGES - 1; i++)
    assert_int_equal(args_add(&args, page), 0);
  assert_int_equal(args_add(&args, page - 1), -E2BIG);
}

/* A string that never ends, in a program's memory. */
static void endless(void **state) {
  vaddr_t argv[2] = {DATA + 8, 0};

  (void)state;
  memset(P2V(walkaddr(space->pagetable, DATA, PROT_WRITE)), 'z', PGSIZE);
  for (uint64 i = 1; i < DATA_PAGES; i++)
    assert_int_equal(copyout(space, DATA + i * PGSIZE, page_long, PGSIZE), 0);
  assert_int_equal(copyout(space, TOP - 16, argv, sizeof(argv)), 0);
  assert_int_equal(args_add_user(&args, space, TOP - 16), -E2BIG);
  args_free(&args);
  args = (struct args){0};
  argv[0] = DATA + (DATA_PAGES - 2) * PGSIZE; /* nothing follows */
  assert_int_equal(copyout(space, TOP - 16, argv, sizeof(argv)), 0);
  assert_int_equal(args_add_user(&args, space, TOP - 16), -EFAULT);
}

static void bad_addresses(void **state) {
  vaddr_t argv[3] = {DATA, 0, 0};
  static const vaddr_t bad[] = {8,     TRAMPOLINE, TRAPFRAME,
                                MAXVA, ~0UL,       DATA + DATA_PAGES * PGSIZE};

  (void)state;
  for (uint i = 0; i < NELEM(bad); i++) {
    args = (struct args){0};
    assert_int_equal(args_add_user(&args, space, bad[i]), -EFAULT);
    args_free(&args);
    args = (struct args){0};
    argv[1] = bad[i];
    assert_int_equal(copyout(space, TOP - 24, argv, sizeof(argv)), 0);
    assert_int_equal(args_add_user(&args, space, TOP - 24), -EFAULT);
    args_free(&args);
  }
  args = (struct args){0};
  argv[1] = DATA; /* no 0 before the end of what is mapped */
  assert_int_equal(copyout(space, TOP - 16, argv, 16), 0);
  assert_int_equal(args_add_user(&args, space, TOP - 16), -EFAULT);
}

static void memory_runs_out_at_each_page(void **state) {
  struct census before = census_take();

  (void)state;
  for (uint64 n = 0; n <= 3; n++) {
    args = (struct args){0};
    expected[0] = page_long; /* three pages */
    put_argv(1);
    memory_leave(n);
    assert_int_equal(args_add(&args, page_long), n < 3 ? -ENOMEM : 0);
    args_free(&args);
    assert_int_equal(pages_owned(PAGE_FREE), n);
    args = (struct args){0};
    assert_int_equal(args_add_user(&args, space, put_argv(1)),
                     n < 3 ? -ENOMEM : 0);
    args_free(&args);
    memory_return();
  }
  args = (struct args){0};
  assert_census(before);
}

/* The stack's pages are not there and cannot be made. */
static void no_stack(void **state) {
  (void)state;
  assert_int_equal(args_add(&args, expected[0] = "a"), 0);
  assert_int_equal(args_push(&args, space, TOP + 8 * PGSIZE, TOP), -ENOMEM);
  assert_int_equal(space_remove_locked(space, TOP - PGSIZE, TOP), 0);
  assert_int_equal(args_push(&args, space, TOP - PGSIZE + 16, BASE), -ENOMEM);
  assert_true(args_push(&args, space, TOP - PGSIZE, BASE) > 0);
}

static int start_all(void **state) {
  (void)state;
  ram_start(400);
  return 0;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
  const struct CMUnitTest tests[] = {
      TEST(what_the_kernel_adds),
      TEST(what_a_program_gives),
      TEST(strings_at_page_ends),
      TEST(no_arguments),
      TEST(too_many),
      TEST(too_long),
      TEST(endless),
      TEST(bad_addresses),
      TEST(memory_runs_out_at_each_page),
      TEST(no_stack),
  };

  return cmocka_run_group_tests(tests, start_all, NULL);
}
