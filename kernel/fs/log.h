/*
 * The log makes operations atomic: after a crash either all of an operation's
 * blocks have their new content or none has.
 *
 *   begin_op(n)         may change at most n different blocks; sleeps while
 *     bread             the log has no room
 *     change b->data
 *     log_write(b)      instead of writing it to disk
 *     brelse
 *   end_op(n)           does not wait for the disk
 *
 * begin_op comes before any inode lock, and operations do not nest.
 */
#ifndef FS_LOG_H
#define FS_LOG_H

#include "types.h"

struct buf;

/* Blocks that an operation on names may change at most; rename needs all:
 * four inodes, two directory blocks and "..", an indirect block, two bitmap
 * blocks. A log must have room for that many. */
#define MAXOPBLOCKS 10

/* Replay the log of the disk in fs, and make it ready. 0 or an error. */
int log_init(void);
/* Be read-only from the start: before log_start(). */
void log_refuse(void);
/* Start the thread that commits. 0 or -ENOMEM. */
int log_start(void);
/* Blocks that the largest operation may change. */
uint log_capacity(void);

/* 0, or -EROFS once the file system is read-only (then there is no end_op). */
int begin_op(uint blocks);
void end_op(uint blocks);
/* Make a block part of the running transaction: a locked buffer, or a block of
 * a file whose inode is locked. */
void log_write(struct buf *b);
/* The block is being freed (bfree): its content need not get to the disk any
 * more, and its number may soon be another buffer's. Held as for log_write; and
 * nobody can be given the block yet, so nobody else logs this buffer. */
void log_forget(struct buf *b);

/* Wait until all that has ended so far is on disk. 0 or -EIO. */
int log_sync(void);

#endif
