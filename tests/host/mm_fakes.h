/*
 * What unit tests of the memory system run on: the kernel's own page allocator
 * and spin locks, over an array that stands for RAM. Memory runs out as it does
 * in the kernel: by being taken.
 */
#ifndef MM_FAKES_H
#define MM_FAKES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/kalloc.h"
#include "pte.h"

#define RAM_PAGES 13000UL /* enough for all kernel stacks */

/* Let RAM be `pages` pages; the kernel's image ends in the page IMAGE_PAGES
 * from the start. Once in a program. */
#define IMAGE_PAGES 5
void ram_start(uint64 pages);
/* The same, but the first pages up to `first` are not RAM. */
void ram_start_at(uint64 first, uint64 pages);
extern uchar ram[];

/* Take all free pages but n; give them back. */
void memory_leave(uint64 n);
void memory_return(void);

/* Times that the allocator asked caches for memory, since ram_start(). */
extern uint64 reclaims;

/* Pages of each owner: take a census, and compare with it later. */
struct census {
  uint64 pages[PAGE_OWNERS];
};
struct census census_take(void);
/* Nothing was lost or gained, but for slabs that caches keep: and no lock is
 * held. */
#define assert_census(c) check_census(c, __FILE__, __LINE__)
void check_census(struct census c, const char *file, int line);

/* The call must panic, with a message that contains text. */
#define assert_panics(text, call)                         \
  do {                                                    \
    panic_expected = true;                                \
    if (setjmp(panic_jump) == 0) {                        \
      call;                                               \
      fail_msg("no panic: %s", #call);                    \
    }                                                     \
    if (strstr(panic_message, text) == NULL)              \
      fail_msg("%s: panic is: %s", #call, panic_message); \
  } while (0)
extern jmp_buf panic_jump;
extern bool panic_expected;
extern char panic_message[256];

/* Sleeping locks, and the machine's part of user page tables, are in
 * vm_fakes.c. on_flush, if set, is called by tables_flush_user(). */
extern void (*on_flush)(vaddr_t va, size_t size);
extern uint64 code_written; /* calls of instructions_written() */

/* Below n; the same sequence each time. */
uint64 random_below(uint64 n);
/* Fill a page with what a test recognizes, and look whether it is intact. */
void page_mark(void *page, uint64 tag);
bool page_marked(const void *page, uint64 tag);
bool page_zero(const void *page);

#endif
