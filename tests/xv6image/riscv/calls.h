/*
 * A system call in a RISC-V program: the number in a7, arguments in a0 and on,
 * where a function has them.
 */
#define CALL(name, number)       \
  asm(".globl " #name "\n" #name \
      ":\n"                      \
      "  li a7, " #number        \
      "\n"                       \
      "  ecall\n"                \
      "  ret\n")

#define CALL_WITH_JUNK(name, number) \
  asm(".globl " #name "\n" #name     \
      ":\n"                          \
      "  li a1, 0x1234567\n"         \
      "  li a7, " #number            \
      "\n"                           \
      "  ecall\n"                    \
      "  ret\n")
