/*
 * A moment kept in a file: the layout and the pages of memory from which all
 * views can be drawn. A few hundred KiB for a machine of 128 MiB.
 *
 *   "PGWSNAP1"  u32 crc of what follows  u64 bytes unpacked
 *   zlib stream of:
 *     u32 version  u64 RAM start  u64 RAM bytes  u32 bytes of layout  layout
 *     u32 pages    (u64 physical address, 4096 bytes) each, in order of address
 *     u32 bytes of history  history, as history.h has it
 *
 * There are no samples where nobody had followed the machine: 0 bytes. Version 1 had
 * none, and ended before.
 *
 * All little-endian. The file may come from anywhere: it is checked on the way,
 * and one that makes no sense gives a sentence that says what.
 */
#ifndef EXPLORE_SNAPSHOT_H
#define EXPLORE_SNAPSHOT_H

#include "history.h"
#include "layout.h"

/* A snapshot of a machine: a new model is taken through a recording of s, so
 * stop the machine first if all must be of one moment. h: NULL if there is none.
 * *n bytes, which the caller frees; NULL, and why. */
unsigned char *snapshot_take(struct source *s, const struct layout *l,
                             const struct history *h, size_t *n,
                             struct trouble *why);

/* What is in one. history: NULL if it has none. */
struct snapshot {
  struct source *source;
  struct layout *layout;
  struct history *history;
};

/* Open one of n bytes. 0; or -1, why, and nothing in *k. */
int snapshot_open(const unsigned char *bytes, size_t n, struct snapshot *k,
                  struct trouble *why);
/* The same for a file. */
int snapshot_open_file(const char *path, struct snapshot *k,
                       struct trouble *why);
void snapshot_close(struct snapshot *k);

#endif
