/* Stack frames of unit tests: the test says what the chain is. */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H

#include "types.h"

bool frame_caller(vaddr_t *pc, vaddr_t *fp);

#endif
