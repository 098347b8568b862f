/* Programs of unit tests are RISC-V's; nothing runs them. */
#include "../../../kernel/arch/riscv/arch_elf.h"
