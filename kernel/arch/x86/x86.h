/*
 * Registers and instructions of a 32-bit x86 CPU. Section numbers are those of
 * the "Intel 64 and IA-32 Architectures Software Developer's Manual" (SDM),
 * volume 3A unless they name another.
 */
#ifndef X86_H
#define X86_H

#define PGSIZE 4096 /* bytes of a page (4.3) */
#define PGSHIFT 12

/* CR0 (2.5) */
#define CR0_PE 0x00000001 /* protected mode */
#define CR0_MP 0x00000002 /* WAIT looks at TS */
#define CR0_EM 0x00000004 /* no FPU */
#define CR0_TS 0x00000008 /* the FPU's registers are another thread's */
#define CR0_NE 0x00000020 /* FPU errors are exceptions */
#define CR0_WP 0x00010000 /* the kernel, too, obeys read-only pages */
#define CR0_NW 0x20000000 /* (with CD) caches and memory may differ */
#define CR0_CD 0x40000000 /* nothing new gets into the caches (11.5.1) */
#define CR0_PG 0x80000000 /* paging */

/* CR4 (2.5) */
#define CR4_PSE 0x00000010        /* pages of 4 MiB */
#define CR4_PGE 0x00000080        /* PTE_G works */
#define CR4_OSFXSR 0x00000200     /* FXSAVE, SSE */
#define CR4_OSXMMEXCPT 0x00000400 /* SSE errors are exceptions */

/* EFLAGS (2.3) */
#define FL_TF 0x00000100    /* trap after each instruction */
#define FL_IF 0x00000200    /* interrupts on */
#define FL_DF 0x00000400    /* string instructions go down */
#define FL_IOPL 0x00003000  /* who may use ports */
#define FL_NT 0x00004000    /* nested task */
#define FL_VM 0x00020000    /* virtual-8086 mode */
#define FL_AC 0x00040000    /* misaligned accesses trap */
#define FL_ID 0x00200000    /* can be changed: there is CPUID */
#define FL_FIXED 0x00000002 /* always 1 */

/* Segment selectors: index in the GDT * 8 + privilege level (3.4.2). The order
 * of the first four is what SYSENTER and SYSEXIT want (vol. 2B). */
#define SEG_KCODE 1 /* kernel code */
#define SEG_KDATA 2 /* kernel data and stack */
#define SEG_UCODE 3 /* user code */
#define SEG_UDATA 4 /* user data and stack */
#define SEG_CPU 5   /* %fs: this CPU's struct percpu (segments.c) */
#define SEG_TLS 6   /* %gs: the running program's thread-local storage */
#define SEG_TSS 7   /* this CPU's task state */
#define SEG_DF 8    /* the task for double faults */
#define NSEGS 9

#define KCODE_SEL (SEG_KCODE << 3)
#define KDATA_SEL (SEG_KDATA << 3)
#define UCODE_SEL ((SEG_UCODE << 3) | 3)
#define UDATA_SEL ((SEG_UDATA << 3) | 3)
#define CPU_SEL ((SEG_CPU << 3) | 3)
#define TLS_SEL ((SEG_TLS << 3) | 3)
#define TSS_SEL (SEG_TSS << 3)
#define DF_SEL (SEG_DF << 3)

/* Vectors: exceptions (6.3.1), then ours. */
#define T_DEBUG 1
#define T_NMI 2
#define T_BREAKPOINT 3
#define T_OVERFLOW 4
#define T_ILLEGAL 6
#define T_NOFPU 7 /* device not available: CR0.TS is set */
#define T_DOUBLE 8
#define T_GENERAL 13
#define T_PAGE 14
#define T_SYSENTER 0x20 /* no vector: what a trapframe says after SYSENTER */
#define T_SYSCALL 0x40  /* int 0x40: native system calls */
#define T_IRQ0 0x50     /* I/O APIC input i interrupts as T_IRQ0 + i */
#define T_TIMER 0xf0    /* local APIC timer */
#define T_IPI 0xf1
#define T_SPURIOUS 0xff

/* Error code of a page fault (4.7) */
#define PF_PRESENT 1 /* the page was there, its rights forbid the access */
#define PF_WRITE 2
#define PF_USER 4
#define PF_RESERVED 8

/* Model-specific registers (vol. 4) */
#define MSR_APIC_BASE 0x1b
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

#ifndef __ASSEMBLER__

#include "types.h"

/* r_cr() and w_cr() for the control registers that C code uses. */
#define CR_READ(name)                              \
  static inline uint32 r_##name(void) {            \
    uint32 x;                                      \
    asm volatile("mov %%" #name ", %0" : "=r"(x)); \
    return x;                                      \
  }
#define CR_WRITE(name)                                      \
  static inline void w_##name(uint32 x) {                   \
    asm volatile("mov %0, %%" #name : : "r"(x) : "memory"); \
  }

CR_READ(cr0)
CR_WRITE(cr0)
CR_READ(cr2) /* the address of the last page fault */
CR_READ(cr3) /* physical address of the page directory */
CR_WRITE(cr3)
CR_READ(cr4)
CR_WRITE(cr4)

static inline uint32 r_eflags(void) {
  uint32 x;

  asm volatile("pushfl; popl %0" : "=r"(x) : : "memory");
  return x;
}
static inline void w_eflags(uint32 x) {
  asm volatile("pushl %0; popfl" : : "r"(x) : "memory", "cc");
}
static inline uint32 r_esp(void) {
  uint32 x;

  asm volatile("mov %%esp, %0" : "=r"(x));
  return x;
}

static inline void invlpg(vaddr_t va) {
  asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline uint64 rdtsc(void) {
  uint32 lo, hi;

  asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
  return (uint64)hi << 32 | lo;
}

static inline uint64 rdmsr(uint32 msr) {
  uint32 lo, hi;

  asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
  return (uint64)hi << 32 | lo;
}
static inline void wrmsr(uint32 msr, uint64 x) {
  asm volatile("wrmsr"
               :
               : "c"(msr), "a"((uint32)x), "d"((uint32)(x >> 32))
               : "memory");
}

/* Ports, of 8, 16 and 32 bits: inb() and outb(), inw() ... */
#define PORT_ACCESS(letter, type)                                            \
  static inline type in##letter(uint16 port) {                               \
    type x;                                                                  \
    asm volatile("in" #letter " %1, %0" : "=a"(x) : "Nd"(port) : "memory");  \
    return x;                                                                \
  }                                                                          \
  static inline void out##letter(uint16 port, type x) {                      \
    asm volatile("out" #letter " %0, %1" : : "a"(x), "Nd"(port) : "memory"); \
  }

PORT_ACCESS(b, uint8)
PORT_ACCESS(w, uint16)
PORT_ACCESS(l, uint32)

#endif /* __ASSEMBLER__ */
#endif
