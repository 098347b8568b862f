/*
 * Part of all proofs: nothing may ever panic.
 */
#include "prove.h"

#include "lib/panic.h"

void panic(const char *fmt, ...) {
  claim(fmt == NULL); /* it never is: this cannot be reached */
  assume(false);
  for (;;)
    ;
}
