/*
 * Stack frames on RISC-V, for backtraces.
 *
 *   fp      ->  the caller's frame
 *   fp - 8      return address
 *   fp - 16     the caller's fp
 *
 * A function that calls nothing saves no return address; it has the caller's
 * fp at fp - 8.
 */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H

#include "types.h"

/* From the frame of one function to that of its caller; false at the end of
 * the chain or where it is damaged. Never faults. */
bool frame_caller(vaddr_t *pc, vaddr_t *fp);

#endif
