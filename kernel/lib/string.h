/*
 * Memory and strings, with the meaning of C's <string.h> (C11 7.24). The
 * compiler may call the first four on its own.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "types.h"

void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* Copy with truncation; dst (n > 0 bytes) always ends with 0. Returns dst. */
char *safestrcpy(char *dst, const char *src, size_t n);

#endif
