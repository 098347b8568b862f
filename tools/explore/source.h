/*
 * Where the guest's physical memory is read from: a file that QEMU shares with
 * us while the machine runs, or a snapshot.
 *
 *     live       RAM file, mapped: address - start is the offset
 *     recording  over another source: keeps a copy of each page at its first
 *                reading and answers from the copy from then on. What was read is
 *                of few moments, and it is all that a snapshot needs
 *     snapshot   the pages that were kept
 *
 * One thread at a time uses a source and all that is above it.
 */
#ifndef EXPLORE_SOURCE_H
#define EXPLORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096 /* of a page frame, on each machine */
#define PAGE_BITS 12

/* Why something failed, for the person who asked. */
struct trouble {
  char text[240];
};
/* Say it as printf() does. Always -1. */
int trouble_say(struct trouble *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct source;

/* The file `path` is the RAM that begins at physical address `start`. NULL, and
 * why, if it cannot be mapped, is empty or no whole number of pages. */
struct source *source_open_ram(const char *path, uint64_t start,
                               struct trouble *why);
/* Record what is read from `under`, which must live longer. Never NULL. */
struct source *source_record(struct source *under);
/* No pages at first; RAM of `bytes` bytes at `start`. For snapshots, and for
 * tests of what reads. */
struct source *source_kept(uint64_t start, uint64_t bytes);
/* Keep a page (of such a source); pa is page-aligned and in RAM, else -1. */
int source_keep(struct source *s, uint64_t pa, const void *page);
void source_close(struct source *s);

/* Read n bytes at physical address pa. 0; -1 and zeros in buf if not all of them
 * are there: no RAM, or, of a snapshot, not kept. */
int source_read(struct source *s, uint64_t pa, void *buf, size_t n);

/* RAM: [start, start + bytes), physical addresses. */
uint64_t source_start(const struct source *s);
uint64_t source_bytes(const struct source *s);
/* Pages that can be read, at most. */
uint64_t source_pages(const struct source *s);
/* Is it a machine's memory, or a snapshot's? */
bool source_live(const struct source *s);

/* Call visit(arg, pa, page) for each page that a recording or kept source has,
 * in order of address. */
void source_each(const struct source *s,
                 void (*visit)(void *arg, uint64_t pa, const void *page),
                 void *arg);

#endif
