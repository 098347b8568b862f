/*
 * Page-table entries, arch/.../pte.h: how an address is cut up, and what a
 * superpage means.
 */
#include "prove.h"

#include "mm/pagetable.h"

PROVE(indexes,
      "the indexes of all levels and the offset, one after the other, are the "
      "address; each is smaller than a page of the table has entries",
      "none: any address", "levels quick --unwind 7") {
  vaddr_t va = any_size(), again = va & (PGSIZE - 1);

  assume(va < MAXVA);
  for (int level = 0; level < PT_LEVELS; level++) {
    claim(PX(level, va) < PT_ENTRIES);
    again |= (vaddr_t)PX(level, va) << (12 + level * PT_INDEX_BITS);
    claim(level_size(level) == (vaddr_t)1 << (12 + level * PT_INDEX_BITS));
  }
  claim(again == va);
  claim(PT_ENTRIES * sizeof(pte_t) == PGSIZE);
  reached(PX(PT_LEVELS - 1, va) > 0);
}

PROVE(
    entries,
    "an entry has the frame and the rights that it was made of, and no other; "
    "the parts of a superpage say together what it says",
    "none: any frame, any rights", "levels quick --unwind 2") {
  paddr_t pa = (paddr_t)(any_uint() & 0xfffff) << PGSHIFT;
  uint perm = any_uint() & (PTE_R | PTE_W | PTE_X | PTE_U), i;
  uint access = any_uint() & (PTE_R | PTE_W | PTE_X | PTE_U);
  pte_t pte = pte_make(pa, perm), super, part;

  assume((perm & (PTE_R | PTE_X)) || (PTE_R | PTE_X) == 0);
  claim(PTE2PA(pte) == pa && (pte & PTE_V) && pte_leaf(pte, 0));
  claim(pte_allows(pte, access) == ((perm & access) == access));
  claim(!(pte_table(pa) & PTE_V) == 0 && PTE2PA(pte_table(pa)) == pa);
  claim(!pte_leaf(pte_table(pa), 1));
  i = any_below(PT_ENTRIES);
  pa &= -level_size(1);
  super = pte_super(pa, perm);
  part = pte_part(super, 1, i);
  claim(pte_leaf(super, 1) && PTE2PA(super) == pa);
  claim(pte_leaf(part, 0) && PTE2PA(part) == pa + (paddr_t)i * PGSIZE);
  claim(part == pte_make(pa + (paddr_t)i * PGSIZE, perm));
  reached(i == PT_ENTRIES - 1 && pte_allows(part, PTE_W | PTE_U));
}
