/*
 * The local APIC of each CPU (SDM vol. 3A, chapter 11): its timer, interrupts
 * between CPUs, and starting the other CPUs. All CPUs see their own one at the
 * same address.
 *
 * The timer counts down from a 32-bit number at the rate of a bus that nothing
 * describes, so the first CPU measures it against the clock (calibrate.c), and
 * the others are taken to be like it.
 */
#include "apic.h"
#include "calibrate.h"
#include "clock.h"
#include "cpu.h"
#include "dev/irq.h"
#include "io.h"
#include "lib/printf.h"
#include "memlayout.h"
#include "sched/timer.h"

/* Registers (table 11-1). */
#define LAPIC_TPR 0x080 /* task priority: what is let through */
#define LAPIC_EOI 0x0b0
#define LAPIC_SPURIOUS 0x0f0
#define LAPIC_ICR_LOW 0x300 /* interrupt command: writing it sends */
#define LAPIC_ICR_HIGH 0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_START 0x380
#define LAPIC_TIMER_NOW 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0

#define ID_SHIFT 24           /* in LAPIC_ICR_HIGH */
#define SPURIOUS_ENABLE 0x100 /* the APIC works at all (11.9) */
#define LVT_MASKED 0x10000    /* figure 11-8 */
#define LVT_NMI 0x400
#define ICR_INIT 0x500 /* figure 11-12 */
#define ICR_STARTUP 0x600
#define ICR_PENDING 0x1000 /* the last command is still on its way */
#define ICR_ASSERT 0x4000
#define ICR_LEVEL 0x8000
#define DIVIDE_BY_16 0x3 /* figure 11-10 */
#define TIMER_MAX 0xffffffffU

/* MSR_APIC_BASE (figure 11-5) */
#define APIC_BASE_FIRST 0x100 /* this CPU booted */
#define APIC_BASE_X2 0x400    /* registers are MSRs, not memory */
#define APIC_BASE_ENABLE 0x800

/* CPUID leaf 1, ebx: the local APIC's number at reset. */
#define CPUID_APIC_ID_SHIFT 24

#define INIT_NS 10000000ULL  /* after INIT (8.4.4.1) */
#define STARTUP_NS 200000ULL /* after a STARTUP */

static uint64 ticks_per_ns; /* [c] of the timer, 32.32 */
static uint64 longest_ns;   /* [c] that it can count */

static uint32 lapic_read(uint reg) { return io_read32(P2IO(LAPIC + reg)); }
static void lapic_write(uint reg, uint32 x) {
  io_write32(P2IO(LAPIC + reg), x);
}

uint apic_id_of_cpu(void) {
  uint32 eax = 1, ebx, ecx, edx;

  asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
  return ebx >> CPUID_APIC_ID_SHIFT;
}

/* On, with its registers in memory where we want them. From the MSR mode the
 * way leads over off (11.12.5). */
static void enable(void) {
  uint64 first = rdmsr(MSR_APIC_BASE) & APIC_BASE_FIRST;

  if (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2)
    wrmsr(MSR_APIC_BASE, LAPIC | first);
  wrmsr(MSR_APIC_BASE, LAPIC | first | APIC_BASE_ENABLE);
  lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | T_SPURIOUS);
}

static void start_timer(void) { lapic_write(LAPIC_TIMER_START, TIMER_MAX); }

static bool read_timer(struct reading *r) {
  r->from = clock_ns();
  r->left = lapic_read(LAPIC_TIMER_NOW);
  r->to = clock_ns();
  return r->left != 0;
}

static void measure_timer(void) {
  static const struct counter timer = {start_timer, read_timer};
  struct rate r;

  if (!calibrate(&timer, &r)) {
    printf("boot: the timer does not count; this may go wrong\n");
    r.counts = r.time = 1;
  }
  lapic_write(LAPIC_TIMER_START, 0);
  ticks_per_ns = clock_factor(r.counts, r.time);
  longest_ns = TIMER_MAX / r.counts * r.time;
}

void lapic_init_cpu(void) {
  enable();
  lapic_write(LAPIC_LVT_LINT0, LVT_MASKED); /* the old controllers */
  lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
  lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
  lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
  lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | T_TIMER);
  if (ticks_per_ns == 0)
    measure_timer();
  lapic_write(LAPIC_LVT_TIMER, T_TIMER);
  lapic_write(LAPIC_TPR, 0);
  lapic_eoi(); /* what was in service before us, if anything */
}

void lapic_eoi(void) { lapic_write(LAPIC_EOI, 0); }

void lapic_timer(uint64 ns) {
  uint64 ticks = clock_scale(MIN(ns, longest_ns), ticks_per_ns) + 1;

  lapic_write(LAPIC_TIMER_START, MIN(ticks, (uint64)TIMER_MAX));
}

/* --- to other CPUs --- */

static void command(uint apic_id, uint32 what) {
  while (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING)
    cpu_relax();
  lapic_write(LAPIC_ICR_HIGH, apic_id << ID_SHIFT);
  lapic_write(LAPIC_ICR_LOW, what);
}

void lapic_send(uint apic_id, uint vector) {
  command(apic_id, ICR_ASSERT | vector);
}

/* The order and the times are those of 8.4.4.1, the page of the entry is the
 * vector of STARTUP. A CPU that came at the first one ignores the second. */
void lapic_start_cpu(uint apic_id, paddr_t entry) {
  bool were_on = intr_get();

  intr_off();
  command(apic_id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
  command(apic_id, ICR_INIT | ICR_LEVEL);
  clock_delay(INIT_NS);
  for (int i = 0; i < 2; i++) {
    command(apic_id, ICR_STARTUP | ICR_ASSERT | entry >> PGSHIFT);
    clock_delay(STARTUP_NS);
  }
  if (were_on)
    intr_on();
}

/* --- what arrives --- */

void interrupt(uint vector) {
  mycpu()->interrupts++;
  switch (vector) {
    case T_TIMER:
      lapic_eoi();
      timer_interrupt();
      break;
    case T_IPI:
      lapic_eoi(); /* before the bits are taken: a new one may follow */
      ipi_serve();
      break;
    case T_SPURIOUS: /* without EOI (11.9) */
      break;
    default:
      if (vector < T_IRQ0 + IRQ_MAX) {
        irq_dispatch(vector - T_IRQ0);
        lapic_eoi();
      }
  }
}
