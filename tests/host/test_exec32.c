/*
 * exec with ELF files of the 32-bit class: all of test_exec.c again. Numbers in
 * these wrap at 2^32, and user memory ends below 2^31.
 */
/* sources: kernel/proc/args.c kernel/vm/usercopy.c kernel/vm/space.c kernel/vm/anon.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#include "abi/elf.h"
#include "pte.h"

#define TEST_ELF32
#undef elfhdr
#undef proghdr
#define elfhdr elfhdr32
#define proghdr proghdr32
#undef USER_END
#define USER_END 0x7ffff000UL

/* Included, not linked: it is compiled for these headers. */
#include "../../kernel/proc/exec.c"
#include "test_exec.c"
