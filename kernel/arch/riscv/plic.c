/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0.0).
 * Sources have priorities; a context, which is one mode of one hart, has an
 * enable bit for each source and a threshold.
 *
 * All sources go to CPU 0. To enable a source on all CPUs would wake all idle
 * ones for each interrupt, of which one finds something to do. To spread them
 * as CPUs come up is not safe either: completing a source that was moved in
 * between is ignored, and the source stays silent for ever.
 */
#include "plic.h"

#include "cpu.h"
#include "dev/irq.h"
#include "io.h"
#include "memlayout.h"
#include "sync/spinlock.h"

/* Register blocks (chapter 3), as addresses. */
#define PRIORITY(irq) (PLIC + 4 * (irq))
#define ENABLE(context, irq) \
  (PLIC + 0x2000 + 0x80 * (uint64)(context) + 4 * ((irq) / 32))
#define THRESHOLD(context) (PLIC + 0x200000 + 0x1000 * (uint64)(context))
#define CLAIM(context) (THRESHOLD(context) + 4)

static uint contexts[NCPU];                          /* [c] */
static struct spinlock plic_lock = SPINLOCK("plic"); /* enable registers */

paddr_t plic_claim(uint context) { return CLAIM(context); }

void plic_set_context(int id, uint context) { contexts[id] = context; }

void irq_enable(uint irq) {
  volatile void *enable = P2IO(ENABLE(contexts[0], irq));

  acquire(&plic_lock);
  io_write32(P2IO(PRIORITY(irq)), 1);
  io_write32(enable, io_read32(enable) | 1u << irq % 32);
  release(&plic_lock);
}

void plic_init_cpu(void) {
  io_write32(P2IO(THRESHOLD(contexts[mycpu()->id])), 0);
}

void plic_interrupt(void) {
  volatile void *claim = P2IO(CLAIM(contexts[mycpu()->id]));
  uint irq;

  while ((irq = io_read32(claim)) != 0) {
    irq_dispatch(irq);
    io_write32(claim, irq);
  }
}
