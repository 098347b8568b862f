# The entry of a Linux program without a C library: _exit(main()), as small as
# Pagewise's own, so that exec and not a library is measured.
  .globl _start
_start:
  call main
  li a7, 94 # exit_group, asm-generic/unistd.h
  ecall
