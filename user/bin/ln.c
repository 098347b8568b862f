/* ln FILE NAME: give a file another name. */
#include "user/user.h"

int main(int argc, char **argv) {
  if (argc != 3)
    bad_usage("FILE NAME");
  if (link(argv[1], argv[2]) < 0)
    fatal("%s to %s", argv[1], argv[2]);
  return 0;
}
