/*
 * The kernel's own address space: its page table, its stacks.
 */
#ifndef MM_KVM_H
#define MM_KVM_H

#include "mm/pagetable.h"

extern pagetable_t kernel_pagetable;

/* Build the kernel page table; boot CPU, paging off. Panics without memory. */
void kvminit(void);
/* Make a page table with all that the kernel maps. */
pagetable_t kvmmake(void);
/* Add a mapping to a kernel page table, page-aligned, by leaves as large as
 * they can be; panics if there is one, or without memory: boot only. */
void kvmmap(pagetable_t kpgtbl, vaddr_t va, paddr_t pa, size_t size, uint perm);
/* Give each kernel stack its place, with a guard page under it. */
void proc_mapstacks(pagetable_t kpgtbl);
/* Turn paging on, on this CPU. */
void kvminithart(void);

/* What is mapped at a kernel address: "RAM", "text", "stack 7" ... in buf. */
void kvm_describe(vaddr_t va, char *buf, size_t n);

/* A kernel stack, KSTACK_PAGES mapped pages over a guard page. Returns its
 * number, so that KSTACK(n) is its lowest address; or -ENOMEM, or -EAGAIN:
 * no place is left. Any context but interrupts. */
int kstack_alloc(void);
/* Give it back; nothing runs on it any more. */
void kstack_free(int n);

#endif
