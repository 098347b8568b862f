/*
 * What the tour's programs say of the machine that no system call tells: the 32-bit
 * PC; and of the other one, RISC-V. tests/boot/test_tour.py holds it against what
 * the tests know of both.
 */
#ifndef TOUR_MACHINE_H
#define TOUR_MACHINE_H

#include "kernel/memlayout.h"
#include "tour.h"

#define TOUR_TEXT (KERNBASE + 0x100000) /* where the kernel's text begins */

/* How to stop in gdb on a system call's way in, and to look there: `at` is where
 * the kernel begins. */
#define TOUR_TRAP_PAGE "kernel"
static inline void show_trap_entry(ull at) {
  say("in gdb: b *sysenter_entry (the kernel begins at 0x%llx)", at);
  say("and there: bt, p/x $edx, p/x $cr3, stepi");
}

/* Intel SDM vol. 3A, 4.3. */
#define TOUR_MODES \
  { {2, "32-bit paging"}, }
#define TOUR_OTHER_MODES "this machine has no other mode without PAE"

/* RISC-V privileged spec 1.12, 4.3.1 and 4.4; kernel/arch/riscv/memlayout.h. */
#define TOUR_OTHER_MACHINE                                                 \
  {                                                                        \
    .arch = "riscv64", .levels = 3, .index_bits = 9, .entry = 8,           \
    .superpage = 2048, .flags = "vrwxugad", .no_read = 1, .no_execute = 1, \
    .kernel_begins = 0x3fffffe000ULL, .text_va = 0x80000000,               \
    .text_pa = 0x80000000,                                                 \
  }

#endif
