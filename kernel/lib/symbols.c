/*
 * How an address gets its name.
 *
 * The build links the kernel, lists its functions by address, and links it
 * again with that list in symbol_table[] (see the Makefile). The name of an
 * address is that of the last symbol not above it, found by bisection. The end
 * of the text bounds the last function.
 *
 * A backtrace follows the chain of frame pointers, for which the kernel is
 * compiled to keep one in each function. What a frame looks like is the
 * machine's affair (arch_frame.h), and so is the check that lets a broken
 * chain end the walk rather than cause a fault.
 */
#include "lib/symbols.h"

#include "arch_frame.h"
#include "lib/printf.h"

/* Longest chain that is followed. */
#define BACKTRACE_MAX 32

extern char etext[]; /* kernel.ld */

const char *symbol_find(vaddr_t addr, vaddr_t *offset) {
  uint low = 0, high = symbol_count; /* the answer is in [low, high) */

  if (high == 0 || addr < symbol_table[0].addr || addr >= (vaddr_t)etext)
    return NULL;
  while (high - low > 1) {
    uint mid = low + (high - low) / 2;

    if (symbol_table[mid].addr <= addr)
      low = mid;
    else
      high = mid;
  }
  *offset = addr - symbol_table[low].addr;
  return symbol_table[low].name;
}

/* pc, named by an address inside the function: a return address is behind the
 * call, and that may be the end of a function that calls panic(). */
static void print_frame(vaddr_t pc, vaddr_t inside) {
  vaddr_t offset;
  const char *name = symbol_find(inside, &offset);

  if (name)
    printf("  0x%lx %s+0x%lx\n", pc, name, offset + (pc - inside));
  else
    printf("  0x%lx\n", pc);
}

void backtrace(vaddr_t pc, vaddr_t fp) {
  print_frame(pc, pc);
  for (int i = 1; i < BACKTRACE_MAX && frame_caller(&pc, &fp); i++)
    print_frame(pc, pc - 1);
}
