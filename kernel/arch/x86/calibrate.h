/*
 * How fast a counter runs, by a clock that is not it.
 */
#ifndef CALIBRATE_H
#define CALIBRATE_H

#include "types.h"

/* So much was left to count at some time between two readings of the clock. */
struct reading {
  uint64 from, to;
  uint32 left;
};

/* A counter that counts down. */
struct counter {
  void (*start)(void); /* from its highest value */
  /* Read it. False: it has come to its end, or will not count at all. */
  bool (*read)(struct reading *r);
};

/* It counted so much in a time, which is known to `doubt`. */
struct rate {
  uint64 time, doubt; /* both below 2^32 */
  uint32 counts;
};

/* Find the rate of a counter; takes some milliseconds, or up to a second where
 * nothing is read without long interruptions. False, with all of *r 0, if it
 * does not count. Interrupts off. */
bool calibrate(const struct counter *c, struct rate *r);

#endif
