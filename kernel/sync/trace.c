/*
 * Each CPU writes into a ring of its own, with interrupts off, so that it needs
 * no lock and waits for nobody:
 *
 *   records   [ n-1022 | n-1021 | ... | n-1 | (n-1024) ]
 *                                             ^ next = n: written now, so that
 *                                               the oldest one goes
 *
 * A record counts once `next` has passed it: the fence orders the two for who
 * reads from another CPU, or from outside of the machine.
 *
 * The time is the machine's counter as it is. What makes nanoseconds of it costs
 * more than the rest of trace().
 */
#include "sync/trace.h"

#include "cpu.h"
#include "sync/spinlock.h"

_Static_assert((TRACE_RECORDS & (TRACE_RECORDS - 1)) == 0, "`next` wraps");

struct trace_ring trace_rings[NCPU];

void trace(enum trace_kind kind, vaddr_t a, vaddr_t b) {
  struct trace_ring *ring;
  struct cpu *c;

  push_off();
  c = mycpu();
  ring = &trace_rings[c->id];
  ring->records[ring->next % TRACE_RECORDS] = (struct trace_record){
      .time = cpu_clock(), .pid = c->pid, .kind = kind, .a = a, .b = b};
  __atomic_store_n(&ring->next, ring->next + 1, __ATOMIC_RELEASE);
  pop_off();
}
