/*
 * How a boot loader hands over: the Multiboot Specification, version 0.6.96.
 * Section numbers are its.
 */
#ifndef MULTIBOOT_H
#define MULTIBOOT_H

/* The header near the start of our file (3.1). */
#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_WANT_PAGES 0x1  /* modules begin on pages */
#define MULTIBOOT_WANT_MEMORY 0x2 /* tell what memory there is */

/* In eax when we are entered (3.2). */
#define MULTIBOOT_MAGIC 0x2badb002

#ifndef __ASSEMBLER__

#include "types.h"

/* In ebx: the address of this (3.3). A bit of flags says which parts of it are
 * valid. */
struct multiboot_info {
  uint32 flags;
  uint32 mem_lower, mem_upper; /* KiB below 1 MiB, and above */
  uint32 boot_device;
  uint32 cmdline; /* address of a string */
  uint32 modules, modules_address;
  uint32 symbols[4];
  uint32 mmap_length; /* bytes */
  uint32 mmap_address;
  uint32 drives_length, drives_address;
  uint32 config;
  uint32 loader; /* address of the boot loader's name */
};

#define MULTIBOOT_HAS_MEMORY 0x001
#define MULTIBOOT_HAS_CMDLINE 0x004
#define MULTIBOOT_HAS_MMAP 0x040
#define MULTIBOOT_HAS_LOADER 0x200

/* An entry of the memory map; the next one is `size` bytes after the field. */
struct multiboot_mmap {
  uint32 size;
  uint64 base;
  uint64 length;
  uint32 type;
} __attribute__((packed));

#define MULTIBOOT_RAM 1 /* type: may be used */

#endif /* __ASSEMBLER__ */
#endif
