/*
 * How a hart interrupts another (what for: sync/ipi.c).
 *
 *   sender: write the target's msip in the CLINT
 *   target, machine mode:  clear msip, set SSIP     (machinevec.S)
 *   target, supervisor:    clear SSIP               (trap.c)
 *
 * Each step is ordered after the one before.
 */
#include "clint.h"
#include "cpu.h"
#include "io.h"
#include "memlayout.h"

#define SPINS_IN_TURN \
  256 /* calls of cpu_relax() for one wfi; any number will do */

static uint spins[NCPU]; /* calls, by hart; only a guess */

void ipi_raise(struct cpu *c) { io_write32(P2IO(mscratch[c->id].msip), 1); }

/*
 * A hart that spins waits for what another one does. An emulator that runs all
 * harts in turns (QEMU with -icount) lets one spin until its turn is over, which
 * can be 10^8 instructions; only wfi gives the turn away. So every now and then
 * a hart that spins executes one that ends at once, as its own software
 * interrupt is pending: on hardware, a nop.
 *
 * An interrupt from another hart that comes meanwhile is not lost: who sends it
 * sets bits in cpu.ipi before.
 */
static void give_way(void) {
  uint64 old = intr_off_status();

  if (r_sie() & SIE_SSIE) { /* else it still boots, and wfi would not end */
    set_sip(SIE_SSIE);
    cpu_wait();
    clear_sip(SIE_SSIE);
    if (__atomic_load_n(&mycpu()->ipi, __ATOMIC_SEQ_CST) != 0)
      set_sip(SIE_SSIE);
  }
  if (old & SSTATUS_SIE)
    intr_on();
}

void cpu_relax(void) {
  uint *n = &spins[mycpu()->id]; /* of another hart by now? No harm */

  if (++*n % SPINS_IN_TURN == 0)
    give_way();
}

void cpu_halt(void) {
  intr_off();
  w_sie(0); /* nothing shall end the wfi */
  for (;;)
    cpu_wait();
}
