/*
 * Memory and strings in unit tests: C's own, which the sanitizers watch. The
 * test of kernel/lib/string.c does without this header.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <string.h>

char *safestrcpy(char *dst, const char *src, size_t n);

#endif
