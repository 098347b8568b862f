/*
 * The kernel page table.
 *
 * It is built before paging is on, from the list of what the machine has
 * (machine_mapping) plus the kernel stacks. All CPUs share it, and but for the
 * stacks it never changes.
 *
 * Each stretch is mapped by the largest leaves that fit, so that RAM, but for
 * its ends and the borders of text and data, takes few entries: in the tables,
 * and in the TLB, where the kernel's accesses to user memory then need no more
 * than one entry for 2 or 4 MiB.
 *
 *    KERNBASE   etext        end                                  PHYSTOP
 *      | text r-x | data rw-   | RAM rw-                             |
 *      |4K|4K|4K| |4K|4K|...|4K|4K|4K| 2 MiB | 2 MiB | ... | 2 MiB |4K|
 */
#include "mm/kvm.h"

#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "machine.h"
#include "mm/kalloc.h"
#include "param.h"
#include "tables.h"

pagetable_t kernel_pagetable;

/* The highest level whose leaves may begin at va and pa and are not larger than
 * size. */
static int leaf_level(vaddr_t va, paddr_t pa, size_t size) {
  int level = PT_LEVELS - 1;

  while (level > 0 &&
         ((va | pa) % level_size(level) || size < level_size(level)))
    level--;
  return level;
}

void kvmmap(pagetable_t kpgtbl, vaddr_t va, paddr_t pa, size_t size,
            uint perm) {
  while (size > 0) {
    int level = leaf_level(va, pa, size);
    size_t n = level_size(level);
    pte_t *pte = walk_level(kpgtbl, va, level, true);

    if (pte == NULL)
      panic("kvmmap: no memory to map %p at %p", (void *)pa, (void *)va);
    if (*pte & PTE_V)
      panic("kvmmap: va %p is mapped already", (void *)va);
    *pte = level > 0 ? pte_super(pa, perm) : pte_make(pa, perm);
    va += n;
    pa += n;
    size -= n;
  }
}

pagetable_t kvmmake(void) {
  pagetable_t kpgtbl = pagetable_create();
  struct kmapping m;

  if (kpgtbl == NULL)
    panic("kvmmake: no memory for the kernel page table");
  for (int i = 0; machine_mapping(i, &m); i++)
    kvmmap(kpgtbl, m.va, m.pa, m.size, m.perm);
  proc_mapstacks(kpgtbl);
  return kpgtbl;
}

void kvminit(void) { kernel_pagetable = kvmmake(); }

void kvminithart(void) { tables_load_kernel(kernel_pagetable); }

void kvm_describe(vaddr_t va, char *buf, size_t n) {
  struct kmapping m;

  safestrcpy(buf, "", n);
  if (va < KSTACK_TOP && va >= KSTACK(KSTACK_MAX - 1) - PGSIZE) {
    vaddr_t slot = (KSTACK_TOP - 1 - va) / KSTACK_SLOT;
    bool guard = va < (vaddr_t)KSTACK(slot);

    snprintf(buf, n, guard ? "guard %lu" : "stack %lu", slot);
    return;
  }
  for (int i = 0; machine_mapping(i, &m); i++) {
    if (va >= m.va && va - m.va < m.size)
      safestrcpy(buf, m.name, n);
  }
}
