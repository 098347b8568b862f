/*
 * Doubly linked lists, kernel/lib/list.h, against an array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/list.h"

#define MEMBERS 10

struct member {
  int number;
  struct list link;
};

static struct member members[MEMBERS];
static struct list head = LIST_INIT(head);
static int model[MEMBERS], n; /* numbers in order */

static void check(void) {
  int i = 0;

  assert_int_equal(list_empty(&head), n == 0);
  list_for_each (l, &head) {
    assert_true(i < n);
    assert_int_equal(list_entry(l, struct member, link)->number, model[i++]);
    assert_ptr_equal(l->next->prev, l);
    assert_ptr_equal(l->prev->next, l);
  }
  assert_int_equal(i, n);
}

static int place_of(int number) {
  for (int i = 0; i < n; i++)
    if (model[i] == number)
      return i;
  return -1;
}

static void model_insert(int at, int number) {
  memmove(&model[at + 1], &model[at], (n++ - at) * sizeof(model[0]));
  model[at] = number;
}

static void model_remove(int at) {
  memmove(&model[at], &model[at + 1], (--n - at) * sizeof(model[0]));
}

static void random_operations(void **state) {
  unsigned seed = 1;

  (void)state;
  for (int step = 0; step < 20000; step++) {
    int number = (seed = seed * 1103515245 + 12345) >> 16 & 0x7fff;
    int operation = number / MEMBERS % 4, at;
    struct list *link = &members[number %= MEMBERS].link;

    members[number].number = number;
    at = place_of(number);
    if (at >= 0) {
      list_remove(link);
      list_remove(link); /* twice does no harm */
      assert_true(list_empty(link));
      model_remove(at);
    } else if (operation == 0) {
      list_add_front(&head, link);
      model_insert(0, number);
    } else if (operation == 1) {
      list_add_back(&head, link);
      model_insert(n, number);
    } else if (operation == 2 && n > 0) {
      struct list *first = &members[model[0]].link;

      list_insert(link, first, first->next);
      model_insert(1, number);
    } else {
      struct list *first = n > 0 ? &members[model[0]].link : NULL;

      assert_ptr_equal(list_pop(&head), first);
      if (n > 0)
        model_remove(0);
    }
    check();
  }
}

static void members_may_leave_while_all_are_visited(void **state) {
  int seen = 0;

  (void)state;
  while (list_pop(&head) != NULL)
    continue;
  for (int i = 0; i < MEMBERS; i++) {
    members[i].number = i;
    list_add_back(&head, &members[i].link);
  }
  list_for_each_safe (l, &head) {
    assert_int_equal(list_entry(l, struct member, link)->number, seen++);
    if (seen % 3 != 0)
      list_remove(l);
  }
  assert_int_equal(seen, MEMBERS);
  n = 0;
  for (int i = 2; i < MEMBERS; i += 3)
    model[n++] = i;
  check();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_operations),
      cmocka_unit_test(members_may_leave_while_all_are_visited),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
