#
# Traps arrive here, and user mode is entered from here.
#
#   exception, interrupt, int 0x40 -> vectors -> alltraps -> usertrap()
#                                                         -> kerneltrap()
#                                                         -> virtual86trap()
#   SYSENTER -> sysenter_entry -> usersyscall()
#   user_return() -> user_resume -> IRET or SYSEXIT
#
# All gates are interrupt gates: interrupts are off here. In the kernel ds and
# es hold UDATA_SEL and fs CPU_SEL, as they nearly always do in programs: to
# look costs less than to load them. The kernel leaves gs alone.
#
#include "x86.h"

# Offsets in struct trapframe, after pushal (trap.c asserts them).
#define TF_GS 32
#define TF_FS 36
#define TF_ES 40
#define TF_DS 44
#define TF_VECTOR 48
#define TF_EIP 56
#define TF_CS 60
#define TF_EFLAGS 64
#define TF_ESP 68
#define PUSHAL 32               /* bytes that popal takes */
#define SEGMENTS_TO_ERROR 24    /* gs, fs, es, ds, vector, error */

# What a program may have set and the kernel's code does not expect. A gate
# clears TF and NT, SYSENTER none of them.
#define ODD_FLAGS (FL_TF | FL_NT | FL_AC | FL_DF | FL_IOPL)

# A number that is not 0, to find again.
#define FLAT_MARK 0x74616c66

# The rest of a trapframe, below the vector.
.macro SAVE
        pushl   %ds
        pushl   %es
        pushl   %fs
        pushl   %gs
        pushal
.endm

# Jump to \odd unless the saved segments are what the kernel has.
.macro CHECK_SEGMENTS odd
        cmpw    $UDATA_SEL, TF_DS(%esp)
        jne     \odd
        cmpw    $UDATA_SEL, TF_ES(%esp)
        jne     \odd
        cmpw    $CPU_SEL, TF_FS(%esp)
        jne     \odd
.endm

# The kernel's segments; changes eax.
.macro LOAD_SEGMENTS
        movl    $UDATA_SEL, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    $CPU_SEL, %eax
        movl    %eax, %fs
.endm

        .text
        .cfi_sections .debug_frame

# --- vectors ---

# One of VECTOR_SIZE bytes for each (user_return.h). The CPU pushes an error
# code for some exceptions (6.3.1, table 6-1); for the others we push 0.
        .globl  vectors
        .balign 16
vectors:
        .set    vector, 0
        .rept   256
        .balign 16
        .if     vector == T_DEBUG
        jmp     debug
        .elseif vector == T_NMI
        iretl                           # somebody pressed a button: go on
        .elseif vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
        pushl   $vector
        jmp     alltraps
        .else
        pushl   $0
        pushl   $vector
        jmp     alltraps
        .endif
        .set    vector, vector + 1
        .endr

# SYSENTER leaves TF as the program had it, so the kernel's first instructions
# may be stepped through: on the few words of stack that are there then. Clear
# TF and go on.
        .balign 16
debug:
        testb   $3, 4(%esp)
        jnz     1f
        testl   $FL_VM, 8(%esp)
        jnz     1f
        andl    $~FL_TF, 8(%esp)
        iretl
1:
        pushl   $0
        pushl   $T_DEBUG

alltraps:
        SAVE
        cld
        CHECK_SEGMENTS alltraps_segments
alltraps_saved:
        testb   $3, TF_CS(%esp)
        jz      1f
        movl    %esp, %eax
        xorl    %ebp, %ebp              # backtraces end here
        pushl   %eax
        call    usertrap                # does not return
        # For gdb: the stack that was interrupted ends where a trap from a program
        # has esp, and below it lie its registers. As a signal frame says so, gdb
        # does not take eip for an address behind a call.
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa esp, TF_ESP
        .cfi_offset eip, TF_EIP - TF_ESP
        .set    saved, -TF_ESP
        .irp    reg, edi, esi, ebp, unused_esp, ebx, edx, ecx, eax
        .ifnc   \reg, unused_esp
        .cfi_offset \reg, saved
        .endif
        .set    saved, saved + 4
        .endr
