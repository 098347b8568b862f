/*
 * What an address space keeps of the machine: its address-space identifier, and
 * which harts have to do with it (mm/tlb.c).
 *
 *   63                 24 23            8 7      0
 *  +---------------------+---------------+--------+
 *  |     generation      |  identifier   | fresh  |
 *  +---------------------+---------------+--------+
 *
 * The three are one word, since bit n of `fresh` says something about this very
 * identifier: that hart n holds no outdated translation under it.
 */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H

#include "types.h"

#define FRESH_BITS 8
#define FRESH_MASK ((1UL << FRESH_BITS) - 1)

struct arch_space {
  uint64 asid; /* [a] as above; 0: none yet */
  uint active; /* [a] bit n: hart n runs one of its threads */
};

/* Only harts in `told` are fresh any more. */
static inline void arch_space_outdate(struct arch_space *as, uint told) {
  __atomic_fetch_and(&as->asid, ~FRESH_MASK | told, __ATOMIC_SEQ_CST);
}

#endif
