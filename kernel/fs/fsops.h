/*
 * What open() needs beside inode.h.
 */
#ifndef FS_FSOPS_H
#define FS_FSOPS_H

struct inode;

/* The file of a path, made if there is none; -EISDIR if it is a directory.
 * Locked, with a reference. NULL and *err on failure. */
struct inode *fs_create_file(struct inode *cwd, const char *path, int *err);

#endif
