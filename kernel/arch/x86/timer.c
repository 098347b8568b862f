/*
 * The clock: the CPU's time-stamp counter tells the time, the local APIC's
 * timer interrupts.
 *
 * How fast the counter runs is measured against the PIT (Intel 8254), which
 * every PC has and which counts at a known rate: its channel 2 counts down
 * 10 ms, and the counter is read before and after each step of that. Whatever
 * else runs on the same processor may come in between, if we are a guest: that
 * shows as a long step, and then it is done again.
 *
 * Time is converted by multiplication with a 32.32 fixed-point factor.
 */
#include "clock.h"
#include "apic.h"
#include "cpu.h"
#include "lib/printf.h"
#include "x86.h"

#define FRACTION_BITS 32

/* 8254: control word (data sheet, "Mode definition"). */
#define PIT_HZ 1193182
#define PIT_CHANNEL2 0x42
#define PIT_CONTROL 0x43
#define PIT_CH2_MODE0 0xb0 /* channel 2, both bytes, one-shot */
/* Port B of the PC's system controller. */
#define PORT_B 0x61
#define PORT_B_GATE2 0x01 /* channel 2 counts */
#define PORT_B_SPEAKER 0x02
#define PORT_B_OUT2 0x20 /* it has counted to 0 */

#define TRY_TICKS (PIT_HZ / 100) /* 10 ms */
#define TRIES 8
#define SURE 2048             /* so small a part in doubt is good enough */
#define GIVE_UP (1ULL << 33)  /* counts: seconds on any CPU */
#define HZ_UNKNOWN 1000000000 /* without a PIT */

uint64 clock_hz;
static uint64 boot_time;   /* [c] rdtsc() at clock_init() */
static uint64 ns_per_tick; /* [c] 32.32 */

uint64 clock_factor(uint64 a, uint64 b) { return (a << FRACTION_BITS) / b; }

/* The product has 128 bits, of which those from 32 to 95 are wanted:
 *
 *     xh*fh << 32  +  xh*fl + xl*fh  +  xl*fl >> 32
 */
uint64 clock_scale(uint64 x, uint64 factor) {
  uint32 xh = x >> 32, xl = x, fh = factor >> 32, fl = factor;

  return ((uint64)xh * fh << 32) + (uint64)xh * fl + (uint64)xl * fh +
         ((uint64)xl * fl >> 32);
}

/* A measurement, in counts: the PIT began and ended somewhere within `doubt`. */
struct measurement {
  uint64 counts, doubt;
};

/* How far the counter comes in TRY_TICKS of the PIT; false if that does not
 * count. */
static bool measure(struct measurement *m) {
  uint8 port_b = inb(PORT_B) & ~(PORT_B_GATE2 | PORT_B_SPEAKER);
  uint64 before_start, start, before_end, end;
  bool done;

  outb(PORT_B, port_b);
  outb(PIT_CONTROL, PIT_CH2_MODE0);
  outb(PIT_CHANNEL2, TRY_TICKS & 0xff);
  outb(PIT_CHANNEL2, TRY_TICKS >> 8);
  before_start = rdtsc();
  outb(PORT_B, port_b | PORT_B_GATE2);
  start = end = rdtsc();
  do {
    before_end = end;
    done = inb(PORT_B) & PORT_B_OUT2;
    end = rdtsc();
    if (end - start > GIVE_UP)
      return false;
  } while (!done);
  outb(PORT_B, port_b);
  m->doubt = (start - before_start) + (end - before_end);
  m->counts = (before_end - start) + m->doubt / 2;
  return true;
}

/* The measurement with the least doubt of some, 0 if there is no PIT. */
static uint64 measure_often(void) {
  struct measurement best = {0, ~0ULL}, m;

  for (int i = 0; i < TRIES && best.doubt > best.counts / SURE; i++) {
    if (!measure(&m))
      return 0;
    if (m.doubt < best.doubt)
      best = m;
  }
  return best.counts;
}

void clock_init(void) {
  clock_hz = measure_often() * PIT_HZ / TRY_TICKS;
  if (clock_hz == 0) {
    printf("boot: the PIT does not count; time may be wrong\n");
    clock_hz = HZ_UNKNOWN;
  }
  ns_per_tick = clock_factor(NSEC_PER_SEC, clock_hz);
  boot_time = rdtsc();
}

uint64 clock_ns(void) { return clock_scale(rdtsc() - boot_time, ns_per_tick); }

void clock_delay(uint64 ns) {
  uint64 end = clock_ns() + ns;

  while (clock_ns() < end)
    cpu_relax();
}

void clock_arm(uint64 deadline_ns) {
  uint64 now = clock_ns();

  lapic_timer(deadline_ns > now ? deadline_ns - now : 0);
}
