#ifndef XV6_ELF_H
#define XV6_ELF_H

#include "abi/elf.h"

#endif
