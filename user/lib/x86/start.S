#
# The kernel enters a program here: argc in eax, argv in edx, and the stack
# aligned to 16 bytes (exec). start() wants them on the stack, which is to be
# aligned so when it is called.
#
# Nobody called this: backtraces end here.
#
        .text
        .cfi_sections .debug_frame
        .globl  _start
        .type   _start, @function
_start:
        .cfi_startproc
        .cfi_undefined eip
        xorl    %ebp, %ebp      # the chain of frames ends, too
        subl    $8, %esp
        pushl   %edx
        pushl   %eax
        call    start           # does not return
        .cfi_endproc
        .size   _start, . - _start
