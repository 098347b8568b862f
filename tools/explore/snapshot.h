/*
 * A moment kept in a file: the layout and the pages of memory from which all
 * views can be drawn. A few hundred KiB for a machine of 128 MiB.
 *
 *   "PGWSNAP1"  u32 crc of what follows  u64 bytes unpacked
 *   zlib stream of:
 *     u32 version  u64 RAM start  u64 RAM bytes  u32 bytes of layout  layout
 *     u32 pages    (u64 physical address, 4096 bytes) each, in order of address
 *
 * All little-endian. The file may come from anywhere: it is checked on the way,
 * and one that makes no sense gives a sentence that says what.
 */
#ifndef EXPLORE_SNAPSHOT_H
#define EXPLORE_SNAPSHOT_H

#include "layout.h"

/* A snapshot of a machine: a new model is taken through a recording of s, so
 * stop the machine first if all must be of one moment. *n bytes, which the caller
 * frees; NULL, and why. */
unsigned char *snapshot_take(struct source *s, const struct layout *l,
                             size_t *n, struct trouble *why);

/* Open one of n bytes. 0, a source and a layout; or -1, and why. */
int snapshot_open(const unsigned char *bytes, size_t n, struct source **s,
                  struct layout **l, struct trouble *why);
/* The same for a file. */
int snapshot_open_file(const char *path, struct source **s, struct layout **l,
                       struct trouble *why);

#endif
