/*
 * What differs between the machines for who looks at their memory from outside:
 * where RAM begins, and what page-table entries look like. Everything else is
 * the same code. One file a machine, in arch/.
 */
#ifndef EXPLORE_MACHINE_H
#define EXPLORE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Rights of an entry, or of a region. */
#define MAY_READ 1
#define MAY_WRITE 2
#define MAY_EXEC 4
#define MAY_USER 8

/* An entry of a page table, read. */
struct pte {
  enum { PTE_NONE, PTE_TABLE, PTE_LEAF } kind;
  uint64_t pa;     /* of the page, or of the next table */
  unsigned rights; /* MAY_*, of a leaf */
  bool accessed, dirty;
};

struct machine {
  const char *name;
  uint16_t elf_machine; /* EM_* */
  uint8_t elf_class;    /* ELFCLASS* */
  uint64_t ram_start;   /* physical address of the RAM file's first byte */
  int word_bytes;       /* of a pointer */
  int pte_bytes;        /* of an entry */
  int index_bits;       /* of an address for each level */
  int levels;           /* of the tree, unless the kernel says more */
  int levels_max;       /* what the kernel may say */
  bool sign_extended;  /* bits above the highest index must equal its highest */
  const char *letters; /* for the flags of an entry, from bit 0 up */
  int number_low;      /* lowest bit of the page number in an entry */
  int number_bits;     /* of that number */
  const char *root;    /* the register that says where the root is */
  /* Where a function finds its arguments, by gdb's numbers of registers: in those
   * from this one on, or, if it is -1, on the stack, above the return address. */
  int argument_register, stack_register;
  /* What a tree of so many levels is called. */
  const char *(*mode)(int levels);
  /* Read an entry of a level: 0 is that of pages. */
  struct pte (*decode)(uint64_t value, int level);
};

extern const struct machine machine_rv64, machine_ia32;

/* The machine for which an ELF file was made, or NULL. */
const struct machine *machine_of_elf(uint16_t elf_machine, uint8_t elf_class);
/* By the name that a snapshot has; NULL: none of ours. */
const struct machine *machine_named(const char *name);

#endif
