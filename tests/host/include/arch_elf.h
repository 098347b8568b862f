/* Programs of unit tests are RISC-V's, or those of a machine with 32 bits;
 * nothing runs them. */
#ifdef TEST_ELF32
#include "../../../kernel/arch/x86/arch_elf.h"
#else
#include "../../../kernel/arch/riscv/arch_elf.h"
#endif
