/*
 * Files as memory objects (vm/object.h): what mmap, exec and page faults use.
 */
#ifndef FS_FILEMAP_H
#define FS_FILEMAP_H

#include "vm/object.h"

struct bpage;
struct inode;

extern const struct memobject_ops filemap_ops;

/* Start, with nothing changed. */
void filemap_init(void);
/* Start the thread that writes back what mappings changed. 0 or -ENOMEM. */
int filemap_start(void);

/* Nothing of a page need be written back any more. Its inode is locked. */
void filemap_clean(struct bpage *p);
/* Mappings cannot write to a page any more without a fault; it stays dirty. Its
 * inode is locked. False: they could not before. */
bool filemap_protect(struct inode *ip, struct bpage *p);
/* Hand all that shared mappings changed to the log; whether it got to the disk
 * is for log_sync() to tell. Not inside an operation. */
void filemap_sync(void);
/* Have the thread that does so call iput_later() some time soon. */
void filemap_iput_later(void);
/* Unmap all pages that are only mapped; private copies stay. */
void filemap_release(void);

#endif
