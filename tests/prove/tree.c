/*
 * The balanced tree, kernel/lib/tree.c. A proof begins with any balanced tree
 * of a few levels, not one that insertions have made: the places of a complete
 * tree are numbered from the top, and each is there or not.
 *
 *              0
 *          1       2
 *        3   4   5   6      place i is above places 2i + 1 and 2i + 2
 */
#include "prove.h"

#include "../../kernel/lib/tree.c"

#define LEVELS 3
#define PLACES ((1 << LEVELS) - 1)
#define NEW PLACES /* the node that is to be added */

static struct tree tree;
/* Not an array: what a pointer to one of several variables means is much less to
 * think about than what one into an array does. */
static struct tree_node n0, n1, n2, n3, n4, n5, n6, n7;
static struct tree_node *const nodes[] = {&n0, &n1, &n2, &n3,
                                          &n4, &n5, &n6, &n7};
static bool member[PLACES + 1], seen[PLACES + 1];

static struct tree_node *node_at(uint place) {
  return place < PLACES && member[place] ? nodes[place] : NULL;
}

/* A balanced tree with any members and any keys, in order. */
static void begin(void) {
  vaddr_t least[2 * PLACES + 1], most[2 * PLACES + 1];

  for (uint i = PLACES; i-- > 0;) {
    struct tree_node *n = nodes[i];

    member[i] = any_bool();
    n->key = any_size();
    n->child[0] = node_at(2 * i + 1);
    n->child[1] = node_at(2 * i + 2);
    n->height = 1 + MAX(height(n->child[0]), height(n->child[1]));
    assume(member[i] || (n->child[0] == NULL && n->child[1] == NULL));
    assume(lean(n, 0) >= -1 && lean(n, 0) <= 1);
  }
  least[0] = 0;
  most[0] = ~(vaddr_t)0;
  for (uint i = 0; i < PLACES; i++) {
    vaddr_t key = nodes[i]->key;

    assume(key >= least[i] && key <= most[i]);
    assume(nodes[i]->child[0] == NULL || key > least[i]);
    assume(nodes[i]->child[1] == NULL || key < most[i]);
    least[2 * i + 1] = least[i];
    most[2 * i + 1] = key - 1;
    least[2 * i + 2] = key + 1;
    most[2 * i + 2] = most[i];
  }
  tree.root = node_at(0);
  member[NEW] = false;
}

/* Is what is below n in order, balanced, and does it know its height? Which
 * nodes it has is left in seen[]. The height. */
static int check(const struct tree_node *n, vaddr_t least, vaddr_t most) {
  int smaller = 0, larger = 0;

  if (n == NULL)
    return 0;
  for (uint i = 0; i <= PLACES; i++)
    if (n == nodes[i]) {
      claim(!seen[i]);
      seen[i] = true;
    }
  claim(n->key >= least && n->key <= most);
  claim(n->child[0] == NULL || n->key > least);
  claim(n->child[1] == NULL || n->key < most);
  smaller = check(n->child[0], least, n->key - 1);
  larger = check(n->child[1], n->key + 1, most);
  claim(n->height == 1 + MAX(smaller, larger));
  claim(smaller - larger <= 1 && larger - smaller <= 1);
  return n->height;
}

/* The tree is one, and has just the members that it should have. */
static void check_tree(void) {
  for (uint i = 0; i <= PLACES; i++)
    seen[i] = false;
  check(tree.root, 0, ~(vaddr_t)0);
  for (uint i = 0; i <= PLACES; i++)
    claim(seen[i] == member[i]);
}

PROVE(insert,
      "the tree with the new member is in order and balanced, and knows its "
      "heights; all others are still in it",
      "any balanced tree of up to 3 levels (7 members), any keys",
      "small --unwind 9 --unwindset insert:5,check:6") {
  begin();
  nodes[NEW]->key = any_size();
  for (uint i = 0; i < PLACES; i++)
    assume(!member[i] || nodes[i]->key != nodes[NEW]->key);
  member[NEW] = true;
  tree_insert(&tree, nodes[NEW]);
  check_tree();
  reached(member[1] && tree.root == nodes[NEW]);
  reached(height(tree.root) == LEVELS + 1);
}

PROVE(remove, "the same for the tree without the member",
      "any balanced tree of up to 3 levels, any member",
      "small --unwind 9 --unwindset remove:5,take_first:4,check:5") {
  uint gone = any_below(PLACES);

  begin();
  assume(member[gone]);
  member[gone] = false;
  tree_remove(&tree, nodes[gone]);
  check_tree();
  reached(gone == 0 && height(tree.root) == LEVELS);
  reached(height(tree.root) == LEVELS - 1 && member[3]);
}

PROVE(at_most, "it finds the largest key that is not above the one asked for",
      "any balanced tree of up to 3 levels, any key", "quick --unwind 9") {
  vaddr_t key = any_size();
  struct tree_node *found, *best = NULL;

  begin();
  found = tree_at_most(&tree, key);
  for (uint i = 0; i < PLACES; i++)
    if (member[i] && nodes[i]->key <= key &&
        (best == NULL || nodes[i]->key > best->key))
      best = nodes[i];
  claim(found == best);
  reached(found == nodes[6]);
  reached(found == NULL && member[0]);
}
