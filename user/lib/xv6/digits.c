/* For programs written for xv6, whose printf() knows no small digits. */
#include "../extra.h"

const char printf_digits[] = "0123456789ABCDEF";
