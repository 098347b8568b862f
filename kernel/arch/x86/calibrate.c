/*
 * Finding out how fast a counter runs.
 *
 * The counter is read at two moments, and the clock just before and just after
 * each. If we are the guest of an emulator, then whatever else runs on the same
 * processor may come in between at any point, for as long as it likes. It
 * cannot hide there:
 *
 *        from      to                          from  to
 *   clock  |--------|-----------------------------|---|------>
 *             first                                 now
 *
 * The counter was read somewhere within each bracket, so the time between the
 * two readings is known but for half of what the brackets are wide, and the
 * counter but for one count. This is a bound, not an estimate, so of all pairs
 * of readings the one with the least doubt for its length is taken. To read the
 * counter over and over makes the length grow; an interruption during a reading
 * spoils that one, between readings none. Where all readings take long, less and
 * less has to do.
 */
#include "calibrate.h"

#define SURE 8192    /* so small a part in doubt is good enough at first */
#define LEAST_SURE 4 /* and this at last */
#define GIVE_UP (1ULL << 32)

static uint64 width(const struct reading *r) { return r->to - r->from; }

static bool is_sure(const struct rate *r, uint sure) {
  return r->counts != 0 && r->doubt <= r->time / sure;
}

/* What two readings say, if that is better than what is known. */
static void consider(const struct reading *first, const struct reading *now,
                     struct rate *best) {
  struct rate r = {.counts = first->left - now->left};

  if (now->left >= first->left)
    return;
  r.time = (now->from - first->from + now->to - first->to) / 2;
  r.doubt = (width(first) + width(now)) / 2 + r.time / r.counts;
  if (r.doubt < r.time &&
      (best->counts == 0 || r.doubt * best->time < best->doubt * r.time))
    *best = r;
}

/* A first reading that was interrupted gives way to one that was not. False if
 * there is no end to it. */
static bool calibrate_once(const struct counter *c, uint sure,
                           struct rate *best) {
  struct reading first, now;

  c->start();
  if (!c->read(&first))
    return true;
  while (!is_sure(best, sure) && c->read(&now)) {
    if (now.to - first.from >= GIVE_UP)
      return false;
    consider(&first, &now, best);
    if (width(&now) < width(&first) / 2)
      first = now;
  }
  return true;
}

bool calibrate(const struct counter *c, struct rate *r) {
  *r = (struct rate){0};
  for (uint sure = SURE; sure >= LEAST_SURE && !is_sure(r, sure); sure /= 2)
    if (!calibrate_once(c, sure, r))
      break;
  return r->counts != 0;
}
