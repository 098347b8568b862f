/*
 * The bitmap of blocks in use. Called inside an operation; each call changes
 * one bitmap block.
 */
#ifndef FS_BALLOC_H
#define FS_BALLOC_H

#include "types.h"

struct buf;

/* Forget what the allocator remembers of an earlier mount. */
void balloc_init(void);
/* Are the blocks from first on, before end, marked as in use? -EUCLEAN (and a
 * message) if not, or an error of bread. */
int balloc_check(uint first, uint end);
/* A free data block, now in use. Its content is whatever was there: see bnew.
 * 0, -ENOSPC, or an error of bread. */
int balloc(uint *blockno);
/* Give a block back; its buffer, if it is in memory and not NULL, leaves the
 * transaction (log_forget) before anybody can be given the block: a directory's
 * next block has the same buffer, and what is logged then must stay so.
 * -EUCLEAN (and a message) if it is no data block or is free already: the
 * buffer, whose number may be another, leaves it as well. Or an error of bread:
 * then it stays. */
int bfree(uint blockno, struct buf *content);

#endif
