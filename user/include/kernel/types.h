/* Integer types, as xv6's kernel/types.h names them. */
#ifndef XV6_TYPES_H
#define XV6_TYPES_H

#include "abi/types.h"

typedef uint64 pde_t;

#endif
