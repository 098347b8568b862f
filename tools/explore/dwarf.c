/*
 * Layouts from ELF files, by elfutils' libdw: each unit of the DWARF is looked
 * through once; what has a name that LAYOUT_ITEMS asks for is noted. Symbols that
 * come from assembly or from the linker's script are looked up behind it.
 */
#include <ctype.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout_parts.h"

/* The name of an item without its file: "mm/kalloc.c:frames" -> "frames". */
static const char *bare_name(const char *item) {
  const char *colon = strrchr(item, ':');

  return colon ? colon + 1 : item;
}

/* Is the item a variable of this name, as far as this file may have it? */
static bool variable_asked(const char *item, const char *name,
                           const char *file) {
  size_t prefix = bare_name(item) - item, n = file ? strlen(file) : 0;

  if (strcmp(bare_name(item), name) != 0 || strchr(bare_name(item), '.'))
    return false;
  if (prefix == 0)
    return true;
  prefix--; /* the colon */
  return n >= prefix && strncmp(file + n - prefix, item, prefix) == 0;
}

static uint64_t type_size(Dwarf_Die *die) {
  Dwarf_Attribute a;
  Dwarf_Die type;
  Dwarf_Word size = 0;

  if (dwarf_attr_integrate(die, DW_AT_type, &a) == NULL ||
      dwarf_formref_die(&a, &type) == NULL ||
      dwarf_aggregate_size(&type, &size) < 0)
    return 0;
  return size;
}

/* Where a variable is, if that is one address. GCC writes it there, clang into a
 * table (DWARF 5, 2.5.1.1: DW_OP_addrx). */
static bool address_of(Dwarf_Die *die, Dwarf_Addr *address) {
  Dwarf_Attribute a, indexed;
  Dwarf_Op *op;
  size_t n;

  if (dwarf_attr(die, DW_AT_location, &a) == NULL ||
      dwarf_getlocation(&a, &op, &n) < 0 || n != 1)
    return false;
  *address = op[0].number;
  return op[0].atom == DW_OP_addr ||
         (op[0].atom == DW_OP_addrx &&
          dwarf_getlocation_attr(&a, op, &indexed) == 0 &&
          dwarf_formaddr(&indexed, address) == 0);
}

static void note_variable(struct layout *l, Dwarf_Die *die, const char *file) {
  const char *name = dwarf_diename(die);
  Dwarf_Addr address;

  if (name == NULL || !address_of(die, &address))
    return;
  for (int i = 0; i < LAYOUT_COUNT; i++)
    if (variable_asked(layout_names[i], name, file))
      l->items[i] = (struct item){true, address, type_size(die)};
}

