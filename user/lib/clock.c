/*
 * The time since boot. The system call stores it, because it has 64 bits and a
 * result has those of a register.
 */
#include "extra.h"
#include "user/user.h"

EXTRA uint64 clock(void) {
  uint64 ns = 0;

  sys_clock(&ns);
  return ns;
}
