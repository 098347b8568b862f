/*
 * Kernel messages. They go to the console's polled output; the text of one call
 * is not mixed with another CPU's.
 *
 * Formats: %d %u %x %p %s %c %%, with l, ll or z, '-', '0' and a width.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include "types.h"

/* Print; returns nothing and cannot fail. Any context. */
void printf(const char *fmt, ...) __attribute__((format(__printf__, 1, 2)));
void vprintf(const char *fmt, va_list ap);

/* What this CPU prints until printf_release() stays together. Interrupts are off
 * in between, so nothing there may sleep; no nesting. */
void printf_hold(void);
void printf_release(void);

/* Print into buf (n > 0 bytes), always 0-terminated. Returns the length that
 * the whole text would have. */
int snprintf(char *buf, size_t n, const char *fmt, ...)
    __attribute__((format(__printf__, 3, 4)));

/* How a byte reaches the console, without interrupts. Set by the first
 * console driver; before that, text is kept and printed when it is set. */
void printf_set_console(void (*putc)(int c));

#endif
