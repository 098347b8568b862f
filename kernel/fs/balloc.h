/*
 * The bitmap of blocks in use. Called inside an operation; each call changes
 * one bitmap block.
 */
#ifndef FS_BALLOC_H
#define FS_BALLOC_H

#include "types.h"

/* Forget what the allocator remembers of an earlier mount. */
void balloc_init(void);
/* Are the blocks from first on, before end, marked as in use? -EUCLEAN (and a
 * message) if not, or an error of bread. */
int balloc_check(uint first, uint end);
/* A free data block, now in use. Its content is whatever was there: see bnew.
 * 0, -ENOSPC, or an error of bread. */
int balloc(uint *blockno);
/* Give a block back. -EUCLEAN (and a message) if it is no data block or is
 * free already. */
int bfree(uint blockno);

#endif
