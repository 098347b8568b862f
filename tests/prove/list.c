/*
 * Lists, kernel/lib/list.h: each operation, on any list of up to three members.
 * Other proofs take it from here (bag.h).
 *
 *    head <-> link[0] <-> link[1] <-> head      a list of two; link[2] is new
 *
 * The names of the members make no difference, so they are in order at first.
 */
#include "prove.h"

#include "lib/list.h"

#define MOST 3 /* members at first */

static struct list head, link[MOST + 1];
static uint count; /* members at first: link[0] to link[count - 1] */

/* The i-th of these members, between heads. */
static struct list *place(struct list *const *members, uint n, uint i) {
  return i == 0 || i == n + 1 ? &head : members[i - 1];
}

/* Is this what is in the list, in this order, forwards and backwards? */
static void check(struct list *const *members, uint n) {
  for (uint i = 0; i <= n; i++) {
    claim(place(members, n, i)->next == place(members, n, i + 1));
    claim(place(members, n, i + 1)->prev == place(members, n, i));
  }
  claim(list_empty(&head) == (n == 0));
}

static void begin(void) {
  struct list *last = &head;

  count = any_below(MOST + 1);
  for (uint i = 0; i < MOST; i++)
    if (i < count) {
      link[i].prev = last;
      last->next = &link[i];
      last = &link[i];
    }
  last->next = &head;
  head.prev = last;
}

PROVE(add,
      "a new member is first, last, or between two neighbours; the others stay "
      "in order",
      "any list of up to 3 members", "quick small --unwind 6") {
  struct list *new = &link[MOST], *members[MOST + 1];
  uint at, way = any_below(3);

  begin();
  at = way == 0 ? 0 : way == 1 ? count : any_below(count + 1);
  for (uint i = 0; i < MOST + 1; i++)
    members[i] = i < at ? &link[i] : i == at ? new : &link[i - 1];
  if (way == 0)
    list_add_front(&head, new);
  else if (way == 1)
    list_add_back(&head, new);
  else
    list_insert(new, at == 0 ? &head : &link[at - 1],
                at == count ? &head : &link[at]);
  check(members, count + 1);
  reached(way == 2 && at == 1 && count == 3);
}

PROVE(remove,
      "a member that is taken out, or the first, is in no list; the others "
      "stay in order; there is none in an empty list",
      "any list of up to 3 members", "quick small --unwind 6") {
  struct list *members[MOST], *gone;
  uint at = 0;

  begin();
  if (any_bool()) {
    gone = list_pop(&head);
    claim((gone == NULL) == (count == 0) && (gone == NULL || gone == &link[0]));
  } else {
    assume(count > 0);
    at = any_below(count);
    gone = &link[at];
    list_remove(gone);
  }
  for (uint i = 0; i < MOST; i++)
    members[i] = i < at || gone == NULL ? &link[i] : &link[i + 1];
  check(members, count - (gone != NULL));
  claim(gone == NULL || list_empty(gone));
  reached(at == 1 && count == 3);
  reached(gone == NULL);
}
