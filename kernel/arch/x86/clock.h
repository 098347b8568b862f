/*
 * Starting the clock; what it then does is in cpu.h.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "types.h"

/* Find out how fast the CPU's counter runs; now is time 0 of clock_ns(). */
void clock_init(void);

/* Let that much time pass. Any context; the clock must run. */
void clock_delay(uint64 ns);

/* x * factor, of which the lower half is a fraction. */
uint64 clock_scale(uint64 x, uint64 factor);
/* The factor, a/b, for that; a < 2^32, or what it gives is too big. */
uint64 clock_factor(uint64 a, uint64 b);

#endif
