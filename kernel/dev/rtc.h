/*
 * The machine's real-time clock, which runs while it is switched off. The
 * driver of the one that the machine has provides this: rtc_cmos.c,
 * rtc_goldfish.c.
 */
#ifndef DEV_RTC_H
#define DEV_RTC_H

#include "types.h"

/* Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted; 0 if the
 * clock shows no time that makes sense. The clock is taken to run in UTC. Any
 * context, once the kernel's page table is in use. */
uint64 rtc_time(void);

#endif
