/*
 * Stopping the other CPUs.
 *
 * An interrupt asks for it, and interrupts are off while a spin lock is held:
 * so a CPU that has stopped holds none, and whatever spin locks guard is in
 * order. Between two of those its thread may be anywhere: a page can just have
 * been taken from the free list and not yet be where it goes.
 */
#include "stop.h"

#include "sync/spinlock.h"
#include "tlb.h"

static bool stopping; /* [a] */
static int stopped;   /* [a] CPUs that wait for cpus_go() */

void cpus_stop(void) {
  int asked = 0;

  push_off();
  __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
  for (int i = 0; i < ncpu; i++) {
    if (&cpus[i] == mycpu() ||
        !__atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE))
      continue;
    asked++;
    ipi_send(&cpus[i], IPI_STOP);
  }
  while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE) < asked) {
    tlb_serve();
    cpu_relax();
  }
}

void cpus_go(void) {
  __atomic_store_n(&stopping, false, __ATOMIC_RELEASE);
  /* else one that is slow to go would be counted for the next stop */
  while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE) > 0)
    cpu_relax();
  pop_off();
}

void cpu_stop_here(void) {
  if (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
    return; /* a bit may be served more often than sent */
  __atomic_fetch_add(&stopped, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
    tlb_serve();
    cpu_relax();
  }
  __atomic_fetch_sub(&stopped, 1, __ATOMIC_RELEASE);
}
