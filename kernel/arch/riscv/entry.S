/*
 * Where the machine starts. The ROM jumps here with each hart in machine mode,
 * a0 its id, a1 the address of the device tree. One hart wins and boots; the
 * others wait for machine_start_cpus(), which tells them by their ids which
 * CPUs they are. Harts that are not to be used wait for ever.
 */
#include "param.h"
#include "riscv.h"
#include "start.h"

        .section .text.entry, "ax"
        .globl  _entry
_entry:
        csrw    mie, zero
        csrr    a0, mhartid
        la      t0, boot_lottery
        li      t1, 1
        amoswap.w.aqrl t1, t1, (t0)
        bnez    t1, wait
        li      a2, 0                   /* the winner is CPU 0 */

        /* Run start(hartid, fdt, id) on boot stack id. */
enter:
        la      sp, stack0
        addi    t0, a2, 1
        slli    t0, t0, BOOT_STACK_SHIFT
        add     sp, sp, t0
        li      s0, 0                   /* the chain of frames ends here */
        li      ra, 0
        tail    start

        /* mstatus.MIE is off: the software interrupt only ends the wfi. */
wait:
        li      t0, MIE_MSIE
        csrw    mie, t0
        la      t0, boot_go
1:      wfi
        lw      t1, (t0)
        beqz    t1, 1b
        fence   r, rw

        /* id = the i below ncpu with boot_harts[i] == hartid */
        li      a2, 1
        la      t0, boot_harts + 4
        lw      t1, ncpu
2:      bge     a2, t1, park
        lwu     t2, (t0)
        beq     t2, a0, enter
        addi    a2, a2, 1
        addi    t0, t0, 4
        j       2b

park:
        csrw    mie, zero
3:      wfi
        j       3b

        .data
        .balign 4
boot_lottery:
        .word   0

        /* One stack for each hart to boot on. Aligned to its size. */
        .bss
        .globl  stack0
        .balign 1 << BOOT_STACK_SHIFT
stack0:
        .skip   NCPU << BOOT_STACK_SHIFT
