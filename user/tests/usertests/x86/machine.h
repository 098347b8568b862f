/*
 * What usertests must know of the machine: a 32-bit PC. Section numbers are
 * those of the Intel SDM.
 */
#ifndef USERTESTS_MACHINE_H
#define USERTESTS_MACHINE_H

#include "kernel/riscv.h"

#include "kernel/memlayout.h"

/* Addresses that no program may touch: low memory, the screen and the kernel
 * in the direct map, kernel stacks, what is mapped nowhere, devices, and the
 * end of all addresses. */
#define FORBIDDEN_ADDRESSES                                                    \
  {                                                                            \
    KERNBASE, KERNBASE + 8, VGA, 0x80100000UL, 0x80200000UL, 0x87fffffcUL,     \
        0xefffffffUL, 0xf7ffc000UL, 0xf7ffd000UL, 0xf7fffffcUL, IOAPIC, LAPIC, \
        LAPIC + 0xb0, TRAPFRAME, TRAMPOLINE, MAXVA, 0xfffffff0UL,              \
        0xfffffffcUL, 0xffffffffUL                                             \
  }

/* Page tables without PAE (vol. 3A, 4.3), and kernel/arch/x86/memlayout.h. */
#define TABLE_LEVELS 2
#define TABLE_INDEX_BITS 10
#define PTE_BYTES 4
#define PTE_UNUSED_BITS 0
#define PTE_RIGHTS 0x7 /* present, may be written, for user mode */
#define WALKED_PROCESS \
  { 0x12345678UL, KERNEL_START }
#define WALKED_KERNEL \
  { KERNEL_START, 0xfee00000UL }
#define KERNEL_START 0x80100000UL
#define STACKS_TOP 0xf8000000UL /* slots of four pages from here down */
/* The directory, and a page for the lowest 4 MiB; the kernel's are nobody's. */
#define INIT_TABLES 2

/* First address above those that sbrk() can ever give. */
#define USER_TOP KERNBASE
#define USER_TOP_NOW USER_TOP

/* Machine code of a program that exits with status 42:
 * mov $2, %eax; mov $42, %ebx; int $0x40; 0: jmp 0b */
#define TINY_PROGRAM \
  { 0x000002b8u, 0x002abb00u, 0x40cd0000u, 0x0000feebu }
#define TINY_STATUS 42
#define TINY_MACHINE 3    /* EM_386 (gABI 4.1, chapter 4, e_machine) */
#define OTHER_MACHINE 243 /* EM_RISCV */

/* An instruction that is illegal everywhere. */
#define illegal_instruction() asm volatile("ud2")
#define breakpoint_instruction() asm volatile("int3")
/* One that only the kernel may execute: read cr3. */
static inline void privileged_instruction(void) {
  unsigned long x;

  asm volatile("mov %%cr3, %0" : "=r"(x));
}

static inline unsigned long stack_pointer(void) {
  unsigned long x;

  asm volatile("mov %%esp, %0" : "=r"(x));
  return x;
}

/* The x87's registers and the SSE registers, as FXSAVE has them from byte 32 on
 * (vol. 2A, table 3-43): what they hold, and other contents. */
#define FP_BYTES (16 * 16)
struct fxsave {
  uint64 head[4];
  uint64 registers[FP_BYTES / 8];
  uint64 rest[28];
} __attribute__((aligned(16)));

static inline void fp_load(const uint64 from[FP_BYTES / 8]) {
  static struct fxsave image; /* the stack need not be aligned */

  asm volatile("fninit; fxsave %0" : "=m"(image));
  for (int i = 0; i < FP_BYTES / 8; i++)
    image.registers[i] = from[i];
  asm volatile("fxrstor %0" : : "m"(image));
}

static inline void fp_store(uint64 to[FP_BYTES / 8]) {
  static struct fxsave image;

  asm volatile("fxsave %0" : "=m"(image));
  for (int i = 0; i < FP_BYTES / 8; i++)
    to[i] = image.registers[i];
}

/* A system call by number, all argument registers chosen by the caller. */
static inline long raw_syscall(long number, const uint64 arg[6]) {
  const struct {
    long number, ebx, esi, edi, ebp, ecx, edx;
  } r = {number,       (long)arg[0], (long)arg[1], (long)arg[2],
         (long)arg[3], (long)arg[4], (long)arg[5]};
  long result;

  asm volatile(
      "pushl %%ebp\n\t"
      "movl 4(%1), %%ebx\n\t"
      "movl 8(%1), %%esi\n\t"
      "movl 12(%1), %%edi\n\t"
      "movl 16(%1), %%ebp\n\t"
      "movl 20(%1), %%ecx\n\t"
      "movl 24(%1), %%edx\n\t"
      "movl (%1), %%eax\n\t"
      "int $0x40\n\t"
      "popl %%ebp"
      : "=a"(result)
      : "a"(&r)
      : "ebx", "esi", "edi", "ecx", "edx", "memory", "cc");
  return result;
}

/* Ways to crash (user/tests/crash.c) that only this machine has: none. What
 * others have, an address that the hardware does not take and pages that are
 * not executable, it has not. */
#define MACHINE_CRASHES

#endif
