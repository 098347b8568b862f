/*
 * Sv39, Sv48 or Sv57: how many levels a page table has.
 *
 *    satp=     levels   addresses of a table   MAXVA
 *    sv39      3        2^39                   2^38   the default
 *    sv48      4        2^48                   2^47
 *    sv57      5        2^57                   2^56
 *
 * All else is the same: the entries, nine bits of index for each level, and the
 * code in mm/pagetable.c, for which the number of levels is a variable.
 *
 * What the hart has is found by trying: a write of satp with a mode that it has
 * not is ignored (privileged spec 1.12, 4.1.11). One that it has takes effect
 * at once, so a table must be there that maps what runs: a root whose first
 * entry is a superpage, as large as all of memory, at its own address.
 */
#include "paging.h"

#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "pte.h"

static const struct {
  const char *name; /* of satp= */
  int levels;
} modes[] = {{"sv39", 3}, {"sv48", 4}, {"sv57", 5}};

int pt_levels = 3;

/* Constant: an entry for [0, 2^39) with four levels, for [0, 2^48) with five;
 * the kernel and the devices are below either. */
static pte_t identity[PT_ENTRIES] __attribute__((aligned(PGSIZE))) = {
    PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D};

/* Does the hart have the mode that pt_levels stands for? Those with more than
 * three levels: all harts that this kernel is for have Sv39. */
static bool mode_works(void) {
  uint64 satp = MAKE_SATP(identity);
  bool works;

  w_satp(satp);
  works = r_satp() == satp;
  w_satp(0);
  sfence_vma(); /* the table above is not one that will be used again */
  return works;
}

void paging_choose(void) {
  const char *name = cmdline_get("satp");
  int wanted = 0;

  if (name == NULL)
    return;
  for (size_t i = 0; i < NELEM(modes); i++)
    if (strcmp(name, modes[i].name) == 0)
      wanted = modes[i].levels;
  if (wanted == 0)
    printf("boot: satp=%s: it can be sv39, sv48 or sv57\n", name);
  else
    pt_levels = wanted;
  while (pt_levels > 3 && !mode_works())
    pt_levels--;
  if (pt_levels < wanted)
    printf("boot: satp=%s: the hart does not have it, %s is used\n", name,
           modes[pt_levels - 3].name);
}
