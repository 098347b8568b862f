/*
 * What the tour's programs say of the machine that no system call tells: RISC-V;
 * and of the other one, the 32-bit PC. tests/boot/test_tour.py holds it against what
 * the tests know of both.
 */
#ifndef TOUR_MACHINE_H
#define TOUR_MACHINE_H

#include "kernel/memlayout.h"
#include "tour.h"

#define TOUR_TEXT KERNBASE /* where the kernel's text begins */

/* How to stop in gdb on a system call's way in, and to look there: `at` is the
 * trampoline, which begins with uservec. */
#define TOUR_TRAP_PAGE "trampoline"
static inline void show_trap_entry(ull at) {
  say("in gdb: b *0x%llx if $scause == 8", at);
  say("and there: bt, p/x $sepc, p/x $satp, stepi");
}

/* Privileged spec 1.12, 4.4 to 4.6. */
#define TOUR_MODES \
  { {3, "Sv39"}, {4, "Sv48"}, {5, "Sv57"}, }
#define TOUR_OTHER_MODES "to boot with more levels: make qemu APPEND=satp=sv48"

/* Intel SDM vol. 3A, 4.3; kernel/arch/x86/memlayout.h. */
#define TOUR_OTHER_MACHINE                                                   \
  {                                                                          \
    .arch = "x86", .levels = 2, .index_bits = 10, .entry = 4,                \
    .superpage = 4096, .flags = "pwutcadlg", .kernel_in_table = 1,           \
    .kernel_begins = 0x80000000, .text_va = 0x80100000, .text_pa = 0x100000, \
  }

#endif
