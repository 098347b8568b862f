/* poweroff: write what is unwritten to the disk and turn the machine off. */
#include "user/user.h"

int main(int argc, char **argv) {
  (void)argv;
  if (argc != 1)
    bad_usage("");
  if (sync() < 0)
    warn("some data could not be written");
  reboot(REBOOT_POWEROFF);
  fatal("cannot");
}
