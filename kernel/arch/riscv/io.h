/*
 * Access to device registers, in order with all accesses to memory before and
 * after: a device that is told of a buffer sees what was written there. Regs
 * are addresses from P2IO().
 */
#ifndef IO_H
#define IO_H

#include "types.h"

static inline uint8 io_read8(const volatile void *reg) {
  uint8 x = *(const volatile uint8 *)reg;

  asm volatile("fence i, r" ::: "memory");
  return x;
}

static inline void io_write8(volatile void *reg, uint8 x) {
  asm volatile("fence w, o" ::: "memory");
  *(volatile uint8 *)reg = x;
}

static inline uint32 io_read32(const volatile void *reg) {
  uint32 x = *(const volatile uint32 *)reg;

  asm volatile("fence i, r" ::: "memory");
  return x;
}

static inline void io_write32(volatile void *reg, uint32 x) {
  asm volatile("fence w, o" ::: "memory");
  *(volatile uint32 *)reg = x;
}

#endif
