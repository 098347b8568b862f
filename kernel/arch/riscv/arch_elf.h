/*
 * Which programs this machine runs.
 */
#ifndef ARCH_ELF_H
#define ARCH_ELF_H

#include "abi/elf.h"

#define ARCH_ELF_CLASS ELFCLASS64
#define ARCH_ELF_MACHINE 243 /* EM_RISCV (RISC-V psABI, e_machine) */

#endif