/* The member that `rest` names ("faults.zero"), of the struct. */
static bool find_member(Dwarf_Die *type, const char *rest, uint64_t *at,
                        uint64_t *size) {
  size_t n = strcspn(rest, ".");
  Dwarf_Die child, inner;
  Dwarf_Attribute a;
  Dwarf_Word place = 0;

  if (dwarf_child(type, &child) != 0)
    return false;
  do {
    const char *name = dwarf_diename(&child);

    if (dwarf_tag(&child) != DW_TAG_member || name == NULL ||
        strlen(name) != n || strncmp(name, rest, n) != 0)
      continue;
    if (dwarf_attr(&child, DW_AT_data_member_location, &a) != NULL &&
        dwarf_formudata(&a, &place) < 0)
      return false;
    *at += place;
    *size = type_size(&child);
    if (rest[n] == 0)
      return true;
    return dwarf_attr(&child, DW_AT_type, &a) != NULL &&
           dwarf_formref_die(&a, &inner) != NULL &&
           dwarf_peel_type(&inner, &inner) == 0 &&
           find_member(&inner, rest + n + 1, at, size);
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

static void note_struct(struct layout *l, Dwarf_Die *die) {
  const char *name = dwarf_diename(die);
  size_t n = name ? strlen(name) : 0;
  int size = dwarf_bytesize(die);

  if (n == 0 || size < 0)
    return; /* a declaration */
  for (int i = 0; i < LAYOUT_COUNT; i++) {
    const char *item = layout_names[i];
    uint64_t at = 0, bytes = 0;

    if (strncmp(item, "struct ", 7) == 0 && strcmp(item + 7, name) == 0)
      l->items[i] = (struct item){true, 0, size};
    else if (strncmp(item, name, n) == 0 && item[n] == '.' &&
             find_member(die, item + n + 1, &at, &bytes))
      l->items[i] = (struct item){true, at, bytes};
  }
}

/* --- enumerations --- */

struct enumerators {
  int n;
  struct {
    const char *name;
    uint64_t value;
  } all[ENUM_MAX];
};

static void collect(Dwarf_Die *die, struct enumerators *e) {
  Dwarf_Attribute a;
  Dwarf_Word value;
  Dwarf_Die child;

  e->n = 0;
  if (dwarf_child(die, &child) != 0)
    return;
  do {
    const char *name = dwarf_diename(&child);

    if (dwarf_tag(&child) == DW_TAG_enumerator && name != NULL &&
        dwarf_attr(&child, DW_AT_const_value, &a) != NULL &&
        dwarf_formudata(&a, &value) == 0) {
      e->all[e->n].name = name;
      e->all[e->n++].value = value;
    }
  } while (e->n < ENUM_MAX && dwarf_siblingof(&child, &child) == 0);
}

/* Bytes that all names begin with, up to an underscore. */
static size_t common_prefix(const struct enumerators *e) {
  size_t n = 0, whole = 0;

  for (; e->n > 0 && e->all[0].name[n]; n++) {
    for (int i = 1; i < e->n; i++)
      if (e->all[i].name[n] != e->all[0].name[n])
        return whole;
    if (e->all[0].name[n] == '_')
      whole = n + 1;
  }
  return whole;
}

/* The last one, if it is how many there are: "PAGE_OWNERS". */
static bool is_count(const struct enumerators *e, int i) {
  const char *name = e->all[i].name;

  return i == e->n - 1 && i > 0 && name[0] && name[strlen(name) - 1] == 'S';
}

static void note_enum(struct layout *l, Dwarf_Die *die) {
  const char *name = dwarf_diename(die);
  struct enumerators found;
  size_t prefix;

  for (int e = 0; name != NULL && e < LAYOUT_ENUMS; e++) {
    if (strcmp(layout_enum_names[e], name) != 0)
      continue;
    collect(die, &found);
    prefix = common_prefix(&found);
    for (int i = 0; i < found.n; i++) {
      char lower[NAME_MAX_BYTES];
      size_t n = 0;

      if (is_count(&found, i))
        continue;
      for (const char *p = found.all[i].name + prefix;
           *p && n < sizeof(lower) - 1; p++)
        lower[n++] = tolower((unsigned char)*p);
      lower[n] = 0;
      layout_set_enumerator(l, e, found.all[i].value, lower);
    }
  }
}

static void note_unit(struct layout *l, Dwarf_Die *unit) {
  const char *file = dwarf_diename(unit);
  Dwarf_Die die;

  if (dwarf_child(unit, &die) != 0)
    return;
  do {
    switch (dwarf_tag(&die)) {
      case DW_TAG_variable:
        note_variable(l, &die, file);
        break;
      case DW_TAG_structure_type:
        note_struct(l, &die);
        break;
      case DW_TAG_enumeration_type:
        note_enum(l, &die);
        break;
    }
  } while (dwarf_siblingof(&die, &die) == 0);
}

static int note_dwarf(struct layout *l, Elf *elf, struct trouble *why) {
  Dwarf *d = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
  Dwarf_CU *cu = NULL;
  Dwarf_Die unit;

  if (d == NULL)
    return trouble_say(why, "no debugging information: build it with -g");
  while (dwarf_get_units(d, cu, &cu, NULL, NULL, &unit, NULL) == 0)
    note_unit(l, &unit);
  dwarf_end(d);
  return 0;
}

/* --- symbols and segments --- */

static void note_symbol(struct layout *l, const char *name, const GElf_Sym *s) {
  int type = GELF_ST_TYPE(s->st_info);

  if (name == NULL || !*name || s->st_shndx == SHN_UNDEF)
    return;
  /* assembly files do not say that something is a function */
  if (type == STT_FUNC ||
      (type == STT_NOTYPE && GELF_ST_BIND(s->st_info) == STB_GLOBAL))
    layout_add_symbol(l, name, s->st_value);
  for (int i = 0; i < LAYOUT_COUNT; i++)
    if (!l->items[i].there && type <= STT_FUNC &&
        strcmp(layout_names[i], name) == 0)
      l->items[i] = (struct item){true, s->st_value, s->st_size};
}

static void note_symbols(struct layout *l, Elf *elf) {
  Elf_Scn *section = NULL;
  GElf_Shdr header;
  GElf_Sym symbol;

  while ((section = elf_nextscn(elf, section)) != NULL) {
    Elf_Data *data;

    if (gelf_getshdr(section, &header) == NULL ||
        header.sh_type != SHT_SYMTAB || header.sh_entsize == 0 ||
        (data = elf_getdata(section, NULL)) == NULL)
      continue;
    for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++)
      if (gelf_getsym(data, i, &symbol) != NULL)
        note_symbol(l, elf_strptr(elf, header.sh_link, symbol.st_name),
                    &symbol);
  }
}

static void note_offset(struct layout *l, Elf *elf) {
  uint64_t table = layout_at(l, V_KERNEL_TABLE);
  GElf_Phdr h;
  size_t n = 0;

  elf_getphdrnum(elf, &n);
  for (size_t i = 0; i < n; i++)
    if (gelf_getphdr(elf, i, &h) != NULL && h.p_type == PT_LOAD &&
        table >= h.p_vaddr && table - h.p_vaddr < h.p_memsz)
      l->offset = h.p_vaddr - h.p_paddr;
}

static void note_name(struct layout *l, const char *path) {
  const char *slash = strrchr(path, '/');

  snprintf(l->kernel, sizeof(l->kernel), "%s", slash ? slash + 1 : path);
}

static int note_all(struct layout *l, Elf *elf, const char *path,
                    struct trouble *why) {
  GElf_Ehdr header;

  if (elf == NULL || elf_kind(elf) != ELF_K_ELF ||
      gelf_getehdr(elf, &header) == NULL)
    return trouble_say(why, "not an ELF file");
  l->machine = machine_of_elf(header.e_machine, header.e_ident[EI_CLASS]);
  if (l->machine == NULL)
    return trouble_say(why, "made for a machine that is not known here");
  note_name(l, path);
  if (note_dwarf(l, elf, why) < 0)
    return -1;
  note_symbols(l, elf);
  note_offset(l, elf);
  if (!layout_has(l, V_KERNEL_TABLE))
    return trouble_say(why,
                       "no variable kernel_pagetable in it: not a kernel "
                       "that can be shown");
  return 0;
}

struct layout *layout_from_elf(const char *path, struct trouble *why) {
  struct layout *l;
  Elf *elf;
  int fd = open(path, O_RDONLY | O_CLOEXEC);

  if (fd < 0) {
    trouble_say(why, "%s", strerror(errno));
    return NULL;
  }
  l = layout_create();
  elf_version(EV_CURRENT);
  elf = elf_begin(fd, ELF_C_READ, NULL);
  if (note_all(l, elf, path, why) < 0) {
    layout_free(l);
    l = NULL;
  }
  elf_end(elf);
  close(fd);
  return l;
}
