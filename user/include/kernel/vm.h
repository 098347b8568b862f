/* SBRK_EAGER and SBRK_LAZY. */
#ifndef XV6_VM_H
#define XV6_VM_H

#include "abi/system.h"

#endif
