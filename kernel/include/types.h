/*
 * Types that all of the kernel uses.
 */
#ifndef TYPES_H
#define TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "abi/errno.h"
#include "abi/types.h"

typedef unsigned long vaddr_t; /* a virtual address, or a size of that range */
typedef unsigned long paddr_t; /* a physical address */
typedef long ssize_t;

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) \
  ((type *)((char *)(p)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define KiB(n) ((n)*1024UL)
#define MiB(n) ((n)*1024UL * 1024UL)
#define NSEC_PER_SEC 1000000000UL

#endif
