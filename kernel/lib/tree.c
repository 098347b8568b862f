/*
 * The tree of G. Adelson-Velsky and E. Landis ("An algorithm for the
 * organization of information", 1962): the heights of a node's two subtrees
 * differ by one at most. A change makes them differ by two somewhere on the way
 * up; a rotation there, or two, makes it right again.
 *
 *        n                c
 *       / \              / \
 *      c   z    <-->    x   n        rotate(n, 0) and back: rotate(c, 1)
 *     / \                  / \
 *    x   y                y   z
 *
 * A tree of a million members is at most 28 high, so recursion is cheap.
 */
#include "lib/tree.h"

#include "lib/panic.h"

enum { SMALLER, LARGER };

static int height(const struct tree_node *n) { return n ? n->height : 0; }

static void measure(struct tree_node *n) {
  n->height = 1 + MAX(height(n->child[SMALLER]), height(n->child[LARGER]));
}

/* How much higher the subtree on that side is. */
static int lean(const struct tree_node *n, int side) {
  return height(n->child[side]) - height(n->child[!side]);
}

/* Lift the child on that side above n; it is the new top. */
static struct tree_node *rotate(struct tree_node *n, int side) {
  struct tree_node *top = n->child[side];

  n->child[side] = top->child[!side];
  top->child[!side] = n;
  measure(n);
  measure(top);
  return top;
}

/* Restore the balance of n, below which one member came or went; the new top.
 */
static struct tree_node *balance(struct tree_node *n) {
  for (int side = SMALLER; side <= LARGER; side++) {
    if (lean(n, side) <= 1)
      continue;
    if (lean(n->child[side], !side) > 0)
      n->child[side] = rotate(n->child[side], !side);
    return rotate(n, side);
  }
  measure(n);
  return n;
}

/* Each of these returns the new top of the tree it is given. */

static struct tree_node *insert(struct tree_node *top, struct tree_node *n) {
  int side;

  if (top == NULL)
    return n;
  ASSERT(n->key != top->key);
  side = n->key < top->key ? SMALLER : LARGER;
  top->child[side] = insert(top->child[side], n);
  return balance(top);
}

/* Take out the member with the smallest key. */
static struct tree_node *take_first(struct tree_node *top,
                                    struct tree_node **first) {
  if (top->child[SMALLER] == NULL) {
    *first = top;
    return top->child[LARGER];
  }
  top->child[SMALLER] = take_first(top->child[SMALLER], first);
  return balance(top);
}

static struct tree_node *join(struct tree_node *smaller,
                              struct tree_node *larger) {
  struct tree_node *top;

  if (larger == NULL)
    return smaller;
  larger = take_first(larger, &top);
  top->child[SMALLER] = smaller;
  top->child[LARGER] = larger;
  return balance(top);
}

static struct tree_node *remove(struct tree_node *top, struct tree_node *n) {
  int side;

  if (top == NULL)
    panic("tree_remove: key %p is not in the tree", (void *)n->key);
  if (top == n)
    return join(n->child[SMALLER], n->child[LARGER]);
  side = n->key < top->key ? SMALLER : LARGER;
  top->child[side] = remove(top->child[side], n);
  return balance(top);
}

void tree_insert(struct tree *t, struct tree_node *n) {
  n->child[SMALLER] = n->child[LARGER] = NULL;
  n->height = 1;
  t->root = insert(t->root, n);
}

void tree_remove(struct tree *t, struct tree_node *n) {
  t->root = remove(t->root, n);
}

struct tree_node *tree_at_most(const struct tree *t, vaddr_t key) {
  struct tree_node *n = t->root, *best = NULL;

  while (n != NULL) {
    if (n->key <= key)
      best = n;
    n = n->child[n->key <= key ? LARGER : SMALLER];
  }
  return best;
}
