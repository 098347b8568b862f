/*
 * Stack frames on x86, for backtraces.
 *
 *   ebp + 4     return address
 *   ebp     ->  the caller's ebp
 */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H

#include "types.h"

/* From the frame of one function to that of its caller; false at the end of
 * the chain or where it is damaged. Never faults. */
bool frame_caller(vaddr_t *pc, vaddr_t *fp);

#endif
