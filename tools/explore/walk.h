/*
 * Walking page tables: one walker for every geometry.
 *
 *    level 2    level 1    level 0               root first; a table fills a page
 *   [ index ]->[ index ]->[ index ]-> page       leaves above level 0: superpages
 */
#ifndef EXPLORE_WALK_H
#define EXPLORE_WALK_H

#include "machine.h"
#include "source.h"

#define WALK_LEVELS 5 /* at most */

struct geometry {
  const struct machine *machine;
  int levels;
};

static inline int walk_shift(struct geometry g, int level) {
  return PAGE_BITS + g.machine->index_bits * level;
}

/* Bytes that an entry of a level translates. */
static inline uint64_t walk_span(struct geometry g, int level) {
  return (uint64_t)1 << walk_shift(g, level);
}

static inline unsigned walk_entries(struct geometry g) {
  return 1U << g.machine->index_bits;
}

static inline unsigned walk_index(struct geometry g, int level, uint64_t va) {
  return (va >> walk_shift(g, level)) & (walk_entries(g) - 1);
}

/* The address whose indexes and offset are those of va: bits above them as the
 * machine wants them. */
static inline uint64_t walk_canonical(struct geometry g, uint64_t va) {
  int bits = walk_shift(g, g.levels);
  uint64_t above = ~(uint64_t)0 << bits;

  return g.machine->sign_extended && (va >> (bits - 1) & 1) ? va | above
                                                            : va & ~above;
}

struct walk_step {
  int level;
  unsigned index;
  uint64_t entry_pa; /* where the entry is */
  uint64_t value;    /* what it is */
  struct pte pte;
};

struct walk {
  int steps;
  struct walk_step step[WALK_LEVELS];
  bool mapped;
  uint64_t pa;        /* where va leads, if mapped */
  const char *reason; /* why user mode could not read there; "" if it could */
};

/* Take an address through the table whose root is at physical address `root`.
 * Any va: one that a table cannot translate has no steps. */
void walk_address(struct source *s, struct geometry g, uint64_t root,
                  uint64_t va, struct walk *w);

/* The entries of one table, walk_entries(g) of them, into values[]. -1: no RAM. */
int walk_table(struct source *s, struct geometry g, uint64_t table,
               uint64_t *values);

/* A leaf, or run of leaves: pages that follow each other in virtual and physical
 * memory, with the same flags and at the same level. */
struct walk_run {
  uint64_t va, pa, bytes;
  int level;
  struct pte pte; /* of the first */
};

/* What to call on the way through a tree; either may be NULL. */
struct walk_visitor {
  void *arg;
  void (*run)(void *arg, const struct walk_run *r);
  void (*table)(void *arg, uint64_t pa, int level);
};

/* Go through a whole tree in order of address. Entries of the root that equal
 * those of the table at physical address `shared` are left out: the kernel's part
 * of a process's table; 0: none. 0; -1 if a table is not in RAM or there are more
 * tables than RAM has pages: it changed underneath. */
int walk_tree(struct source *s, struct geometry g, uint64_t root,
              uint64_t shared, const struct walk_visitor *v);

#endif
