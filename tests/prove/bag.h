/*
 * Lists of which only the members are known, not their order: they stand in for
 * lib/list.h where a proof is about what is in which list. Who asks for the first
 * member gets any: so what is proved holds for each order. What lib/list.h itself
 * does is proved in list.c.
 *
 * Which list a link is in stands in `prev`: its head, or NULL. The proof says
 * which links there are: BAG_LINKS and bag_link(i).
 */
#ifndef BAG_H
#define BAG_H

#include "prove.h"

#define LIB_LIST_H /* this is it */

struct list {
  struct list *next, *prev;
};

#define LIST_INIT(name) \
  { &(name), NULL }
#define list_entry(p, type, member) container_of(p, type, member)
/* What goes through a list is not for a proof with this. */
#define list_for_each(p, head) \
  for (struct list *p = (head); bag_order(); p = p->next)

static struct list *bag_link(uint i);

static inline bool bag_order(void) {
  claim(false);
  return false;
}

static inline void list_init(struct list *head) { head->next = head; }

/* If there are members, the head's next is one of them afterwards. */
static inline bool list_empty(struct list *head) {
  head->next = head;
  for (uint i = 0; i < BAG_LINKS; i++)
    if (bag_link(i)->prev == head && (head->next == head || any_bool()))
      head->next = bag_link(i);
  return head->next == head;
}

static inline void list_add_front(struct list *head, struct list *l) {
  claim(l->prev == NULL); /* in no list */
  l->prev = head;
}

static inline void list_add_back(struct list *head, struct list *l) {
  list_add_front(head, l);
}

static inline void list_remove(struct list *l) {
  claim(l->prev != NULL);
  l->prev = NULL;
}

static inline struct list *list_pop(struct list *head) {
  struct list *l = list_empty(head) ? NULL : head->next;

  if (l != NULL)
    list_remove(l);
  return l;
}

#endif
