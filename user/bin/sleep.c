/* sleep SECONDS: wait; tenths are allowed, as in 0.5. */
#include "user/user.h"

#define SECONDS_MAX 200000000 /* ticks are an int */

int main(int argc, char **argv) {
  char *point;
  long long seconds = 0, tenths = 0;

  if (argc != 2)
    bad_usage("SECONDS");
  point = strchr(argv[1], '.');
  if (point) {
    *point++ = 0;
    if (*point < '0' || *point > '9' || point[1])
      bad_usage("SECONDS");
    tenths = *point - '0';
  }
  if (argv[1][0] && parse_number(argv[1], &seconds) < 0)
    bad_usage("SECONDS");
  if (seconds < 0 || (!argv[1][0] && !point))
    bad_usage("SECONDS");
  if (seconds > SECONDS_MAX)
    seconds = SECONDS_MAX;
  return pause(seconds * TICKS_PER_SECOND + tenths * TICKS_PER_SECOND / 10) < 0;
}
