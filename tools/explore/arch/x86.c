/*
 * 32-bit paging without PAE on QEMU's PCs (Intel SDM vol. 3A, 4.3): a directory
 * and tables of 1024 entries, pages of 4 KiB and of 4 MiB. QEMU has RAM below
 * 3 GiB at 0; what is more lies above 4 GiB, where such a kernel cannot reach.
 */
#include <elf.h>

#include "../machine.h"

#define P 0x001
#define W 0x002
#define U 0x004
#define A 0x020
#define D 0x040
#define PS 0x080

#define FRAME_LOW 12
#define FRAME_BITS 20
#define FRAME_MASK 0xfffff000U
#define SUPER_MASK 0xffc00000U /* of a page of 4 MiB below 4 GiB */

static const char *mode(int levels) {
  (void)levels;
  return "10/10/12";
}

static struct pte decode(uint64_t value, int level) {
  struct pte p = {.pa = value & FRAME_MASK};

  if (!(value & P))
    return (struct pte){.kind = PTE_NONE};
  p.kind = level == 0 || (value & PS) ? PTE_LEAF : PTE_TABLE;
  if (level > 0 && p.kind == PTE_LEAF)
    p.pa = value & SUPER_MASK;
  /* There are no bits against reading and executing. */
  p.rights = MAY_READ | MAY_EXEC | (value & W ? MAY_WRITE : 0) |
             (value & U ? MAY_USER : 0);
  p.accessed = value & A;
  p.dirty = value & D;
  return p;
}

const struct machine machine_ia32 = {.name = "x86",
                                     .elf_machine = EM_386,
                                     .elf_class = ELFCLASS32,
                                     .ram_start = 0,
                                     .word_bytes = 4,
                                     .pte_bytes = 4,
                                     .index_bits = 10,
                                     .levels = 2,
                                     .levels_max = 2,
                                     .letters = "pwutcadlg",
                                     .number_low = FRAME_LOW,
                                     .number_bits = FRAME_BITS,
                                     .root = "CR3",
                                     .argument_register = -1,
                                     .stack_register = 4, /* esp */
                                     .mode = mode,
                                     .decode = decode};
