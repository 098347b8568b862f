/*
 * The kernel page table.
 *
 * It is built before paging is on, from the list of what the machine has
 * (machine_mapping) plus the kernel stacks. All CPUs share it, and but for the
 * stacks it never changes.
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

void kvmmap(pagetable_t kpgtbl, vaddr_t va, paddr_t pa, size_t size,
            uint perm) {
  if (mappages(kpgtbl, va, size, pa, perm) < 0)
    panic("kvmmap: no memory to map %p at %p", (void *)pa, (void *)va);
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
