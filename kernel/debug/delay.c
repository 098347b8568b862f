/*
 * Delays. What one CPU does between two critical sections another seldom meets, as
 * there is so little time, and a fault in it can stay unseen for long. With
 * `delay=n` on the command line one in n times that a spin lock is asked for, or
 * was given back, the CPU first does nothing for a while: up to what a hundred
 * system calls take, so that others come by with all that they do. Each CPU draws
 * numbers of its own.
 */
#include "cpu.h"
#include "debug.h"
#include "lib/cmdline.h"
#include "report.h"
#include "sync/spinlock.h"
#include "tlb.h"

#define LONGEST 200000 /* rounds of the loop that waits */

static uint one_in;       /* constant; 0: none */
static uint random[NCPU]; /* each CPU's last */

void debug_delay_init(void) { one_in = cmdline_number("delay", 0); }

/* xorshift, G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (14),
 * 2003: 13, 17, 5. A thread that changes its CPU meanwhile does no harm. */
static uint next(uint *x) {
  if (*x == 0)
    *x = 1 + (uint)(x - random);
  *x ^= *x << 13;
  *x ^= *x >> 17;
  *x ^= *x << 5;
  return *x;
}

void debug_delay(void) {
  bool off;
  uint n;

  if (one_in == 0 || __atomic_load_n(&debug_reporting, __ATOMIC_RELAXED))
    return;
  push_off();
  n = next(&random[mycpu()->id]);
  pop_off();
  if (n % one_in != 0)
    return;
  off = !intr_get();
  for (uint i = n / one_in % LONGEST; i > 0; i--) {
    if (off)
      tlb_serve(); /* as while it waits for a lock */
    cpu_relax();
  }
}
