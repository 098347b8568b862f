/* date [SECONDS]: what time it is, or was so many seconds after 1970 began. */
#include "user/user.h"

#define DAY_SECONDS (24 * 60 * 60)

static const char *const weekdays[] = {"Thu", "Fri", "Sat", "Sun",
                                       "Mon", "Tue", "Wed"}; /* from 1970-1-1 */
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int is_leap(uint year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint month_days(uint year, uint month) {
  static const uchar days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  return days[month] + (month == 1 && is_leap(year));
}

static void print_date(uint64 time) {
  uint day = time / DAY_SECONDS, second = time % DAY_SECONDS;
  const char *weekday = weekdays[day % 7];
  uint year = 1970, month = 0;

  for (; day >= 365U + is_leap(year); year++)
    day -= 365 + is_leap(year);
  for (; day >= month_days(year, month); month++)
    day -= month_days(year, month);
  printf("%s %s %2u %02u:%02u:%02u UTC %u\n", weekday, months[month], day + 1,
         second / 3600, second / 60 % 60, second % 60, year);
}

int main(int argc, char **argv) {
  uint64 now;
  long long seconds;

  if (argc > 2)
    bad_usage("[SECONDS]");
  if (argc == 2) {
    if (parse_number(argv[1], &seconds) < 0 || seconds < 0)
      bad_usage("[SECONDS]");
    now = seconds;
  } else if (time(&now) < 0) {
    fatal("time");
  }
  print_date(now);
  return 0;
}
