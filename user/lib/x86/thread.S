#
# How a thread begins on x86. The stack of the new one is empty, so what it needs
# must be in registers: clone() leaves those as they are, the new stack pointer
# apart.
#
#include "abi/syscall.h"

        .text

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
        jz      1f
        popl    %ebp
        popl    %edi
        popl    %esi
        popl    %ebx
        ret
1:
        xorl    %ebp, %ebp      # backtraces end here
        subl    $12, %esp       # aligned to 16 with the argument
        pushl   %esi            # t
        call    thread_run      # does not return
        .size   thread_start, . - thread_start

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
