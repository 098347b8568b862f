/*
 * What an address space keeps of the machine: who has current translations.
 */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H

#include "types.h"

struct arch_space {
  uint fresh; /* [a] bit n: CPU n holds no outdated translation of it */
};

#endif
