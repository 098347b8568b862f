#
# Traps from supervisor mode arrive here by way of uservec, on the kernel stack
# of whatever was interrupted. Save the registers that C code may change, call
# kerneltrap(), restore them.
#
# If the frame would reach into the stack's guard page the stack has overflowed
# (the trap is the fault that says so, or one a moment earlier). Saving anything
# there would only fault again, so go to the hart's boot stack, which has been
# free since its idle thread started, and report it.
#
# For gdb each step says in DWARF where the interrupted registers are; sepc stands
# for a return address. As that is where a signal frame leads to, gdb does not take
# it for one behind a call.
#include "start.h"

#define FRAME 160
#define DWARF_PC 64 /* no register: the column of where it goes on */
#define DWARF_CSR 4096 /* RISC-V ELF psABI, "DWARF Register Numbers" */
#define SEPC 0x141
#define SSCRATCH 0x140

        .macro  KEEP reg, at
        sd \reg, \at(sp)
        .cfi_offset \reg, \at - FRAME
        .endm

        .macro  RESTORE reg, at
        ld \reg, \at(sp)
        .cfi_same_value \reg
        .endm

        .text
        .cfi_sections .debug_frame
        .globl kernelvec
        .balign 4
kernelvec:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_return_column DWARF_PC
        .cfi_register DWARF_PC, DWARF_CSR + SEPC
        .cfi_register a0, DWARF_CSR + SSCRATCH
        .cfi_def_cfa sp, 0
        addi sp, sp, -FRAME             # a0 is in sscratch (uservec)
        .cfi_def_cfa_offset FRAME
        srli a0, sp, 37                 # kernel stacks are above
        beqz a0, 1f                     #   RAM_MAX; boot stacks in RAM
        slli a0, sp, 64-12-KSTACK_ORDER # from bit 12 on: page within the slot
        srli a0, a0, 64-KSTACK_ORDER
        beqz a0, overflow               # page 0 of a slot is the guard
1:
        csrrw a0, sscratch, zero
        .cfi_same_value a0
        KEEP ra, 0
        KEEP t0, 8
        KEEP t1, 16
        KEEP t2, 24
        KEEP a0, 32
        KEEP a1, 40
        KEEP a2, 48
        KEEP a3, 56
        KEEP a4, 64
        KEEP a5, 72
        KEEP a6, 80
        KEEP a7, 88
        KEEP t3, 96
        KEEP t4, 104
        KEEP t5, 112
        KEEP t6, 120
        KEEP s0, 128
        mv a0, s0
        call kerneltrap
        RESTORE ra, 0
        RESTORE t0, 8
        RESTORE t1, 16
        RESTORE t2, 24
        RESTORE a0, 32
        RESTORE a1, 40
        RESTORE a2, 48
        RESTORE a3, 56
        RESTORE a4, 64
        RESTORE a5, 72
        RESTORE a6, 80
        RESTORE a7, 88
        RESTORE t3, 96
        RESTORE t4, 104
        RESTORE t5, 112
        RESTORE t6, 120
        RESTORE s0, 128
        addi sp, sp, FRAME
        .cfi_def_cfa_offset 0
        sret
        .cfi_endproc

overflow:
        csrw sscratch, zero
        addi a0, sp, FRAME              # where the stack pointer was
        mv a1, s0
        lw t0, 0(tp)                    # struct cpu.id
        addi t0, t0, 1
        slli t0, t0, BOOT_STACK_SHIFT
        la sp, stack0
        add sp, sp, t0
        call kernel_stack_overflow
