/*
 * Cached translations. A page that a page table mapped may be used for
 * something else only once no CPU can still translate to it.
 */
#ifndef TLB_H
#define TLB_H

#include "cpu.h"

/* tlb_flush_all(), tlb_flush_page(va): this CPU forgets its translations; from
 * arch_cpu.h. TLB_KEEPS_INVALID: must it do so, too, before it sees an entry
 * that was not valid before? */

/* Make all CPUs forget all translations; returns when they have. Any context:
 * a CPU that waits for a spin lock serves the request there. */
void tlb_shootdown(void);

/* Do what all requests so far ask of this CPU. Interrupts off. */
static inline void tlb_answer(void) {
  struct cpu *c = mycpu();
  uint asked = __atomic_load_n(&c->flush_asked, __ATOMIC_ACQUIRE);

  tlb_flush_all();
  __atomic_store_n(&c->flush_done, asked, __ATOMIC_RELEASE);
}

/* Serve a request if one waits for this CPU. Interrupts off. */
static inline void tlb_serve(void) {
  struct cpu *c = mycpu();

  if (__atomic_load_n(&c->ipi, __ATOMIC_RELAXED) & IPI_FLUSH) {
    __atomic_fetch_and(&c->ipi, ~IPI_FLUSH, __ATOMIC_ACQ_REL);
    tlb_answer();
  }
}

#endif
