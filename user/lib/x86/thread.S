#
# How a thread begins on x86. The stack of the new one is empty, so what it needs
# must be in registers: clone() leaves those as they are, the new stack pointer
# apart.
#
#include "abi/syscall.h"

        .text
        .cfi_sections .debug_frame

# int thread_start(flags, t, parent_tid, tls, child_tid): arguments of the call
# in ebx, esi, edi, ebp, ecx.
        .globl  thread_start
        .type   thread_start, @function
thread_start:
        pushl   %ebx
        pushl   %esi
        pushl   %edi
        pushl   %ebp
        movl    20(%esp), %ebx
        movl    24(%esp), %esi
        movl    28(%esp), %edi
        movl    32(%esp), %ebp
        movl    36(%esp), %ecx
        movl    $SYS_clone, %eax
        int     $0x40
        testl   %eax, %eax
        jz      thread_begin
        popl    %ebp
        popl    %edi
        popl    %esi
        popl    %ebx
        ret
        .size   thread_start, . - thread_start

# The new thread. Nobody called this: backtraces end here.
        .type   thread_begin, @function
thread_begin:
        .cfi_startproc
        .cfi_undefined eip
        xorl    %ebp, %ebp      # the chain of frames ends, too
        subl    $12, %esp       # aligned to 16 with the argument
        pushl   %esi            # t
        call    thread_run      # does not return
        .cfi_endproc
        .size   thread_begin, . - thread_begin

# struct thread *thread_self(void): %gs selects the segment that begins at the
# struct, whose first word is its address; nothing, in the first thread.
        .weak   thread_self
        .type   thread_self, @function
thread_self:
        movl    %gs, %eax
        testl   %eax, %eax
        jz      1f
        movl    %gs:0, %eax
1:
        ret
        .size   thread_self, . - thread_self
