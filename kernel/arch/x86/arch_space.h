/*
 * What an address space keeps of the machine: where it is loaded.
 */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H

#include "types.h"

struct arch_space {
  uint cpus; /* [a] bit n: cr3 of CPU n points to it */
};

#endif
