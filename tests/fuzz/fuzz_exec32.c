/* libFuzzer on exec, with ELF files of the 32-bit class. */
/* sources: kernel/proc/args.c kernel/vm/usercopy.c kernel/vm/space.c kernel/vm/anon.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#define FUZZ_ELF32
#include "fuzz_exec.c"
