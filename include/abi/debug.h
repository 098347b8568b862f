/*
 * debug(what, arg): what only the debug kernel does. The others have no such
 * call (-ENOSYS).
 */
#ifndef ABI_DEBUG_H
#define ABI_DEBUG_H

/* Commit the bug of this number: PLANT_. It does not return if the bug is found;
 * -EINVAL: there is no such bug; -EPERM: the command line has no debug=plant. */
#define DEBUG_PLANT 1
/* Print on the console how deep each kernel stack got. Returns the most that any
 * had since boot, in bytes. */
#define DEBUG_STACKS 2
/* Print what is known of the locks: docs/testing.md. */
#define DEBUG_LOCKS 3

/* Allocations of pages or objects on behalf of the caller, and of the processes
 * and threads that descend from it, fail as the argument says: a number and FAIL_
 * bits. -EBUSY: so somebody else's do. */
#define DEBUG_FAIL 4
/* No more. Returns how many failed. */
#define DEBUG_FAIL_END 5
/* At how many places allocations have failed like this since boot: different
 * chains of callers. */
#define DEBUG_FAIL_PLACES 6
/* After all that is only remembered was given back: slab objects that there are,
 * beyond one for each page of the cache, and threads' stacks. What is only once
 * more or less than before was leaked. */
#define DEBUG_HELD 7

/* Drop what the caches can do without: all is read from the disk again. */
#define DEBUG_FORGET 8

#define FAIL_NUMBER 0xffffffL /* the n-th alone, counted from 1 */
#define FAIL_FROM (1L << 24)  /* and all after it */
#define FAIL_AGAIN (1L << 25) /* the kernel tries again, as it does in need */
#define FAIL_ALL (1L << 26)   /* count and fail those of all threads */
#define FAIL_TELL (1L << 27)  /* print where each fails */
#define FAIL_TELL_NEW (1L << 28) /* print where none failed before */

/* Numbers of bugs, for DEBUG_PLANT. */
enum {
  PLANT_PAGE_FREED,      /* write to a page that was freed */
  PLANT_OBJECT_FREED,    /* read of an object that was freed */
  PLANT_OBJECT_TWICE,    /* an object freed twice */
  PLANT_OBJECT_BEYOND,   /* write behind an object's end */
  PLANT_OBJECT_PART,     /* the same, just behind an end that is not aligned */
  PLANT_OBJECT_SLACK,    /* the same, as far behind as it is this object's */
  PLANT_OBJECT_BEFORE,   /* write before an object's start */
  PLANT_COPY_BEYOND,     /* write behind an object's end by memcpy() */
  PLANT_LENGTH_FREED,    /* strlen() of a page that was freed */
  PLANT_COMPARE_FREED,   /* memcmp() of one */
  PLANT_GLOBAL_BEYOND,   /* read behind a variable's end */
  PLANT_STACK_BEYOND,    /* write behind a local variable's end */
  PLANT_STACK_FREED,     /* read of the stack of a thread that ended */
  PLANT_SHIFT,           /* shift by more than there are bits */
  PLANT_OVERFLOW,        /* signed overflow: of a sum */
  PLANT_OVERFLOW_64,     /* the same with 64 bits */
  PLANT_SUBTRACT,        /* of a difference */
  PLANT_MULTIPLY,        /* of a product */
  PLANT_NEGATE,          /* of the least number with the other sign */
  PLANT_DIVIDE,          /* of the least number by -1 */
  PLANT_DIVIDE_ZERO,     /* division by zero */
  PLANT_VALUE,           /* a value that its type has not */
  PLANT_UNREACHABLE,     /* a place that was said never to be reached */
  PLANT_POINTER,         /* a pointer that wraps around */
  PLANT_INDEX,           /* index beyond an array */
  PLANT_MISALIGNED,      /* access to an address that is not aligned */
  PLANT_NULL,            /* access through a null pointer */
  PLANT_LOCK_FREED,      /* a spin lock taken that was freed */
  PLANT_SLEEPLOCK_FREED, /* the same for a sleep lock */
  PLANT_LOCK_ORDER,      /* two spin locks, once this way and once that */
  PLANT_LOCK_CIRCLE,     /* three spin locks in a circle */
  PLANT_SLEEPLOCK_ORDER, /* two sleep locks, once this way and once that */
  PLANT_LOCK_LONG,       /* a spin lock held for long */
  PLANT_SLEEP,           /* a sleep lock taken while a spin lock is held */
  PLANT_SLEEP_OFF,       /* a sleep lock taken with interrupts off */
  PLANT_COPY_LOCKED,     /* copyin() while a spin lock is held */
  PLANT_RETURN_LOCKED,   /* back to the program with a spin lock */
  PLANT_RETURN_SLEEPING, /* back to the program with a sleep lock */
  PLANT_END_SLEEPING,    /* a thread that ends with a sleep lock */
  PLANT_LIST,            /* taken from neighbours that do not agree */
  PLANT_LIST_INSERT,     /* put between such */
  PLANT_COUNT,           /* a holder taken from a page that has none */
  PLANT_COUNT_GET,       /* one added to such a page */
  PLANT_COUNT_FILE,      /* to a file */
  PLANT_COUNT_INODE,     /* to an inode */
  PLANT_COUNT_SPACE,     /* to an address space */
  PLANT_UNCOUNT_BLOCK,   /* one taken from a block of pages that has none */
  PLANT_UNCOUNT_FILE,    /* from a file */
  PLANT_UNCOUNT_INODE,   /* from an inode */
  PLANT_UNCOUNT_SPACE,   /* from an address space */
  PLANT_FILE_HELD,       /* a reference to a file too many: memcheck finds it */
  PLANTS,
};

#endif
