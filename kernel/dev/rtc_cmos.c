/*
 * The real-time clock of PCs (Motorola MC146818A data sheet): registers for
 * seconds to years behind a pair of index and data. It steps them once a second,
 * and what is read meanwhile is mixed; so they are read until two readings in a
 * row are the same and none was made during a step.
 *
 * The year has two digits: 70 to 99 are of the last century.
 */
#include "dev/rtc.h"
#include "io.h"
#include "memlayout.h"
#include "sync/spinlock.h"

#define INDEX 0 /* from RTC, which is where the pair is */
#define DATA 1

/* Registers ("Address Map") */
enum { SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR, NFIELDS };
static const uint8 fields[NFIELDS] = {
    [SECONDS] = 0, [MINUTES] = 2, [HOURS] = 4,
    [DAY] = 7,     [MONTH] = 8,   [YEAR] = 9,
};
#define REG_A 10
#define A_STEPPING 0x80 /* or will be within 244 us */
#define REG_B 11
#define B_BINARY 0x04 /* else two decimal digits in each register */
#define B_24_HOURS 0x02
#define HOUR_PM 0x80 /* in a 12-hour clock */

#define FIRST_YEAR 70 /* of the two digits; 69 is 2069 */

/* Longer than a step (2 ms), in reads of a slow port. A clock that steps for
 * ever is none. */
#define PATIENCE 20000
#define READINGS 10

static struct spinlock rtc_lock = SPINLOCK("rtc"); /* index, then data */

static uint8 read_register(uint reg) {
  io_write8(P2IO(RTC + INDEX), reg);
  return io_read8(P2IO(RTC + DATA));
}

/* All fields as the registers have them; false if the clock only steps. */
static bool read_fields(uint8 *f) {
  for (int i = 0; read_register(REG_A) & A_STEPPING; i++) {
    if (i == PATIENCE)
      return false;
  }
  for (int i = 0; i < NFIELDS; i++)
    f[i] = read_register(fields[i]);
  return true;
}

static bool same(const uint8 *a, const uint8 *b) {
  for (int i = 0; i < NFIELDS; i++) {
    if (a[i] != b[i])
      return false;
  }
  return true;
}

static bool read_stable(uint8 *f) {
  uint8 again[NFIELDS];

  for (int i = 0; i < READINGS; i++) {
    if (!read_fields(f) || !read_fields(again))
      return false;
    if (same(f, again))
      return true;
  }
  return false;
}

static uint8 from_digits(uint8 x) { return (x >> 4) * 10 + (x & 0xf); }

/* From the clock's way to write them to numbers. */
static void decode(uint8 *f, uint8 mode) {
  bool pm = !(mode & B_24_HOURS) && (f[HOURS] & HOUR_PM);

  if (pm)
    f[HOURS] &= ~HOUR_PM;
  for (int i = 0; i < NFIELDS && !(mode & B_BINARY); i++)
    f[i] = from_digits(f[i]);
  if (!(mode & B_24_HOURS))
    f[HOURS] = f[HOURS] % 12 + (pm ? 12 : 0);
}

/* Days from 1970-01-01 to a day of the years 1970 to 2069, among which every
 * fourth is a leap year. */
static uint days(uint year, uint month, uint day) {
  static const uint16 before[] = {0,   31,  59,  90,  120, 151,
                                  181, 212, 243, 273, 304, 334};
  uint leap_days = (year - 1970 + 1) / 4; /* 1972 is the first */
  bool after_february = year % 4 == 0 && month > 2;

  return (year - 1970) * 365 + leap_days + before[month - 1] + after_february +
         day - 1;
}

static uint64 seconds_of(const uint8 *f) {
  uint year = f[YEAR] + (f[YEAR] < FIRST_YEAR ? 2000 : 1900);

  if (f[MONTH] < 1 || f[MONTH] > 12 || f[DAY] < 1 || f[DAY] > 31 ||
      f[YEAR] > 99 || f[HOURS] > 23 || f[MINUTES] > 59 || f[SECONDS] > 59)
    return 0;
  return ((days(year, f[MONTH], f[DAY]) * 24ULL + f[HOURS]) * 60 + f[MINUTES]) *
             60 +
         f[SECONDS];
}

uint64 rtc_time(void) {
  uint8 f[NFIELDS], mode;
  bool ok;

  acquire(&rtc_lock);
  ok = read_stable(f);
  mode = read_register(REG_B);
  release(&rtc_lock);
  if (!ok)
    return 0;
  decode(f, mode);
  return seconds_of(f);
}
