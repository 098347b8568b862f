/*
 * The kernel's memory as the kernel sees it: virtual addresses, translated
 * through its own live page table as the machine would, and values in it read by
 * what the layout says of them. The kernel runs on meanwhile, so that anything
 * read may be wrong: nothing here trusts it.
 */
#ifndef EXPLORE_MEMORY_H
#define EXPLORE_MEMORY_H

#include "layout.h"
#include "walk.h"

struct memory;

#define TALLY_CPUS 64

/* What was counted of the trace so far, which forgets: the numbers rise from
 * what it still had when it was first read. When the machine starts anew, all of
 * it does. */
struct tally {
  unsigned boots;            /* how often it has done so */
  bool started;              /* this boot's kernel has had a page table */
  uint64_t boot_time;        /* by the kernel's own counter; 0: not known */
  uint32_t next[TALLY_CPUS]; /* the record to be counted next, by CPU */
  bool begun[TALLY_CPUS];
  uint64_t forks, execs;
};

/* Both must live longer. Never NULL. */
struct memory *memory_create(struct source *s, const struct layout *l);
void memory_free(struct memory *m);

/* Look anew: the kernel's table and what was translated by it are forgotten. -1
 * if there is no table that has the kernel in it: the machine has not started its
 * kernel yet, or another one. */
int memory_refresh(struct memory *m);
/* Why that was -1, as a sentence; else "". Valid after it. */
const char *memory_unseen(const struct memory *m);

/* "Pagewise 0.1": what the kernel calls itself, else its file's name. */
const char *memory_kernel_name(const struct memory *m);
/* Kept from one reading to the next. */
struct tally *memory_tally(struct memory *m);
struct source *memory_source(const struct memory *m);
const struct layout *memory_layout(const struct memory *m);
/* How page tables look; valid after memory_refresh(). */
struct geometry memory_geometry(const struct memory *m);
/* Physical address of the kernel's root table. */
uint64_t memory_kernel_root(const struct memory *m);

/* In all of these: 0, or -1 and zeros if the address leads nowhere. */

/* The physical address of a kernel address. */
int memory_translate(struct memory *m, uint64_t va, uint64_t *pa);
int memory_read(struct memory *m, uint64_t va, void *buf, size_t n);
/* An unsigned number of 1, 2, 4 or 8 bytes. */
int memory_number(struct memory *m, uint64_t va, size_t bytes, uint64_t *out);
int memory_pointer(struct memory *m, uint64_t va, uint64_t *out);
/* A variable that is a number or a pointer. */
int memory_variable(struct memory *m, enum layout_item v, uint64_t *out);
/* A member, a number or pointer, of the struct at va. */
int memory_member(struct memory *m, uint64_t va, enum layout_item member,
                  uint64_t *out);
/* A string, cut to n - 1 bytes; what is not printable ASCII becomes '?'. */
int memory_string(struct memory *m, uint64_t va, char *buf, size_t n);

/* Members of the list at `head`, by the address of their links: visit(arg, link)
 * until it returns non-zero, which is then returned. -1 if the list does not close
 * within `most` members or its links do not fit each other: it changed
 * underneath. */
int memory_list(struct memory *m, uint64_t head, int most,
                int (*visit)(void *arg, uint64_t link), void *arg);

#endif
