/* The parts of ELF that exec reads (System V ABI, gABI 4.1, chapter 4-5). */
#ifndef ABI_ELF_H
#define ABI_ELF_H

#include "abi/types.h"

#define ELF_MAGIC 0x464C457FU /* "\x7FELF" in little-endian order */

#define ELFCLASS32 1
#define ELFCLASS64 2
#define ELFDATA2LSB 1
#define ET_EXEC 2

/* File header, 32-bit class; up to `machine` both are the same. */
struct elfhdr32 {
  uint magic;
  uchar elf[12]; /* class, data encoding, version, OS ABI, padding */
  ushort type;
  ushort machine;
  uint version;
  uint32 entry;
  uint32 phoff;
  uint32 shoff;
  uint flags;
  ushort ehsize;
  ushort phentsize;
  ushort phnum;
  ushort shentsize;
  ushort shnum;
  ushort shstrndx;
};

/* Program header, 32-bit class. */
struct proghdr32 {
  uint32 type;
  uint32 off;
  uint32 vaddr;
  uint32 paddr;
  uint32 filesz;
  uint32 memsz;
  uint32 flags;
  uint32 align;
};

/* File header, 64-bit class. */
struct elfhdr64 {
  uint magic;
  uchar elf[12];
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
struct proghdr64 {
  uint32 type;
  uint32 flags;
  uint64 off;
  uint64 vaddr;
  uint64 paddr;
  uint64 filesz;
  uint64 memsz;
  uint64 align;
};

/* Of programs for the machine that this is compiled for. */
#if __SIZEOF_POINTER__ == 8
#define elfhdr elfhdr64
#define proghdr proghdr64
#define ELFCLASS_OWN ELFCLASS64
#else
#define elfhdr elfhdr32
#define proghdr proghdr32
#define ELFCLASS_OWN ELFCLASS32
#endif

#define ELF_PROG_LOAD 1
#define ELF_PROG_GNU_STACK 0x6474e551 /* memsz: stack size wanted, or 0 */

#define ELF_PROG_FLAG_EXEC 1
#define ELF_PROG_FLAG_WRITE 2
#define ELF_PROG_FLAG_READ 4

#endif
