#
# The kernel enters a program here, with argc and argv where a function has its
# arguments (exec).
#
# Nobody called this: backtraces end here.
#
        .text
        .cfi_sections .debug_frame
        .globl  _start
        .type   _start, @function
_start:
        .cfi_startproc
        .cfi_undefined ra
        li      s0, 0           # the chain of frames ends, too
        call    start           # does not return
        .cfi_endproc
        .size   _start, . - _start
