/*
 * Memory that processes share and that is in no file: what MAP_SHARED with
 * MAP_ANONYMOUS gives, and fork hands on.
 */
#ifndef VM_ANON_H
#define VM_ANON_H

#include "mm/pagetable.h"
#include "vm/object.h"

struct space;

/* A new object with one reference, of pages of zeros, or NULL. */
struct memobject *anon_create(void);

/* Pages [first, last) of such an object that are in memory; 0 for any other. */
size_t anon_count(struct memobject *o, uint64 first, uint64 last);

/* The tree in which such an object keeps its pages, by index * PGSIZE; NULL for
 * any other object. */
pagetable_t anon_pages(struct memobject *o);

/* The trees of all such objects, for the self-check: while nothing changes. */
void anon_each(void (*visit)(void *arg, pagetable_t pages), void *arg);

/* Pages of all such objects of which the space maps something, their trees' own
 * counted: also those that it has unmapped, but which only go with the object. The
 * space's lock is held, and no spin lock: it may sleep. */
size_t anon_held(struct space *s);

#endif
