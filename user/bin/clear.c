/* clear: empty the screen (ECMA-48: CUP, ED). */
#include "user/user.h"

int main(int argc, char **argv) {
  (void)argv;
  if (argc != 1)
    bad_usage("");
  printf("\x1b[H\x1b[2J");
  return 0;
}
