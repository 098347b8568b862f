/* sync: return when everything written so far is on the disk. */
#include "user/user.h"

int main(int argc, char **argv) {
  (void)argv;
  if (argc != 1)
    bad_usage("");
  if (sync() < 0)
    fatal("some data could not be written");
  return 0;
}
