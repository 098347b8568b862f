#
# The kernel enters a program here: argc in eax, argv in edx, and the stack
# aligned to 16 bytes (exec). start() wants them on the stack, which is to be
# aligned so when it is called.
#
        .text
        .globl  _start
_start:
        xorl    %ebp, %ebp
        subl    $8, %esp
        pushl   %edx
        pushl   %eax
        call    start
