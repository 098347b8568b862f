/* poweroff: write what is unwritten to the disk and turn the machine off. */
#include "user/user.h"

int main(int argc, char **argv) {
  (void)argv;
  shut_down(argc, REBOOT_POWEROFF);
}
