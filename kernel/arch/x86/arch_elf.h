/*
 * Which programs this machine runs.
 */
#ifndef ARCH_ELF_H
#define ARCH_ELF_H

#include "abi/elf.h"

#define ARCH_ELF_CLASS ELFCLASS32
#define ARCH_ELF_MACHINE 3 /* EM_386 (gABI 4.1, chapter 4, e_machine) */

#endif
