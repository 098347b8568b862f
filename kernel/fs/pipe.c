/*
 * Pipes: a ring of bytes.
 *
 *   page  [......RR|RRRRRRRR|RRRRRRRR|RR......]  PIPE_SIZE bytes, a power of two
 *                ^ nread                ^ nwrite   both count up for ever
 *
 * The pages need not be neighbours: when memory is short, those are the last to be
 * found.
 *
 * Copying from and to users may sleep, so it happens without the lock: a
 * writer marks the pipe as being written, copies into the free part, then
 * takes the lock again and moves nwrite on. One writer does this at a time,
 * and one reader; they do not disturb each other, since the bytes between
 * nread and nwrite are the reader's, the rest the writer's. A writer with at
 * most PIPE_ATOMIC bytes waits until all of them fit, so they go in as one.
 *
 * Locks: [p] the pipe's lock; [c] constant.
 */
#include "fs/pipe.h"

#include "mm/kalloc.h"
#include "mm/slab.h"
#include "pte.h"
#include "sched/sleep.h"
#include "sched/thread.h"
#include "vm/usercopy.h"

#define PIPE_PAGES 4 /* 16 KiB */
#define PIPE_SIZE (PIPE_PAGES * PGSIZE)
#define PIPE_ATOMIC 512 /* bytes that are never mixed with others' */

struct pipe {
  struct spinlock lock;
  char *page[PIPE_PAGES]; /* [c] */
  uint64 nread;           /* [p] bytes taken out since the beginning */
  uint64 nwrite;          /* [p] bytes put in */
  bool reading;           /* [p] a reader copies, without the lock */
  bool writing;           /* [p] a writer does */
  bool readopen;          /* [p] */
  bool writeopen;         /* [p] */
  struct waitq readers;
  struct waitq writers;
};

static struct slab_cache pipes = SLAB_CACHE(pipes, "pipe", sizeof(struct pipe));

static void pipe_free(struct pipe *p) {
  for (int i = 0; i < PIPE_PAGES && p->page[i] != NULL; i++)
    kfree(p->page[i]);
  slab_free(&pipes, p);
}

struct pipe *pipe_new(void) {
  struct pipe *p = slab_alloc(&pipes);

  if (p == NULL)
    return NULL;
  for (int i = 0; i < PIPE_PAGES; i++) {
    p->page[i] = kalloc_for(PAGE_PIPE);
    if (p->page[i] == NULL) {
      pipe_free(p);
      return NULL;
    }
  }
  p->readopen = p->writeopen = true;
  initlock(&p->lock, "pipe");
  waitq_init(&p->readers, "pipe read");
  waitq_init(&p->writers, "pipe write");
  return p;
}

size_t pipe_memory(void) { return PIPE_SIZE; }

/* Wake those who wait, if any do. The lock is held, so none is just going to
 * sleep. */
static void wake(struct waitq *q) {
  if (!list_empty(&q->waiters))
    wakeup_here(q);
}

void pipe_close(struct pipe *p, bool writer) {
  bool last;

  acquire(&p->lock);
  if (writer)
    p->writeopen = false;
  else
    p->readopen = false;
  wake(&p->readers);
  wake(&p->writers);
  last = !p->readopen && !p->writeopen;
  release(&p->lock);
  if (last)
    pipe_free(p);
}

/* Copy n bytes between the ring at `at` and the user. */
static int copy(struct pipe *p, uint64 at, struct space *s, vaddr_t user,
                size_t n, bool in) {
  while (n > 0) {
    char *ring = p->page[at / PGSIZE % PIPE_PAGES] + at % PGSIZE;
    size_t m = MIN(n, PGSIZE - at % PGSIZE);
    int r =
        in ? either_copyin(s, ring, user, m) : either_copyout(s, user, ring, m);

    if (r < 0)
      return r;
    at += m;
    user += m;
    n -= m;
  }
  return 0;
}

/* Wait until `need` bytes fit and no other writer is at work. */
static int wait_room_locked(struct pipe *p, size_t need) {
  while (p->readopen &&
         (p->writing || PIPE_SIZE - (p->nwrite - p->nread) < need)) {
    int r = sleep_killable(&p->writers, &p->lock);

    if (r < 0)
      return r;
  }
  return p->readopen ? 0 : -EPIPE;
}

ssize_t pipe_write(struct pipe *p, struct space *s, vaddr_t src, size_t n) {
  size_t need = n <= PIPE_ATOMIC ? n : 1, done = 0;
  int r = 0;

  acquire(&p->lock);
  while (done < n && r == 0) {
    size_t m;

    r = wait_room_locked(p, need);
    if (r < 0)
      break;
    m = MIN(n - done, PIPE_SIZE - (p->nwrite - p->nread));
    p->writing = true;
    release(&p->lock);
    r = copy(p, p->nwrite, s, src + done, m, true);
    acquire(&p->lock);
    p->writing = false;
    if (r == 0) {
      p->nwrite += m;
      done += m;
      wake(&p->readers);
    }
    wake(&p->writers);
  }
  release(&p->lock);
  return done > 0 ? (ssize_t)done : r;
}

ssize_t pipe_read(struct pipe *p, struct space *s, vaddr_t dst, size_t n) {
  int r = 0;

  acquire(&p->lock);
  while (r == 0 && (p->reading || (p->nread == p->nwrite && p->writeopen)))
    r = sleep_killable(&p->readers, &p->lock);
  n = MIN(n, p->nwrite - p->nread);
  if (r == 0 && n > 0) {
    p->reading = true;
    release(&p->lock);
    r = copy(p, p->nread, s, dst, n, false);
    acquire(&p->lock);
    p->reading = false;
    if (r == 0) {
      p->nread += n;
      wake(&p->writers);
    }
    wake(&p->readers);
  }
  release(&p->lock);
  return r < 0 ? r : (ssize_t)n;
}
