/*
 * Structures that contradict themselves: lists whose neighbours do not know each
 * other, counts of holders that were 0 already. Whoever did that may be long
 * gone; what is known is who stumbled over it.
 */
#include "debug.h"
#include "lib/list.h"
#include "report.h"

static bool quiet(void) {
  return __atomic_load_n(&debug_reporting, __ATOMIC_RELAXED);
}

void debug_list_insert(struct list *l, struct list *prev, struct list *next) {
  if ((prev->next == next && next->prev == prev && l != prev && l != next) ||
      quiet())
    return;
  debug_report(DEBUG_CALLER,
               "list: %p is put between %p, whose next is %p, and %p, whose "
               "previous is %p",
               (void *)l, (void *)prev, (void *)prev->next, (void *)next,
               (void *)next->prev);
}

void debug_list_remove(struct list *l) {
  if ((l->prev->next == l && l->next->prev == l) || quiet())
    return;
  debug_report(DEBUG_CALLER,
               "list: %p is taken from between %p, whose next is %p, and %p, "
               "whose previous is %p",
               (void *)l, (void *)l->prev, (void *)l->prev->next,
               (void *)l->next, (void *)l->next->prev);
}

void debug_count_get(unsigned long count, const char *what, const void *p) {
  if (count == 0 && !quiet())
    debug_report(DEBUG_CALLER,
                 "count: a holder is added to %s %p, which has none", what, p);
}

void debug_count_put(unsigned long count, const char *what, const void *p) {
  if (count == 0 && !quiet())
    debug_report(DEBUG_CALLER,
                 "count: a holder is taken from %s %p, which has "
                 "none",
                 what, p);
}
