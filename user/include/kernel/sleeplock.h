/* See kernel/spinlock.h. */
#ifndef XV6_SLEEPLOCK_H
#define XV6_SLEEPLOCK_H

struct sleeplock;

#endif
