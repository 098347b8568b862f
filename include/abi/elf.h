/* The parts of ELF that exec reads (System V ABI, gABI 4.1, chapter 4-5). */
#ifndef ABI_ELF_H
#define ABI_ELF_H

#include "abi/types.h"

#define ELF_MAGIC 0x464C457FU /* "\x7FELF" in little-endian order */

#define ELFCLASS32 1
#define ELFCLASS64 2
#define ELFDATA2LSB 1
#define ET_EXEC 2
#define EM_386 3
#define EM_RISCV 243

/* File header, 64-bit class. */
struct elfhdr {
  uint magic;
  uchar elf[12]; /* class, data encoding, version, OS ABI, padding */
  ushort type;
  ushort machine;
  uint version;
  uint64 entry;
  uint64 phoff;
  uint64 shoff;
  uint flags;
  ushort ehsize;
  ushort phentsize;
  ushort phnum;
  ushort shentsize;
  ushort shnum;
  ushort shstrndx;
};

/* Program header, 64-bit class. */
struct proghdr {
  uint32 type;
  uint32 flags;
  uint64 off;
  uint64 vaddr;
  uint64 paddr;
  uint64 filesz;
  uint64 memsz;
  uint64 align;
};

#define ELF_PROG_LOAD 1
#define ELF_PROG_GNU_STACK 0x6474e551 /* memsz: stack size wanted, or 0 */

#define ELF_PROG_FLAG_EXEC 1
#define ELF_PROG_FLAG_WRITE 2
#define ELF_PROG_FLAG_READ 4

#endif
