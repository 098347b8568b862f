/*
 * A system call in an x86 program: the number in eax, arguments in ebx, esi and
 * edi. Functions here have theirs in eax, edx and ecx (-mregparm=3), where a
 * program is given argc and argv.
 */
#define CALL_AS(name, number, second) \
  asm(".globl " #name "\n" #name      \
      ":\n"                           \
      "  push %ebx\n"                 \
      "  push %esi\n"                 \
      "  push %edi\n"                 \
      "  mov %eax, %ebx\n"            \
      "  mov " second                 \
      ", %esi\n"                      \
      "  mov %ecx, %edi\n"            \
      "  mov $" #number               \
      ", %eax\n"                      \
      "  int $0x40\n"                 \
      "  pop %edi\n"                  \
      "  pop %esi\n"                  \
      "  pop %ebx\n"                  \
      "  ret\n")

#define CALL(name, number) CALL_AS(name, number, "%edx")
#define CALL_WITH_JUNK(name, number) CALL_AS(name, number, "$0x1234567")
