/*
 * What all modules use. An explorer that has no memory left ends with a message:
 * it has nothing to lose.
 */
#ifndef EXPLORE_UTIL_H
#define EXPLORE_UTIL_H

#include <stddef.h>

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* n things of `each` bytes, zeros. Never NULL. */
void *must_alloc(size_t n, size_t each);
/* p with room for n of them; what is new is garbage. Never NULL. */
void *must_grow(void *p, size_t n, size_t each);

/* Make room for one more in an array of *n, whose room is a power of two. */
#define GROW(array, n)                                                    \
  ((n) & ((n)-1) ? (void)0                                                \
                 : (void)((array) = must_grow((array), (n) ? 2 * (n) : 1, \
                                              sizeof(*(array)))))

#endif
