/* kill PID...: end processes. */
#include "user/user.h"

int main(int argc, char **argv) {
  int failed = 0;

  if (argc < 2)
    bad_usage("PID...");
  for (int i = 1; i < argc; i++) {
    long long pid;

    if (parse_number(argv[i], &pid) < 0)
      bad_usage("PID...");
    if (kill(pid) < 0) {
      warn("%s", argv[i]);
      failed = 1;
    }
  }
  return failed;
}
