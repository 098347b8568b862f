/*
 * What directory lookups found, so that the next one need not read the
 * directory: (directory, name) -> inode number and place of the entry, or "no
 * such name".
 *
 * A directory is known by the number it got when its inode was read (gen),
 * which no other directory ever gets: entries of one that is gone are never
 * found again. Entries of a directory change only while its inode is locked,
 * by dir.c, which tells the cache; so what is cached is true for whoever holds
 * that lock.
 */
#ifndef FS_NAMECACHE_H
#define FS_NAMECACHE_H

#include "types.h"

void namecache_init(void);
/* Is the name known? *inum is 0 if it is known not to exist; *off is where in
 * the directory the entry is. The directory is locked; names are cut to
 * DIRSIZ bytes. */
bool namecache_find(uint64 gen, const char *name, uint *inum, uint *off);
/* Remember; replaces what was known. */
void namecache_set(uint64 gen, const char *name, uint inum, uint off);

#endif
