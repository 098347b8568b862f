/* mkdir DIRECTORY...: make directories. */
#include "user/user.h"

int main(int argc, char **argv) {
  int failed = 0;

  if (argc < 2)
    bad_usage("DIRECTORY...");
  for (int i = 1; i < argc; i++)
    if (mkdir(argv[i]) < 0) {
      warn("%s", argv[i]);
      failed = 1;
    }
  return failed;
}
