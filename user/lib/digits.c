/*
 * The digits that %x and %p print. A program written for xv6 is linked with
 * lib/xv6/digits.c, which comes before the library, and so does not get these.
 */
#include "extra.h"

const char printf_digits[] = "0123456789abcdef";
