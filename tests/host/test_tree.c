/*
 * The ordered set, kernel/lib/tree.c, against a table of which keys are in it:
 * random insertions and removals, and keys that come in order, which a tree
 * without balance would make a list of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/tree.c"

#define KEYS 4096

static struct tree tree;
static struct tree_node nodes[KEYS];
static bool inside[KEYS];

void panic(const char *fmt, ...) {
  (void)fmt;
  fail_msg("panic");
  abort();
}

/* Keys lie apart, so that one can ask between them. */
static vaddr_t key_of(int i) { return (vaddr_t)i * 16 + 8; }

static void add(int i) {
  nodes[i].key = key_of(i);
  tree_insert(&tree, &nodes[i]);
  inside[i] = true;
}

static void take(int i) {
  tree_remove(&tree, &nodes[i]);
  inside[i] = false;
}

static int setup(void **state) {
  (void)state;
  tree.root = NULL;
  for (int i = 0; i < KEYS; i++)
    inside[i] = false;
  return 0;
}

/* Order, heights and balance; the number of members. */
static int check(const struct tree_node *n, vaddr_t above, vaddr_t below) {
  int l, r;

  if (n == NULL)
    return 0;
  assert_true(n->key > above && n->key < below);
  l = n->child[0] ? n->child[0]->height : 0;
  r = n->child[1] ? n->child[1]->height : 0;
  assert_int_equal(n->height, 1 + MAX(l, r));
  assert_in_range(l - r + 1, 0, 2);
  return 1 + check(n->child[0], above, n->key) +
         check(n->child[1], n->key, below);
}

static int members(void) {
  int n = 0;

  for (int i = 0; i < KEYS; i++)
    n += inside[i];
  return n;
}

static void finds_the_largest_not_above(void) {
  struct tree_node *best = NULL;

  assert_null(tree_at_most(&tree, key_of(0) - 1));
  for (int i = 0; i < KEYS; i++) {
    if (inside[i])
      best = &nodes[i];
    assert_ptr_equal(tree_at_most(&tree, key_of(i)), best);
    assert_ptr_equal(tree_at_most(&tree, key_of(i) + 15), best);
  }
}

static void random_changes(void **state) {
  (void)state;
  srand(1);
  for (int step = 0; step < 40000; step++) {
    int i = rand() % (step % 8000 < 4000 ? KEYS : KEYS / 8);

    if (inside[i])
      take(i);
    else
      add(i);
    if (step % 500 == 0) {
      assert_int_equal(check(tree.root, 0, -1), members());
      finds_the_largest_not_above();
    }
  }
}

static void keys_in_order_stay_balanced(void **state) {
  (void)state;
  for (int i = 0; i < KEYS; i++)
    add(i);
  assert_int_equal(check(tree.root, 0, -1), KEYS);
  assert_in_range(tree.root->height, 12, 17); /* 1.44 log2(4096) */
  for (int i = KEYS - 1; i >= KEYS / 2; i--)
    take(i);
  assert_int_equal(check(tree.root, 0, -1), KEYS / 2);
  finds_the_largest_not_above();
}

static void empties(void **state) {
  (void)state;
  add(3);
  assert_ptr_equal(tree_at_most(&tree, -1), &nodes[3]);
  take(3);
  assert_null(tree.root);
  assert_null(tree_at_most(&tree, -1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(random_changes, setup),
      cmocka_unit_test_setup(keys_in_order_stay_balanced, setup),
      cmocka_unit_test_setup(empties, setup),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
