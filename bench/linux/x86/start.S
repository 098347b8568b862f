# The entry of a Linux program without a C library: _exit(main()), as small as
# Pagewise's own, so that exec and not a library is measured.
  .globl _start
_start:
  call main
  mov %eax, %ebx
  mov $252, %eax # exit_group, asm/unistd_32.h
  int $0x80
  .section .note.GNU-stack, "", @progbits
