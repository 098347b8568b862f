/*
 * Cached translations. A page that a page table mapped may be used for
 * something else only once no CPU can still translate to it. How that is made
 * sure is told in mm/tlb.c; the machine's part is in arch/<isa>/tables.c.
 */
#ifndef TLB_H
#define TLB_H

#include "arch_space.h"
#include "cpu.h"

/* From arch_cpu.h:
 * tlb_refused(va): this CPU was refused an access to user address va that the
 *   entry allows by now; it does not remember the older entry any more. */

/* The kernel's own mappings in [va, va + size) were changed: all CPUs forget
 * them; returns when they have. Any context: a CPU that waits for a spin lock
 * serves the request there. */
void tlb_shootdown(vaddr_t va, size_t size);

/* The same for user mappings is tables_flush_user(), tables.h. */

/* Have the CPUs of a mask (bit n: CPU n; not this one) call tlb_flush_space(),
 * or tlb_flush_kernel() if as is NULL; returns when they have. Interrupts off. */
void tlb_ask(uint cpumask, struct arch_space *as, vaddr_t va, size_t size);

/* Do what other CPUs ask of this one. Interrupts off. */
void tlb_answer(void);

/* Serve requests if one waits for this CPU. Interrupts off. */
static inline void tlb_serve(void) {
  struct cpu *c = mycpu();

  if (__atomic_load_n(&c->ipi, __ATOMIC_RELAXED) & IPI_FLUSH) {
    __atomic_fetch_and(&c->ipi, ~IPI_FLUSH, __ATOMIC_ACQ_REL);
    tlb_answer();
  }
}

/* --- provided by the machine; interrupts off --- */

/* This CPU forgets its translations of a space in [va, va + size), if it may
 * have some. */
void tlb_flush_space(struct arch_space *as, vaddr_t va, size_t size);

/* This CPU forgets its translations of the kernel's addresses in a range. */
void tlb_flush_kernel(vaddr_t va, size_t size);

/* Beyond this many pages it is cheaper to flush all of a space. */
#define TLB_FLUSH_PAGES 8

#endif
