/*
 * EXTRA marks a function that xv6's library does not have. A program written
 * for xv6 may define one of the same name: weak definitions give way to it.
 * For the same reason nothing that xv6 does have may call an EXTRA function.
 */
#ifndef USER_LIB_EXTRA_H
#define USER_LIB_EXTRA_H

#define EXTRA __attribute__((weak))

extern const char printf_digits[]; /* digits.c */

#endif
