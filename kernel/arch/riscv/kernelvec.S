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
#include "start.h"

#define FRAME 160

        .text
        .globl kernelvec
        .balign 4
kernelvec:
        addi sp, sp, -FRAME             # a0 is in sscratch (uservec)
        srli a0, sp, 37                 # kernel stacks are above
        beqz a0, 1f                     #   RAM_MAX; boot stacks in RAM
        slli a0, sp, 64-12-KSTACK_ORDER # from bit 12 on: page within the slot
        srli a0, a0, 64-KSTACK_ORDER
        beqz a0, overflow               # page 0 of a slot is the guard
1:
        csrrw a0, sscratch, zero
        sd ra, 0(sp)
        sd t0, 8(sp)
        sd t1, 16(sp)
        sd t2, 24(sp)
        sd a0, 32(sp)
        sd a1, 40(sp)
        sd a2, 48(sp)
        sd a3, 56(sp)
        sd a4, 64(sp)
        sd a5, 72(sp)
        sd a6, 80(sp)
        sd a7, 88(sp)
        sd t3, 96(sp)
        sd t4, 104(sp)
        sd t5, 112(sp)
        sd t6, 120(sp)
        sd s0, 128(sp)
        mv a0, s0
        call kerneltrap
        ld ra, 0(sp)
        ld t0, 8(sp)
        ld t1, 16(sp)
        ld t2, 24(sp)
        ld a0, 32(sp)
        ld a1, 40(sp)
        ld a2, 48(sp)
        ld a3, 56(sp)
        ld a4, 64(sp)
        ld a5, 72(sp)
        ld a6, 80(sp)
        ld a7, 88(sp)
        ld t3, 96(sp)
        ld t4, 104(sp)
        ld t5, 112(sp)
        ld t6, 120(sp)
        ld s0, 128(sp)
        addi sp, sp, FRAME
        sret

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
