/*
 * What usertests must know of the machine: RISC-V, QEMU "virt".
 */
#ifndef USERTESTS_MACHINE_H
#define USERTESTS_MACHINE_H

#include "kernel/riscv.h"

#include "kernel/memlayout.h"

/* Addresses that no program may touch: below and above what user page tables
 * map, devices, the kernel, and pages mapped for the kernel only. */
#define FORBIDDEN_ADDRESSES                                              \
  {                                                                      \
    0x02000000UL /* CLINT */, 0x0c000000UL /* PLIC */, UART0, VIRTIO0,   \
        KERNBASE, KERNBASE + 0x1000, KERNBASE + 0x200000, TRAPFRAME,     \
        TRAPFRAME + 8, TRAMPOLINE, TRAMPOLINE + PGSIZE - 8, MAXVA,       \
        MAXVA + PGSIZE, 2UL * MAXVA, 4UL * MAXVA, 1UL << 56, 1UL << 63,  \
        0xffffffc000000000UL, 0xfffffffffffff000UL, 0xfffffffffffffff8UL \
  }

/* Page tables: Sv39 (privileged spec 1.12, 4.4), and figure 3.3; with Sv48 and
 * Sv57 the same with more levels, and the top farther up. */
#define TABLE_LEVELS table_levels()
#define TOP (1UL << (9 * TABLE_LEVELS + 11))
#define TABLE_INDEX_BITS 9
#define PTE_BYTES 8
#define PTE_UNUSED_BITS 10 /* above ten bits of flags and 44 of page number */
#define PTE_RIGHTS 0x1f    /* V, R, W, X, U */
#define WALKED_PROCESS \
  { TRAMPOLINE, 0x123456789aUL }
#define WALKED_KERNEL \
  { 0x80000000UL, 0x10000000UL }
#define KERNEL_START 0x80000000UL
#define STACKS_TOP (TOP - STACK_SLOT) /* a slot of theirs below the top */
/* The root, and for both ends of the addresses a page of each level below. */
#define INIT_TABLES (2 * TABLE_LEVELS - 1)
int table_levels(void);

/* First address above those that sbrk() can ever give: with Sv39, and with the
 * levels that there are. */
#define USER_TOP (TRAPFRAME - 255 * PGSIZE)
#define USER_TOP_NOW (TOP - 257 * PGSIZE)

/* Machine code of a program that exits with status 42:
 * addi a0, zero, 42; addi a7, zero, 2; ecall; 0: jal zero, 0b */
#define TINY_PROGRAM \
  { 0x02a00513u, 0x00200893u, 0x00000073u, 0x0000006fu }
#define TINY_STATUS 42
#define TINY_MACHINE 243 /* EM_RISCV (RISC-V psABI, e_machine) */
#define OTHER_MACHINE 3  /* EM_386 */

/* An instruction that is illegal everywhere. */
#define illegal_instruction() asm volatile(".word 0")
#define breakpoint_instruction() asm volatile("ebreak")
/* One that only the kernel may execute: read sstatus. */
static inline void privileged_instruction(void) {
  unsigned long x;

  asm volatile("csrr %0, sstatus" : "=r"(x));
}

static inline unsigned long stack_pointer(void) {
  unsigned long x;

  asm volatile("mv %0, sp" : "=r"(x));
  return x;
}

/* The floating-point registers f0 to f31: what they hold, and other contents. */
#define FP_BYTES (32 * 8)
#define EACH_FP(instruction)                                              \
  instruction " f0, 0(%0)\n" instruction " f1, 8(%0)\n" instruction       \
              " f2, 16(%0)\n" instruction " f3, 24(%0)\n" instruction     \
              " f4, 32(%0)\n" instruction " f5, 40(%0)\n" instruction     \
              " f6, 48(%0)\n" instruction " f7, 56(%0)\n" instruction     \
              " f8, 64(%0)\n" instruction " f9, 72(%0)\n" instruction     \
              " f10, 80(%0)\n" instruction " f11, 88(%0)\n" instruction   \
              " f12, 96(%0)\n" instruction " f13, 104(%0)\n" instruction  \
              " f14, 112(%0)\n" instruction " f15, 120(%0)\n" instruction \
              " f16, 128(%0)\n" instruction " f17, 136(%0)\n" instruction \
              " f18, 144(%0)\n" instruction " f19, 152(%0)\n" instruction \
              " f20, 160(%0)\n" instruction " f21, 168(%0)\n" instruction \
              " f22, 176(%0)\n" instruction " f23, 184(%0)\n" instruction \
              " f24, 192(%0)\n" instruction " f25, 200(%0)\n" instruction \
              " f26, 208(%0)\n" instruction " f27, 216(%0)\n" instruction \
              " f28, 224(%0)\n" instruction " f29, 232(%0)\n" instruction \
              " f30, 240(%0)\n" instruction " f31, 248(%0)\n"

static inline void fp_load(const uint64 from[FP_BYTES / 8]) {
  asm volatile(EACH_FP("fld") : : "r"(from) : "memory");
}

static inline void fp_store(uint64 to[FP_BYTES / 8]) {
  asm volatile(EACH_FP("fsd") : : "r"(to) : "memory");
}

/* A system call by number, all argument registers chosen by the caller. */
static inline long raw_syscall(long number, const uint64 arg[6]) {
  register long a0 asm("a0") = (long)arg[0];
  register long a1 asm("a1") = (long)arg[1];
  register long a2 asm("a2") = (long)arg[2];
  register long a3 asm("a3") = (long)arg[3];
  register long a4 asm("a4") = (long)arg[4];
  register long a5 asm("a5") = (long)arg[5];
  register long a7 asm("a7") = number;

  asm volatile("ecall"
               : "+r"(a0)
               : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
               : "memory");
  return a0;
}

/* Ways to crash (user/tests/crash.c) that only this machine has. */
#define MACHINE_CRASHES                                                    \
  {"trapframe", crash_trapframe, "load from the trapframe page"},          \
      {"noncanonical", crash_noncanonical, "store to what is no address"}, \
      {"exec-stack", crash_exec_stack, "execute the stack"},               \
      {"exec-data", crash_exec_data, "execute data"},

static inline void crash_trapframe(void) { (void)*(volatile char *)TRAPFRAME; }

static inline void crash_noncanonical(void) {
  *(volatile char *)(1UL << 45) = 1;
}

static inline void crash_exec_stack(void) {
  ((void (*)(void))stack_pointer())();
}

static inline void crash_exec_data(void) {
  static char data[16];

  ((void (*)(void))data)();
}

#endif
