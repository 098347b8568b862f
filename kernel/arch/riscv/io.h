/*
 * Access to device registers, in order with all accesses to memory before and
 * after: a device that is told of a buffer sees what was written there. Regs
 * are addresses from P2IO().
 */
#ifndef IO_H
#define IO_H

#include "types.h"

#define IO_ACCESS(bits)                                                 \
  static inline uint##bits io_read##bits(const volatile void *reg) {    \
    uint##bits x = *(const volatile uint##bits *)reg;                   \
    asm volatile("fence i, r" ::: "memory");                            \
    return x;                                                           \
  }                                                                     \
  static inline void io_write##bits(volatile void *reg, uint##bits x) { \
    asm volatile("fence w, o" ::: "memory");                            \
    *(volatile uint##bits *)reg = x;                                    \
  }

IO_ACCESS(8)
IO_ACCESS(32)
IO_ACCESS(64)

#endif
