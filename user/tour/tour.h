/*
 * For the tour's programs (docs/tour): each says what it is about to do, waits for
 * Enter, so that somebody can look at memory, and does it. At the end of the input
 * it goes on without waiting.
 */
#ifndef TOUR_H
#define TOUR_H

#include "user/user.h"

#define PAGE 4096

/* Say something, with this process's pid in front, and wait for Enter. */
static inline void step(const char *what) {
  char line[80];

  printf("[%d] %s (Enter) ", getpid(), what);
  gets(line, sizeof(line));
  printf("\n");
}

static inline void show(const char *what, const volatile void *at) {
  printf("[%d] %s is at %p\n", getpid(), what, (const void *)at);
}

#endif
