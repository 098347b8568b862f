#
# The page that is mapped at TRAMPOLINE in the kernel's and in every user page
# table, so that the instruction after a write to satp is still there.
#
# uservec: every trap arrives here (stvec never changes: a write to it is not
#          free). From user mode sscratch holds the address of the thread's
#          trapframe, and the page table is still the user's. In the kernel
#          sscratch is 0, and the trap goes on to kernelvec.
# userret: the way back to user mode.
#
# With ASIDs no fence is needed here: the tables' translations are told apart
# by them, and changes of a table were made known before (tables.c). Without,
# one behind each write to satp; this page is global and the same in all tables,
# so that the fence itself can be fetched.
#
# The offsets are those of struct trapframe (arch_thread.h).
#
        .section trampsec, "ax"
        .option norelax         # the code must not depend on where it runs
        .globl trampoline
        .balign 4096
trampoline:

        .globl uservec
        .balign 4
uservec:
        csrrw a0, sscratch, a0  # a0 = trapframe; the user's a0 in sscratch
        beqz a0, from_kernel
        sd ra, 40(a0)
        sd sp, 48(a0)
        sd gp, 56(a0)
        sd tp, 64(a0)
        sd t0, 72(a0)
        sd t1, 80(a0)
        sd t2, 88(a0)
        sd s0, 96(a0)
        sd s1, 104(a0)
        sd a1, 120(a0)
        sd a2, 128(a0)
        sd a3, 136(a0)
        sd a4, 144(a0)
        sd a5, 152(a0)
        sd a6, 160(a0)
        sd a7, 168(a0)
        sd s2, 176(a0)
        sd s3, 184(a0)
        sd s4, 192(a0)
        sd s5, 200(a0)
        sd s6, 208(a0)
        sd s7, 216(a0)
        sd s8, 224(a0)
        sd s9, 232(a0)
        sd s10, 240(a0)
        sd s11, 248(a0)
        sd t3, 256(a0)
        sd t4, 264(a0)
        sd t5, 272(a0)
        sd t6, 280(a0)
uservec_saved:                  # the gdb commands ask for it
        csrrw t0, sscratch, zero
        sd t0, 112(a0)          # the user's a0

        ld sp, 8(a0)
        ld tp, 32(a0)
        ld t0, 16(a0)
        ld t1, 0(a0)
        ld t2, 288(a0)          # flush?
        csrw satp, t1
        bnez t2, 1f
        jr t0                   # usertrap(); it does not return
1:      li t2, 0                # both tables have ASID 0: forget the user's
        sfence.vma zero, t2     #   translations, not the global ones
        jr t0

from_kernel:
        ld a0, kernelvec_address
        jr a0                   # its a0 is in sscratch
        .balign 8
kernelvec_address:
        .dword kernelvec

        .globl userret
userret:
        # userret(trapframe's user address, satp, flush)
        csrw satp, a1
        beqz a2, 1f
        li a2, 0                # forget the kernel's translations
        sfence.vma zero, a2
1:
        csrw sscratch, a0
        ld ra, 40(a0)
        ld sp, 48(a0)
        ld gp, 56(a0)
        ld tp, 64(a0)
        ld t0, 72(a0)
        ld t1, 80(a0)
        ld t2, 88(a0)
        ld s0, 96(a0)
        ld s1, 104(a0)
        ld a1, 120(a0)
        ld a2, 128(a0)
        ld a3, 136(a0)
        ld a4, 144(a0)
        ld a5, 152(a0)
        ld a6, 160(a0)
        ld a7, 168(a0)
        ld s2, 176(a0)
        ld s3, 184(a0)
        ld s4, 192(a0)
        ld s5, 200(a0)
        ld s6, 208(a0)
        ld s7, 216(a0)
        ld s8, 224(a0)
        ld s9, 232(a0)
        ld s10, 240(a0)
        ld s11, 248(a0)
        ld t3, 256(a0)
        ld t4, 264(a0)
        ld t5, 272(a0)
        ld t6, 280(a0)
        ld a0, 112(a0)
        sret
