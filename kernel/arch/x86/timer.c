/*
 * The clock: the CPU's time-stamp counter tells the time, the local APIC's
 * timer interrupts.
 *
 * How fast the counter runs is measured against the PIT (Intel 8254), which
 * every PC has and which counts at a known rate (calibrate.c): its channel 2
 * counts down once, which takes 55 ms, and says in one answer where it is and
 * whether it has come to the end.
 *
 * Time is converted by multiplication with a 32.32 fixed-point factor.
 */
#include "clock.h"
#include "apic.h"
#include "calibrate.h"
#include "cpu.h"
#include "lib/printf.h"
#include "x86.h"

#define FRACTION_BITS 32

/* 8254: control word (data sheet, "Mode definition"). */
#define PIT_HZ 1193182
#define PIT_CHANNEL2 0x42
#define PIT_CONTROL 0x43
#define PIT_CH2_MODE0 0xb0   /* channel 2, both bytes, one-shot */
#define PIT_CH2_LATCH 0xc8   /* read-back: keep channel 2's status and count */
#define PIT_STATUS_OUT 0x80  /* it has counted to 0 */
#define PIT_STATUS_NULL 0x40 /* the count is not loaded yet: 8254, read-back */
#define PIT_LOAD_TRIES 100
#define PIT_COUNT 0xffff
/* Port B of the PC's system controller. */
#define PORT_B 0x61
#define PORT_B_GATE2 0x01 /* channel 2 counts */
#define PORT_B_SPEAKER 0x02

#define CLOSE 64 /* a rate in doubt by a larger part is worth a word */
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

static void pit_start(void) {
  uint8 port_b = inb(PORT_B) & ~PORT_B_SPEAKER;

  outb(PORT_B, port_b | PORT_B_GATE2);
  outb(PIT_CONTROL, PIT_CH2_MODE0);
  outb(PIT_CHANNEL2, PIT_COUNT & 0xff);
  outb(PIT_CHANNEL2, PIT_COUNT >> 8);
}

static bool pit_read(struct reading *r) {
  uint8 status = PIT_STATUS_NULL;

  for (int i = 0; (status & PIT_STATUS_NULL) && i < PIT_LOAD_TRIES; i++) {
    r->from = rdtsc();
    outb(PIT_CONTROL, PIT_CH2_LATCH);
    r->to = rdtsc();
    status = inb(PIT_CHANNEL2);
    r->left = inb(PIT_CHANNEL2);
    r->left |= inb(PIT_CHANNEL2) << 8;
  }
  return !(status & PIT_STATUS_OUT);
}

void clock_init(void) {
  static const struct counter pit = {pit_start, pit_read};
  struct rate r;

  if (calibrate(&pit, &r)) {
    clock_hz = r.time * PIT_HZ / r.counts;
  } else {
    printf("boot: the PIT does not count; time may be wrong\n");
    clock_hz = HZ_UNKNOWN;
  }
  if (r.doubt > r.time / CLOSE)
    printf("boot: time may be wrong by %u of 100\n",
           (uint)(r.doubt * 100 / r.time));
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
