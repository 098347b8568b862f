/*
 * The Goldfish RTC (QEMU's hw/rtc/goldfish_rtc.c; "goldfish-rtc" in the device
 * tree bindings of Linux): nanoseconds since 1970 in two halves. Reading the
 * lower one keeps the upper one for the read that follows.
 */
#include "dev/rtc.h"
#include "io.h"
#include "memlayout.h"
#include "sync/spinlock.h"

#define TIME_LOW 0x00
#define TIME_HIGH 0x04

static struct spinlock rtc_lock = SPINLOCK("rtc"); /* low, then high */

uint64 rtc_time(void) {
  uint64 low, high;

  acquire(&rtc_lock);
  low = io_read32(P2IO(RTC + TIME_LOW));
  high = io_read32(P2IO(RTC + TIME_HIGH));
  release(&rtc_lock);
  return (high << 32 | low) / NSEC_PER_SEC;
}
