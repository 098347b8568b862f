/*
 * What an address space keeps of the machine: its address-space identifier.
 */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H

#include "types.h"

struct arch_space {
  uint64 asid; /* generation << 16 | identifier; 0: none yet */
  uint fresh;  /* [a] bit n: hart n holds no outdated translation of it */
};

#endif
