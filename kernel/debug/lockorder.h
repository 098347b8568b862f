/*
 * What is known of the order of locks.
 */
#ifndef DEBUG_LOCKORDER_H
#define DEBUG_LOCKORDER_H

/* The thread of this stack ended: it must not hold a sleep lock. */
void lockorder_ended(int slot);

/* A line for each kind of lock: the most work that was done under it, and what
 * was taken while it was held. */
void lockorder_print(void);

#endif
