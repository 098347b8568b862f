/*
 * Directories: files of struct dirent. The inode is locked in all of this.
 *
 * To change an entry: find it or room for it, which can fail; then set it,
 * which cannot. In between the entry's block stays in memory.
 */
#ifndef FS_DIR_H
#define FS_DIR_H

#include "abi/fs.h"
#include "types.h"

struct buf;
struct inode;

/* Compare names as the disk does: the first DIRSIZ bytes. */
int namecmp(const char *a, const char *b);

/* The inode of a name, with a reference, or NULL and *err (-ENOENT, ...). */
struct inode *dirlookup(struct inode *dp, const char *name, int *err);
/* Add an entry. Inside an operation. 0 or an error. */
int dirlink(struct inode *dp, const char *name, uint inum);
/* 1 if it has no entries but "." and "..", else 0, or an error. */
int dir_empty(struct inode *dp);
/* The name of the entry for an inode, DIRSIZ + 1 bytes. 0, -ENOENT, ... */
int dir_name_of(struct inode *dp, uint inum, char *name);

/* The place of an entry; dirslot_put() when done. */
struct dirslot {
  struct buf *b;
  uint off;  /* in the directory */
  uint inum; /* that the entry names; 0: free */
};

/* The entry of a name. 0, -ENOENT, or another error (then nothing to put). */
int dir_find(struct inode *dp, const char *name, struct dirslot *slot);
/* A free entry; the directory grows if there is none. Inside an operation. */
int dir_room(struct inode *dp, struct dirslot *slot);
/* Let the entry name an inode; inum 0 removes it. Inside an operation. */
void dir_set(struct inode *dp, struct dirslot *slot, const char *name,
             uint inum);
void dirslot_put(struct dirslot *slot);

#endif
