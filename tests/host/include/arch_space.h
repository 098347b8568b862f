/* What an address space of unit tests keeps of the machine. */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H

#include "types.h"

struct arch_space {
  uint64 flushes; /* calls of tables_flush_user() */
};

#endif
