/* As on RISC-V; physical addresses are those of the test program. */
#include "../../../kernel/arch/riscv/memlayout.h"
#include "levels.h"
