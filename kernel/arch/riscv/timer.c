/*
 * The clock: the time CSR counts at a rate that the device tree gives, and
 * interrupts when it reaches stimecmp (Sstc extension) or, on harts without,
 * the CLINT's mtimecmp, which machine mode sets for us.
 *
 * Time is converted by multiplication with a 32.32 fixed-point factor; the
 * product has 128 bits, so it cannot overflow.
 */
#include "clock.h"

#include "clint.h"
#include "cpu.h"

#define FRACTION_BITS 32

uint64 clock_hz;
static uint64 boot_time;    /* [c] r_time() at clock_init() */
static uint64 ns_per_tick;  /* [c] 32.32 */
static uint64 ticks_per_ns; /* [c] 32.32 */

void clock_init(uint hz) {
  clock_hz = hz;
  ns_per_tick = (NSEC_PER_SEC << FRACTION_BITS) / hz;
  ticks_per_ns = ((uint64)hz << FRACTION_BITS) / NSEC_PER_SEC;
  boot_time = r_time();
}

static uint64 scale(uint64 x, uint64 factor) {
  return ((unsigned __int128)x * factor) >> FRACTION_BITS;
}

uint64 clock_ns(void) { return scale(r_time() - boot_time, ns_per_tick); }

void clock_arm(uint64 deadline_ns) {
  uint64 ticks = scale(deadline_ns, ticks_per_ns) + 1; /* not too early */
  uint64 time = boot_time + ticks;

  if (time < ticks)
    time = ~0UL; /* later than time itself: never */
  if (mscratch[mycpu()->id].sstc)
    w_stimecmp(time);
  else
    machine_timer(time);
}
