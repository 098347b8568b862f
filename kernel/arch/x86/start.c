/*
 * The first C code of each CPU. It runs on a boot stack and the boot directory,
 * and goes on in the shared kernel.
 */
#include "start.h"

#include "apic.h"
#include "clock.h"
#include "io.h"
#include "lib/string.h"
#include "main.h"
#include "memlayout.h"
#include "multiboot.h"
#include "segments.h"

#define PATIENCE_NS (NSEC_PER_SEC / 2) /* for a CPU to come */

/* entry.S, apboot.S */
extern char stack0[NCPU][1 << BOOT_STACK_SHIFT];
extern char apboot[], apboot_end[];

char *ap_stack;              /* for apboot.S: end of the stack of ... */
static struct cpu *starting; /* [a] ... the CPU that is to come, until it has */

void start(uint32 magic, uint32 info) {
  segments_init(&cpus[0]);
  boot_directory[0] = boot_directory[1] - (1U << PXSHIFT(1));
  invlpg(0);
  main(magic == MULTIBOOT_MAGIC ? P2V(info) : NULL);
  __builtin_unreachable();
}

const void *boot_map(paddr_t pa, size_t n) {
  return pa + n < pa ? NULL : P2V(pa);
}

void start_other(void) {
  struct cpu *c = __atomic_load_n(&starting, __ATOMIC_ACQUIRE);

  segments_init(c);
  __atomic_store_n(&starting, NULL, __ATOMIC_RELEASE);
  main_other();
  __builtin_unreachable();
}

bool start_cpu(struct cpu *c) {
  uint64 end = clock_ns() + PATIENCE_NS;

  memcpy(P2V(APBOOT), apboot, apboot_end - apboot);
  boot_directory[0] = boot_directory[PDX(KERNBASE)];
  ap_stack = stack0[c->id + 1];
  __atomic_store_n(&starting, c, __ATOMIC_RELEASE);
  lapic_start_cpu(c->hwid, APBOOT);
  while (__atomic_load_n(&starting, __ATOMIC_ACQUIRE) != NULL) {
    if (clock_ns() > end)
      return false;
    cpu_relax();
  }
  return true;
}
