/*
 * libFuzzer on exec: each input says how a good file is damaged (how much its end
 * is cut off, then which bits of it are others), and that is run as in
 * tests/host/test_exec.c. exec may refuse it, and then nothing may have changed;
 * or take it, and then what it made of it must be sound. fuzz_exec32.c does the same
 * with files of the 32-bit class.
 */
/* sources: kernel/proc/exec.c kernel/proc/args.c kernel/vm/usercopy.c kernel/vm/space.c kernel/vm/anon.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#define main exec_tests_main
#ifdef FUZZ_ELF32
#include "../host/test_exec32.c"
#else
#include "../host/test_exec.c"
#endif
#undef main

#define CUT 2 /* bytes that say how much is missing */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bool started;

  if (!started)
    start(NULL);
  started = true;
  make_file();
  if (size < CUT || size > FILE_MAX)
    return 0;
  file_size -= (data[0] << 8 | data[1]) % (file_size + 1);
  for (size_t i = CUT; i < size; i++)
    file[i - CUT] ^= data[i];
  try();
  return 0;
}
