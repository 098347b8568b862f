/*
 * An ordered set with the links inside the members: a balanced binary tree by
 * key, so that finding, adding and removing one of n takes about log2(n) steps.
 * No two members have the same key. No locking.
 */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include "types.h"

struct tree_node {
  struct tree_node *child[2]; /* smaller keys, larger keys */
  int height;                 /* of the tree below, itself included */
  /* May be changed in a member, if the order of the members stays. */
  vaddr_t key;
};

struct tree {
  struct tree_node *root; /* NULL: empty */
};

/* Add a member; its key is set and not in the tree. */
void tree_insert(struct tree *t, struct tree_node *n);
/* Take a member out. */
void tree_remove(struct tree *t, struct tree_node *n);
/* The member with the largest key that is not above this one, or NULL. */
struct tree_node *tree_at_most(const struct tree *t, vaddr_t key);

#endif
