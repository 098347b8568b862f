/*
 * Paths, for the file system's own use; namei() is in inode.h.
 */
#ifndef FS_PATH_H
#define FS_PATH_H

#include "abi/fs.h"
#include "types.h"

struct inode;

/* The directory in which the last element of a path is or would be, and that
 * element: DIRSIZ bytes at most and a 0. NULL and *err on failure. Not inside
 * an operation, nor with an inode locked. */
struct inode *nameiparent(struct inode *cwd, const char *path,
                          char name[DIRSIZ + 1], int *err);

#endif
