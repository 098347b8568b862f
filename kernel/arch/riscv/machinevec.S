/*
 * Traps in machine mode. After boot there are three:
 *
 *   software interrupt  another hart wrote our msip: pass it on as SSIP
 *   timer interrupt     only without Sstc: pass it on as STIP
 *   ecall from S-mode   only without Sstc: set the timer to a0
 *
 * Supervisor mode cannot clear STIP, which is why it asks for the timer by an
 * ecall rather than write mtimecmp itself. Anything else is a bug of the code
 * that runs in machine mode: end the emulator, since there is nobody to tell.
 */
#include "clint.h"
#include "finisher.h"
#include "memlayout.h"

        .text
        .globl  machinevec
        .balign 4
machinevec:
        csrrw   a0, mscratch, a0
        sd      t0, MSCRATCH_T0(a0)
        sd      t1, MSCRATCH_T1(a0)
        csrr    t0, mcause
        bgez    t0, exception
        slli    t0, t0, 1               /* drops the interrupt bit */
        li      t1, 7 << 1              /* machine timer interrupt */
        beq     t0, t1, timer
        li      t1, 3 << 1              /* machine software interrupt */
        bne     t0, t1, broken

        ld      t0, MSCRATCH_MSIP(a0)
        sw      zero, (t0)
        fence                           /* a later msip makes a later SSIP */
        csrsi   mip, SIE_SSIE
        j       done

timer:  li      t0, MIE_MTIE            /* off until it is set again */
        csrc    mie, t0
        li      t0, SIE_STIE
        csrs    mip, t0
        j       done

exception:
        li      t1, MCAUSE_ECALL_S
        bne     t0, t1, broken
        csrr    t0, mscratch            /* the caller's a0 */
        ld      t1, MSCRATCH_MTIMECMP(a0)
        sd      t0, (t1)
        li      t0, SIE_STIE
        csrc    mip, t0
        li      t0, MIE_MTIE
        csrs    mie, t0
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0

done:   ld      t0, MSCRATCH_T0(a0)
        ld      t1, MSCRATCH_T1(a0)
        csrrw   a0, mscratch, a0
        mret

broken: li      t0, FINISHER
        li      t1, FINISHER_FAIL | FINISHER_STATUS(1)
        sw      t1, (t0)
1:      wfi
        j       1b

/*
 * Three things that a hart may lack, so that the instruction traps. mtvec leads
 * the trap to the next instruction but one, as if nothing had happened.
 */

        /* bool probe_sstc(void): let supervisor mode use stimecmp. True if the
         * hart has it. */
        .globl  probe_sstc
        .balign 4
probe_sstc:
        la      t0, 1f
        csrw    mtvec, t0
        li      a0, 0
        li      t1, MENVCFG_STCE
        csrs    CSR_MENVCFG, t1
        csrr    t1, CSR_STIMECMP
        li      a0, 1
        .balign 4
1:      ret

        /* bool probe_fpu(void): true if the hart has floating-point registers of
         * 64 bits. Leaves them on. */
        .globl  probe_fpu
        .balign 4
probe_fpu:
        la      t0, 1f
        csrw    mtvec, t0
        li      a0, 0
        li      t1, MSTATUS_FS
        csrs    mstatus, t1
        fmv.d.x f0, zero
        li      a0, 1
        .balign 4
1:      ret

        /* void open_pmp(void): supervisor and user mode may use all of memory
         * (privileged spec 1.12, 3.7.1: without an entry that matches they may
         * use none). */
        .globl  open_pmp
        .balign 4
open_pmp:
        la      t0, 1f
        csrw    mtvec, t0
        li      t1, -1
        srli    t1, t1, 10              /* up to the highest address */
        csrw    pmpaddr0, t1
        li      t1, PMP_TOR_RWX
        csrw    pmpcfg0, t1
        .balign 4
1:      ret
