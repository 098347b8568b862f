/*
 * crash HOW: do something that the kernel must end this program for. For the
 * tests of what it prints then, and for whoever wants to see it.
 */
#include "kernel/types.h"

#include "kernel/memlayout.h"
#include "machine.h"
#include "user/user.h"

#include "abi/mman.h"

typedef unsigned long addr;

static void store(addr va) { *(volatile char *)va = 1; }

static void jump_to(addr va) { ((void (*)(void))va)(); }

static void crash_null(void) { store(0); }

static void crash_kernel(void) { (void)*(volatile char *)KERNBASE; }

static void crash_maxva(void) { store(MAXVA); }

static void crash_text_write(void) { store((addr)crash_text_write); }

static void crash_heap(void) { store((addr)sbrk(0) + 16 * PGSIZE); }

static void crash_jump(void) { jump_to(USER_TOP / 2); }

static void crash_guard(void) {
  static struct vmregion r[16];
  int n = vmregions(getpid(), r, sizeof(r) / sizeof(r[0]));

  for (int i = 0; i < n; i++)
    if (strcmp(r[i].name, "guard") == 0)
      store(r[i].end - 8);
}

static volatile addr bottom = ~0UL; /* never reached */

static addr dig(addr depth) {
  volatile char frame[256];

  if (depth == bottom)
    return 0;
  frame[0] = (char)depth;
  return dig(depth + 1) + (addr)frame[0];
}

static void crash_stack(void) { exit((int)dig(0)); }

static void crash_illegal(void) { illegal_instruction(); }

static void crash_privileged(void) { privileged_instruction(); }

static void crash_breakpoint(void) { breakpoint_instruction(); }

/* Memory that shows the first page of a file. */
static addr map_readme(addr length) {
  int fd = open("/README", O_RDWR);
  void *p = mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  if (p == MAP_FAILED)
    fatal("/README");
  return (addr)p;
}

static void crash_mapped(void) { store(map_readme(PGSIZE)); }

static void crash_beyond_file(void) {
  store(map_readme(1 << 20) + (1 << 20) - 1);
}

static const struct {
  const char *how;
  void (*crash)(void);
  const char *what;
} ways[] = {
    {"null", crash_null, "store to address 0, which is read-only text"},
    {"kernel", crash_kernel, "load from the kernel's text"},
    {"maxva", crash_maxva, "store to the first address above all"},
    {"text-write", crash_text_write, "store to the program's code"},
    {"heap", crash_heap, "store beyond the heap"},
    {"jump", crash_jump, "jump to where nothing is"},
    {"guard", crash_guard, "store just below what the stack may grow to"},
    {"stack", crash_stack, "recursion without end"},
    {"illegal", crash_illegal, "an illegal instruction"},
    {"privileged", crash_privileged, "an instruction for the kernel only"},
    {"breakpoint", crash_breakpoint, "a breakpoint without a debugger"},
    {"beyond-file", crash_beyond_file, "store beyond the end of a mapped file"},
    {"mapped", crash_mapped,
     "store to a mapped file; if the disk is read-only"},
    MACHINE_CRASHES /* machine.h */
};
#define WAYS (int)(sizeof(ways) / sizeof(ways[0]))

int main(int argc, char **argv) {
  if (argc == 2)
    for (int i = 0; i < WAYS; i++)
      if (!strcmp(argv[1], ways[i].how)) {
        ways[i].crash();
        printf("crash %s: still alive\n", argv[1]);
        return 1;
      }
  fprintf(2, "usage: crash HOW\n");
  for (int i = 0; i < WAYS; i++)
    fprintf(2, "  %-13s %s\n", ways[i].how, ways[i].what);
  return 2;
}
