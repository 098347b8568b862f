/* Locks are the kernel's own business; some xv6 programs include this before
 * kernel/file.h and use nothing of it. */
#ifndef XV6_SPINLOCK_H
#define XV6_SPINLOCK_H

struct spinlock;

#endif
