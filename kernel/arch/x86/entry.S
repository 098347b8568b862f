/*
 * Where the machine starts. The boot loader jumps to _entry with the boot CPU
 * in protected mode, paging off: eax is a magic number, ebx the address of
 * struct multiboot_info (multiboot.h). The code lies at its physical address
 * then, KERNBASE below where it is linked to be; the boot directory makes it
 * appear there.
 */
#include "memlayout.h"
#include "multiboot.h"
#include "start.h"
#include "x86.h"

#define PDE_SHIFT 22   /* of the address: what a directory entry covers */
#define PDE_FLAGS 0x83 /* present, writable, a page of 4 MiB (table 4-4) */
#define FLAGS (MULTIBOOT_WANT_PAGES | MULTIBOOT_WANT_MEMORY)

        .section .text.entry, "ax"
        .balign 4
multiboot_header:
        .long   MULTIBOOT_HEADER_MAGIC
        .long   FLAGS
        .long   -(MULTIBOOT_HEADER_MAGIC + FLAGS)

        .globl  _entry
_entry:
        cli
        cld
        movl    $(stack0 + (1 << BOOT_STACK_SHIFT)), %esp
        movl    $start, %edx

        /* With paging off: turn it and the caches on, and go to edx, where the
         * kernel is. eax and ebx are passed on. For apboot.S, too. */
        .globl  enter_kernel
enter_kernel:
        movl    $(boot_directory - KERNBASE), %ecx
        movl    %ecx, %cr3
        movl    %cr4, %ecx
        orl     $CR4_PSE, %ecx
        movl    %ecx, %cr4
        movl    %cr0, %ecx              /* at reset CD and NW are set (9.1.1) */
        andl    $~(CR0_CD | CR0_NW), %ecx
        orl     $(CR0_PG | CR0_WP), %ecx
        movl    %ecx, %cr0
        movl    $1f, %ecx
        jmp     *%ecx
1:      xorl    %ebp, %ebp              /* the chain of frames ends here */
        subl    $8, %esp                /* the ABI wants multiples of 16 */
        pushl   %ebx
        pushl   %eax
        call    *%edx
2:      hlt
        jmp     2b

        .data
        .globl  boot_directory
        .balign PGSIZE
boot_directory:
        .long   PDE_FLAGS               /* 0: where we are while this begins */
        .set    pa, (0x80000000 + (1 << PDE_SHIFT))
        .rept   511
        .long   pa + PDE_FLAGS
        .set    pa, pa + (1 << PDE_SHIFT)
        .endr
        .set    pa, 0
        .rept   512                     /* KERNBASE leads to 0 */
        .long   pa + PDE_FLAGS
        .set    pa, pa + (1 << PDE_SHIFT)
        .endr

        /* One stack for each CPU to boot on. Aligned to its size. */
        .bss
        .globl  stack0
        .balign 1 << BOOT_STACK_SHIFT
stack0:
        .skip   NCPU << BOOT_STACK_SHIFT
