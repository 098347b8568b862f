/*
 * The end of the system, in order: poweroff and reboot.
 */
#include "extra.h"
#include "user/user.h"

EXTRA void shut_down(int argc, int how) {
  if (argc != 1)
    bad_usage("");
  if (sync() < 0)
    warn("some data could not be written");
  reboot(how);
  fatal("cannot");
}
