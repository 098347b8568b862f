/*
 * Pipes, below the level of open files: see file.h for pipe_alloc().
 */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include "types.h"

struct pipe;
struct space;

/* A pipe with both ends open, or NULL. */
struct pipe *pipe_new(void);
/* Bytes of memory that one takes. */
size_t pipe_memory(void);
/* Close one end; the pipe is freed with the second. */
void pipe_close(struct pipe *p, bool writer);
/* Read up to n bytes; sleeps while there are none. Bytes read, 0 when no
 * writer is left, -EINTR, -EFAULT. */
ssize_t pipe_read(struct pipe *p, struct space *s, vaddr_t dst, size_t n);
/* Write n bytes; sleeps while there is no room. Bytes written, or -EPIPE when
 * no reader is left, -EINTR, -EFAULT if none were. */
ssize_t pipe_write(struct pipe *p, struct space *s, vaddr_t src, size_t n);

#endif
