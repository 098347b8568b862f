/*
 * Files as memory objects (vm/object.h): what mmap, exec and page faults use.
 */
#ifndef FS_FILEMAP_H
#define FS_FILEMAP_H

#include "vm/object.h"

struct bpage;

extern const struct memobject_ops filemap_ops;

/* Start, with nothing changed. */
void filemap_init(void);
/* Start the thread that writes back what mappings changed. 0 or -ENOMEM. */
int filemap_start(void);

/* Nothing of a page need be written back any more. Its inode is locked. */
void filemap_clean(struct bpage *p);
/* Write back all that shared mappings changed, as operations of the log. 0 or
 * the first error. Not inside an operation. */
int filemap_sync(void);
/* Have the thread that does so call iput_later() some time soon. */
void filemap_iput_later(void);
/* Unmap all pages that are only mapped; private copies stay. */
void filemap_release(void);

#endif