1:
        pushl   %esp
        .cfi_adjust_cfa_offset 4
        call    kerneltrap
        addl    $4, %esp
        .cfi_adjust_cfa_offset -4
        .cfi_endproc
        # what was interrupted had the kernel's segments
        popal
        addl    $SEGMENTS_TO_ERROR, %esp
        iretl

alltraps_segments:
        LOAD_SEGMENTS
        testl   $FL_VM, TF_EFLAGS(%esp)
        jz      alltraps_saved
        # the CPU has set all segments to 0, so this is always found here
        movl    %esp, %eax
        xorl    %ebp, %ebp
        pushl   %eax
        call    virtual86trap           # does not return

        .macro  DROP_SELECTOR at        # unless it can be read through (VERR)
        verr    \at(%esp)
        jz      1f
        movw    $0, \at(%esp)
1:
        .endm

# --- SYSENTER (vol. 2B) ---

# From user mode with its esp in ecx and its eip in edx; esp points to where
# segments_set_stack() put the thread's. Make the frame that int 0x40 makes.
#
# The right selectors are not all here. Out of virtual-8086 mode, where 0x23 is
# a segment that begins at 0x230, a gate leads with all of them set to 0
# (20.3.1), but SYSENTER leaves that mode and them as they are, and the flag for
# it reads 0. No program can be in that mode, but for what virtual86trap() says
# (trap.c), and then ds is as wrong as the others: what is read through it at
# flat_mark is something else.
        .globl  sysenter_entry
        .balign 16
sysenter_entry:
        movl    (%esp), %esp
        pushl   $UDATA_SEL
        pushl   %ecx
        pushfl
        pushl   $UCODE_SEL
        pushl   %edx
        pushl   $0
        pushl   $T_SYSENTER
        SAVE
        testl   $ODD_FLAGS, TF_EFLAGS(%esp)
        jnz     sysenter_odd
        CHECK_SEGMENTS sysenter_odd
        cmpl    $FLAT_MARK, flat_mark
        jne     sysenter_odd
        xorl    %ebp, %ebp
        call    usersyscall             # does not return

# Rare: go back as from int 0x40, which restores segments and flags.
# Out of virtual-8086 mode selectors may come that are none, and a right to ports
# that the program was never given: neither goes back.
sysenter_odd:
        movl    $T_SYSCALL, TF_VECTOR(%esp)
        orl     $FL_IF, TF_EFLAGS(%esp)
        andl    $~FL_IOPL, TF_EFLAGS(%esp)
        DROP_SELECTOR TF_DS
        DROP_SELECTOR TF_ES
        DROP_SELECTOR TF_FS
        DROP_SELECTOR TF_GS
        pushl   $FL_FIXED
        popfl
        LOAD_SEGMENTS
        xorl    %ebp, %ebp
        call    usersyscall

        .section .rodata
        .balign 4
flat_mark:
        .long   FLAT_MARK
        .skip   UDATA_SEL << 4          # and so far on there is 0
        .text

# --- to user mode ---

# void user_resume(struct trapframe *tf);
#
# SYSEXIT wants eip in edx and esp in ecx. It keeps the flags, but for IF, which
# STI sets only after the instruction that follows it.
        .globl  user_resume
        .balign 16
user_resume:
        movl    4(%esp), %esp
        cmpl    $T_SYSENTER, TF_VECTOR(%esp)
        jne     1f
        popal
        movl    TF_EIP-PUSHAL(%esp), %edx
        movl    TF_ESP-PUSHAL(%esp), %ecx
        sti
        sysexit
1:
        CHECK_SEGMENTS resume_segments
resume_iret:
        popal
        addl    $SEGMENTS_TO_ERROR, %esp
        iretl

resume_segments:
        movw    TF_FS(%esp), %fs
        movw    TF_ES(%esp), %es
        movw    TF_DS(%esp), %ds
        jmp     resume_iret
trapvec_end:                            # the gdb commands ask for it
