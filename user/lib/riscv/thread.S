#
# How a thread begins on RISC-V. The stack of the new one is empty, so what it
# needs must be in registers: clone() leaves those as they are.
#
#include "abi/syscall.h"

        .text
        .cfi_sections .debug_frame

# int thread_start(flags, t, parent_tid, tls, child_tid)
        .globl  thread_start
        .type   thread_start, @function
thread_start:
        li      a7, SYS_clone
        ecall
        beqz    a0, thread_begin
        ret
        .size   thread_start, . - thread_start

# The new thread. Nobody called this: backtraces end here.
        .type   thread_begin, @function
thread_begin:
        .cfi_startproc
        .cfi_undefined ra
        li      s0, 0           # the chain of frames ends, too
        mv      a0, a1          # t
        call    thread_run      # does not return
        .cfi_endproc
        .size   thread_begin, . - thread_begin

# struct thread *thread_self(void): the thread pointer, 0 in the first thread.
        .weak   thread_self
        .type   thread_self, @function
thread_self:
        mv      a0, tp
        ret
        .size   thread_self, . - thread_self
