/*
 * Where the other CPUs start: one at a time, when start_cpu() sends STARTUP
 * (SDM vol. 3A, 8.4.4), at a copy of this code below 1 MiB, in real mode. They
 * go on in the kernel itself, at its physical address, with flat segments, and
 * from there like the boot CPU.
 */
#include "memlayout.h"
#include "start.h"
#include "x86.h"

        .text
        .code16
        .globl  apboot
apboot:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   gdt_descriptor - apboot
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
        movl    %eax, %cr0
        ljmpl   $KCODE_SEL, $(protected - KERNBASE)

        .balign 4
gdt_descriptor:
        .word   gdt_end - gdt - 1
        .long   gdt - KERNBASE
        .globl  apboot_end
apboot_end:

        .code32
protected:
        movl    $KDATA_SEL, %eax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        xorl    %eax, %eax
        movw    %ax, %fs
        movw    %ax, %gs
        movl    ap_stack - KERNBASE, %esp
        movl    $start_other, %edx
        jmp     enter_kernel

        /* Flat segments (3.4.5), until segments.c loads its own. */
        .section .rodata
        .balign 8
gdt:
        .quad   0
        .quad   0x00cf9a000000ffff      /* KCODE_SEL: 4 GiB, code */
        .quad   0x00cf92000000ffff      /* KDATA_SEL: 4 GiB, data */
gdt_end:
