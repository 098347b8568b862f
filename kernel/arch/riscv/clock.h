/*
 * Starting the clock; what it then does is in cpu.h.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "types.h"

/* The clock ticks hz times a second (hz > 0); now is time 0 of clock_ns(). */
void clock_init(uint hz);

#endif
