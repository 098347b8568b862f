/*
 * What the machine is made of, as discovered at boot, and what only a machine
 * can do. The implementation is in arch/<isa>/.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "types.h"

/* A stretch of the kernel's address space. */
struct kmapping {
  vaddr_t va;
  paddr_t pa;
  size_t size; /* bytes, a multiple of PGSIZE */
  uint perm;   /* PTE_R, PTE_W, PTE_X; PTE_G: in all tables, the same */
  const char *name;
};

struct machine {
  paddr_t ram_start; /* KERNBASE */
  paddr_t ram_end;   /* PHYSTOP: exclusive */
  char model[32];
};
extern struct machine machine;

/* Read what the firmware says: RAM, CPUs, clock, command line, devices, and
 * bring up the console. Boot CPU, paging off. */
void machine_init(void *firmware_table);

/* The i-th stretch of memory that the kernel maps (devices, text, RAM, and what
 * the machine needs for traps), in order of address; false beyond the last. The
 * stacks are not among them. */
bool machine_mapping(int i, struct kmapping *m);

/* Bring up what each CPU has of its own: trap vector, timer, its part of the
 * interrupt controller. Called on each CPU once paging is on. */
void machine_init_cpu(void);

/* Find and start the devices; called once, with interrupts on, threads
 * available. */
void machine_init_devices(void);

/* Let the other CPUs enter main_other(). */
void machine_start_cpus(void);

void machine_poweroff(void) __attribute__((noreturn));
void machine_restart(void) __attribute__((noreturn));
/* Leave the emulator with a non-zero status, or else stop. */
void machine_fail(void) __attribute__((noreturn));

#endif
