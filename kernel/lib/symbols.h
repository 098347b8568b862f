/*
 * The kernel's own symbols, linked into it by the build (tools/ksyms), so that
 * messages can name addresses.
 */
#ifndef LIB_SYMBOLS_H
#define LIB_SYMBOLS_H

#include "types.h"

/* The table, in order of address; the build generates it. */
struct symbol {
  vaddr_t addr;
  const char *name;
};
extern const struct symbol symbol_table[];
extern const uint symbol_count;

/* The function that holds addr, and the offset into it; NULL if none does. */
const char *symbol_find(vaddr_t addr, vaddr_t *offset);

/* Print a backtrace from a frame: pc, then the callers by frame pointer, each
 * as "  0xADDR name+0xOFF". Stops at the first frame that makes no sense. */
void backtrace(vaddr_t pc, vaddr_t fp);

#endif
