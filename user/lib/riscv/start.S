#
# The kernel enters a program here, with argc and argv where a function has its
# arguments (exec).
#
        .text
        .globl  _start
_start:
        j       start
