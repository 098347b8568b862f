/*
 * What an address space keeps of the machine: which CPUs have to do with it
 * (mm/tlb.c).
 */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H

#include "types.h"

struct arch_space {
  uint active; /* [a] bit n: CPU n runs one of its threads, or is in it still */
};

/* A CPU that is not active holds no translations: they went when it loaded
 * another directory. So all that matter are told. */
static inline void arch_space_outdate(struct arch_space *as, uint told) {
  (void)as;
  (void)told;
}

#endif
