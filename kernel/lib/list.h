/*
 * Doubly linked list with the links inside the members. A list head is a
 * struct list too; an empty one points to itself. No locking.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "debug.h"
#include "types.h"

struct list {
  struct list *next, *prev;
};

#define LIST_INIT(name) \
  { &(name), &(name) }
#define list_entry(p, type, member) container_of(p, type, member)
#define list_for_each(p, head) \
  for (struct list *p = (head)->next; p != (head); p = p->next)
/* The current member may be removed in the body. */
#define list_for_each_safe(p, head)                                     \
  for (struct list *p = (head)->next, *p##_next = p->next; p != (head); \
       p = p##_next, p##_next = p->next)

static inline void list_init(struct list *l) { l->next = l->prev = l; }

static inline bool list_empty(const struct list *l) { return l->next == l; }

/* Insert between two neighbours. */
static inline void list_insert(struct list *l, struct list *prev,
                               struct list *next) {
  debug_list_insert(l, prev, next);
  l->prev = prev;
  l->next = next;
  prev->next = l;
  next->prev = l;
}

static inline void list_add_front(struct list *head, struct list *l) {
  list_insert(l, head, head->next);
}

static inline void list_add_back(struct list *head, struct list *l) {
  list_insert(l, head->prev, head);
}

/* Take l out; it is then an empty list, so that removal twice does no harm. */
static inline void list_remove(struct list *l) {
  debug_list_remove(l);
  l->prev->next = l->next;
  l->next->prev = l->prev;
  list_init(l);
}

/* Remove and return the first member, or NULL. */
static inline struct list *list_pop(struct list *head) {
  struct list *l = head->next;

  if (l == head)
    return NULL;
  list_remove(l);
  return l;
}

#endif
