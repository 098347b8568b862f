/* What layout.c and dwarf.c share. */
#ifndef EXPLORE_LAYOUT_PARTS_H
#define EXPLORE_LAYOUT_PARTS_H

#include "layout.h"

#define ENUM_MAX 64       /* enumerators of an enumeration that are kept */
#define NAME_MAX_BYTES 60 /* of one, or of a symbol */

struct item {
  bool there;
  uint64_t at, size;
};

struct symbol {
  char *name;
  uint64_t at;
};

struct layout {
  const struct machine *machine;
  char kernel[64];
  uint64_t offset;
  struct item items[LAYOUT_COUNT];
  char *enums[LAYOUT_ENUMS][ENUM_MAX];
  struct symbol *symbols;
  size_t nsymbols;
};

extern const char *const layout_names[LAYOUT_COUNT];
extern const char *const layout_enum_names[LAYOUT_ENUMS];

struct layout *layout_create(void);
void layout_set_enumerator(struct layout *l, enum layout_enum e, uint64_t value,
                           const char *name);
void layout_add_symbol(struct layout *l, const char *name, uint64_t at);

/* Read an ELF file here, in this process: dwarf.c. NULL, and why. */
struct layout *layout_from_elf(const char *path, struct trouble *why);

#endif
