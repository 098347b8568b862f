/*
 * Access to device registers, in order with all accesses to memory: the CPU
 * keeps that order itself for uncached memory and for ports (SDM vol. 3A, 8.2).
 * Regs are addresses from P2IO(); one below 64 KiB is an I/O port.
 */
#ifndef IO_H
#define IO_H

#include "types.h"
#include "x86.h"

#define IO_PORTS 0x10000UL /* addresses below are ports */

static inline bool io_is_port(const volatile void *reg) {
  return (vaddr_t)reg < IO_PORTS;
}

#define IO_ACCESS(bits, letter)                                         \
  static inline uint##bits io_read##bits(const volatile void *reg) {    \
    return io_is_port(reg) ? in##letter((vaddr_t)reg)                   \
                           : *(const volatile uint##bits *)reg;         \
  }                                                                     \
  static inline void io_write##bits(volatile void *reg, uint##bits x) { \
    if (io_is_port(reg))                                                \
      out##letter((vaddr_t)reg, x);                                     \
    else                                                                \
      *(volatile uint##bits *)reg = x;                                  \
  }

IO_ACCESS(8, b)
IO_ACCESS(16, w)
IO_ACCESS(32, l)

#endif
