/*
 * Sv39, Sv48 and Sv57 of QEMU's "virt" machine (RISC-V privileged spec 1.12, 4.3
 * to 4.6).
 *
 *    63    54 53                                   10 9   8 7 6 5 4 3 2 1 0
 *   +--------+---------------------------------------+-----+-+-+-+-+-+-+-+-+
 *   |   0    |        physical page number (44)      | RSW |D|A|G|U|X|W|R|V|
 *   +--------+---------------------------------------+-----+-+-+-+-+-+-+-+-+
 */
#include <elf.h>

#include "../machine.h"

#define V 0x01
#define R 0x02
#define W 0x04
#define X 0x08
#define U 0x10
#define A 0x40
#define D 0x80

#define PPN_SHIFT 10
#define PPN_BITS 44
#define PPN_MASK ((1ULL << PPN_BITS) - 1)

static const char *mode(int levels) {
  static const char *const names[] = {"Sv39", "Sv48", "Sv57"};

  return names[levels - 3];
}

static struct pte decode(uint64_t value, int level) {
  struct pte p = {.pa = ((value >> PPN_SHIFT) & PPN_MASK) << 12};

  if (!(value & V))
    return (struct pte){.kind = PTE_NONE};
  p.rights = (value & R ? MAY_READ : 0) | (value & W ? MAY_WRITE : 0) |
             (value & X ? MAY_EXEC : 0) | (value & U ? MAY_USER : 0);
  p.accessed = value & A;
  p.dirty = value & D;
  if (value & (R | W | X))
    p.kind = PTE_LEAF;
  else
    p.kind = level > 0 ? PTE_TABLE : PTE_NONE; /* 4.3.2, step 4 */
  return p;
}

const struct machine machine_rv64 = {.name = "riscv",
                                     .elf_machine = EM_RISCV,
                                     .elf_class = ELFCLASS64,
                                     .ram_start = 0x80000000,
                                     .word_bytes = 8,
                                     .pte_bytes = 8,
                                     .index_bits = 9,
                                     .levels = 3,
                                     .levels_max = 5,
                                     .sign_extended = true, /* 4.4.1 */
                                     .letters = "vrwxugad",
                                     .number_low = PPN_SHIFT,
                                     .number_bits = PPN_BITS,
                                     .root = "satp",
                                     .argument_register = 10, /* a0 */
                                     .stack_register = 2,
                                     .mode = mode,
                                     .decode = decode};
