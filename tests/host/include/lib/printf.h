/*
 * The kernel's printf in unit tests: under names of its own, because the test
 * program has C's as well. A test that wants C's says #undef.
 */
#ifndef TESTS_LIB_PRINTF_H
#define TESTS_LIB_PRINTF_H

#include <stdio.h>

#define printf kernel_printf
#define vprintf kernel_vprintf
#define snprintf kernel_snprintf

#include_next "lib/printf.h"

#endif
