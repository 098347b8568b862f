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

static inline uint8 io_read8(const volatile void *reg) {
  return io_is_port(reg) ? inb((vaddr_t)reg) : *(const volatile uint8 *)reg;
}

static inline void io_write8(volatile void *reg, uint8 x) {
  if (io_is_port(reg))
    outb((vaddr_t)reg, x);
  else
    *(volatile uint8 *)reg = x;
}

static inline uint16 io_read16(const volatile void *reg) {
  return io_is_port(reg) ? inw((vaddr_t)reg) : *(const volatile uint16 *)reg;
}

static inline void io_write16(volatile void *reg, uint16 x) {
  if (io_is_port(reg))
    outw((vaddr_t)reg, x);
  else
    *(volatile uint16 *)reg = x;
}

static inline uint32 io_read32(const volatile void *reg) {
  return io_is_port(reg) ? inl((vaddr_t)reg) : *(const volatile uint32 *)reg;
}

static inline void io_write32(volatile void *reg, uint32 x) {
  if (io_is_port(reg))
    outl((vaddr_t)reg, x);
  else
    *(volatile uint32 *)reg = x;
}

#endif
