/* reboot: write what is unwritten to the disk and start the machine anew. */
#include "user/user.h"

int main(int argc, char **argv) {
  (void)argv;
  shut_down(argc, REBOOT_RESTART);
}
