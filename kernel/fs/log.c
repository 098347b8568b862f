/*
 * The log: group commit, in the background.
 *
 * Operations collect in the running transaction, in memory only. A thread
 * commits it when it is half the log's size, a moment after its first block,
 * or when somebody asks (sync):
 *
 *            begin_op, log_write
 *                   |
 *    RUNNING: blocks are in the cache, pinned
 *                   |  commit: no new operation begins, those under way end,
 *                   |  the blocks' contents are copied (no disk involved)
 *                   v
 *    COMMITTING: the copy goes to disk; a new running transaction has begun
 *                   |  1. copy -> log blocks, flush
 *                   |  2. n and block numbers -> log header, flush
 *                   |     (from here on a crash replays the log)
 *                   |  3. copy -> home blocks, flush
 *                   v  4. n = 0 -> log header, flush
 *    done: the blocks are unpinned
 *
 * Because it is the copy that is written, the next transaction may change the
 * same blocks meanwhile. The copy is sorted by block number, so that
 * neighbours on disk are neighbours in memory and go in one request; all
 * requests of a step are under way together.
 *
 * A power cut may leave a block that was being written half old and half new: a
 * disk only promises that of each sector. The header is two. So the second one,
 * if there are so many blocks that it counts, is written in step 1, where it
 * does not mean anything yet, and steps 2 and 4 write the first alone.
 *
 * What processes change through mappings they also change beyond the end of the
 * file, and go on while the copy is made: there the copy gets zeros.
 *
 * All contents, also those of files, go through the log. So a block that one
 * operation frees may be used by the next at once: whatever the crash leaves
 * is the state between two transactions. As a file's blocks lie in pages of
 * its own in the cache, the next user of a block has another buffer for it;
 * log_forget() sees to it that a transaction has a block's number once only.
 * It never empties the transaction for good: the inode's block, at least, gets
 * into it, so who waits for its commit (log_sync) does not wait in vain.
 *
 * Room: each operation says how many blocks it may change; begin_op waits
 * until those fit in beside the transaction's blocks and what other
 * operations under way have reserved.
 *
 * If a commit fails, the disk no longer follows: the file system becomes
 * read-only. What is in the cache stays, pinned, for readers.
 *
 * Locks: [l] log.lock; [t] only the commit thread (or recovery, before it).
 * log.lock is a spin lock with nothing but wait queues inside.
 */
#include "fs/log.h"

#include "dev/block.h"
#include "debug.h"
#include "fs/bcache.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "pte.h"
#include "sched/sleep.h"
#include "sched/thread.h"

#define COMMIT_DELAY_NS (80 * 1000 * 1000UL) /* after the first log_write */
#define SECTORS_PER_BLOCK (BSIZE / SECTOR_SIZE)
/* How many of the header's block numbers are in its first sector. */
#define FIRST_NUMBERS (SECTOR_SIZE / sizeof(uint) - 1)
#define COPY_PAGES_MAX ((LOGHEADERMAX * BSIZE + PGSIZE - 1) / PGSIZE)

struct txn {
  uint64 id; /* counts from 1 */
  uint n;
  struct buf *buf[LOGHEADERMAX]; /* each holds its block in the cache */
};

static struct {
  struct spinlock lock;
  struct waitq line; /* of begin_op, in the order of their tickets */
  struct waitq room; /* for the first of them, who is out of the line */
  struct waitq work; /* for the thread */
  struct waitq done; /* for log_sync */
  struct txn txn[2];
  struct txn *running; /* [l] the other one is committing, or empty */
  uint reserved;       /* [l] blocks, by operations under way */
  uint ops;            /* [l] operations under way */
  uint64 tickets;      /* [l] begin_op is first come, first served: the next */
  uint64 serving;      /* [l] number to give out, and the one to be let in */
  bool closing;        /* [l] a commit waits for them to end */
  bool urgent;         /* [l] commit without delay */
  uint64 deadline;     /* [l] for the commit, if running->n > 0 */
  uint64 committed;    /* [l] id of the last transaction that is safe */
  int error;           /* [l] of the commit that failed */
  uint capacity;       /* [c] blocks of a transaction */
  struct logheader *header;   /* [t] a page */
  char *copy[COPY_PAGES_MAX]; /* [t] contents in the order of header */
} jnl;

/* Requests that are under way together. */
static struct {
  struct spinlock lock;
  struct waitq wait;
  uint left;                        /* [lock] that are not done */
  int status;                       /* [lock] the first error */
  uint n;                           /* [t] */
  struct bio bio[LOGHEADERMAX + 1]; /* one for the header's second sector */
} batch;

/* --- disk requests --- */

static void batch_done(struct bio *b) {
  acquire(&batch.lock);
  if (b->status < 0 && batch.status == 0)
    batch.status = b->status;
  if (--batch.left == 0)
    wakeup(&batch.wait);
  release(&batch.lock);
}

static void batch_submit(struct bio *b) {
  acquire(&batch.lock);
  batch.left++;
  release(&batch.lock);
  block_submit(fs.disk, b);
}

/* Add a request; the one before is complete. */
static void batch_new(enum bio_op op, uint64 sector, uint sectors, void *data) {
  if (batch.n > 0)
    batch_submit(&batch.bio[batch.n - 1]);
  batch.bio[batch.n++] = (struct bio){.op = op,
                                      .sector = sector,
                                      .sectors = sectors,
                                      .data = data,
                                      .done = batch_done};
}

/* Move the copy's i-th block from or to a block of the disk; it becomes part of
 * the request before if it follows that in memory and on disk. */
static void batch_add(enum bio_op op, uint i, uint blockno) {
  char *data = jnl.copy[i / (PGSIZE / BSIZE)] + i % (PGSIZE / BSIZE) * BSIZE;
  uint64 sector = (uint64)blockno * SECTORS_PER_BLOCK;
  struct bio *last = batch.n > 0 ? &batch.bio[batch.n - 1] : NULL;

  if (last != NULL && last->sector + last->sectors == sector &&
      (char *)last->data + last->sectors * SECTOR_SIZE == data &&
      last->sectors + SECTORS_PER_BLOCK <= fs.disk->max_sectors)
    last->sectors += SECTORS_PER_BLOCK;
  else
    batch_new(op, sector, SECTORS_PER_BLOCK, data);
}

/* Submit what has been added and wait for all of it: 0, or the first error.
 * The next batch begins without one. */
static int batch_wait(void) {
  int r;

  if (batch.n > 0)
    batch_submit(&batch.bio[batch.n - 1]);
  acquire(&batch.lock);
  while (batch.left > 0)
    sleep(&batch.wait, &batch.lock);
  r = batch.status;
  batch.status = 0;
  release(&batch.lock);
  batch.n = 0;
  return r;
}

static int flush(void) {
  struct bio b = {.op = BIO_FLUSH};

  return block_do(fs.disk, &b);
}

static uint64 header_sector(void) {
  return (uint64)fs.sb.logstart * SECTORS_PER_BLOCK;
}

static int header_io(enum bio_op op, uint sectors) {
  struct bio b = {.op = op,
                  .sector = header_sector(),
                  .sectors = sectors,
                  .data = jnl.header};

  return block_do(fs.disk, &b);
}

/* Move all blocks of the transaction between the copy and the log. */
static void batch_log(enum bio_op op) {
  for (uint i = 0; i < jnl.header->n; i++)
    batch_add(op, i, fs.sb.logstart + 1 + i);
}

/* Step 1, without the flush. */
static int write_log(void) {
  batch_log(BIO_WRITE);
  if (jnl.header->n > FIRST_NUMBERS)
    batch_new(BIO_WRITE, header_sector() + 1, SECTORS_PER_BLOCK - 1,
              &jnl.header->block[FIRST_NUMBERS]);
  return batch_wait();
}

static int read_log(void) {
  batch_log(BIO_READ);
  return batch_wait();
}

/* Steps 3 and 4: write the copy home, then forget it. */
static int install(void) {
  int r;

  for (uint i = 0; i < jnl.header->n; i++)
    batch_add(BIO_WRITE, i, jnl.header->block[i]);
  r = batch_wait();
  if (r == 0)
    r = flush();
  jnl.header->n = 0;
  if (r == 0)
    r = header_io(BIO_WRITE, 1);
  return r == 0 ? flush() : r;
}

/* --- starting --- */

/* Pages for the copy, in blocks as large as can be had. */
static int copy_init(void) {
  uint pages = (jnl.capacity * BSIZE + PGSIZE - 1) / PGSIZE, got = 0;
  int order = ORDER_MAX;

  while (got < pages) {
    char *p;

    while (order > 0 && 1U << order > pages - got)
      order--;
    p = kalloc_pages(order, PAGE_KERNEL);
    if (p == NULL && order-- == 0)
      return -ENOMEM;
    for (uint i = 0; p != NULL && i < 1U << order; i++)
      jnl.copy[got++] = p + i * PGSIZE;
  }
  return 0;
}

/* Does the header that was read name blocks that a transaction can have? */
static int header_check(void) {
  struct logheader *h = jnl.header;

  if (h->n > jnl.capacity)
    return fs_damaged("the log has %u blocks, its header says %u", jnl.capacity,
                      h->n);
  for (uint i = 0; i < h->n; i++)
    if (h->block[i] < fs.sb.inodestart || h->block[i] >= fs.sb.size)
      return fs_damaged("the log names block %u, which cannot be logged",
                        h->block[i]);
  return 0;
}

/* Finish a transaction that a crash interrupted after its commit. If the log
 * cannot be read, nothing is written: it stays for the next mount. */
static int recover(void) {
  uint n = jnl.header->n;
  int r;

  if (n == 0)
    return 0;
  if (fs.disk->readonly) {
    printf("fs: the log must be replayed, but the disk is read-only\n");
    return -EROFS;
  }
  r = read_log();
  if (r == 0)
    r = install();
  if (r == 0)
    printf("fs: replayed %u blocks from the log\n", n);
  return r;
}

int log_init(void) {
  int r;

  memset(&jnl, 0, sizeof(jnl));
  initlock(&jnl.lock, "log");
  waitq_init(&jnl.line, "log line");
  waitq_init(&jnl.room, "log room");
  waitq_init(&jnl.work, "log");
  waitq_init(&jnl.done, "sync");
  memset(&batch, 0, sizeof(batch));
  initlock(&batch.lock, "log batch");
  waitq_init(&batch.wait, "log I/O");
  jnl.capacity = fs.sb.nlog - 1;
  jnl.running = &jnl.txn[0];
  jnl.running->id = 1;
  jnl.header = kalloc_zero(PAGE_KERNEL);
  if (jnl.header == NULL || copy_init() < 0)
    return -ENOMEM;
  r = header_io(BIO_READ, SECTORS_PER_BLOCK);
  if (r == 0)
    r = header_check();
  if (r == 0)
    r = recover();
  if (fs.disk->readonly)
    jnl.error = -EROFS;
  return r;
}

uint log_capacity(void) { return jnl.capacity; }

/* --- operations --- */

static bool has_room_locked(uint blocks) {
  return !jnl.closing && jnl.running->n + jnl.reserved + blocks <= jnl.capacity;
}

int begin_op(uint blocks) {
  uint64 ticket;
  int error;

  ASSERT(blocks <= jnl.capacity);
  debug_sleep_wait(&jnl, "log room", DEBUG_CALLER);
  acquire(&jnl.lock);
  ticket = jnl.tickets++;
  while (!jnl.error && ticket != jnl.serving) /* woken once, in its turn */
    sleep(&jnl.line, &jnl.lock);
  while (!jnl.error && !has_room_locked(blocks)) {
    if (jnl.running->n > 0 && !jnl.urgent) {
      jnl.urgent = true;
      wakeup(&jnl.work);
    }
    sleep(&jnl.room, &jnl.lock);
  }
  error = jnl.error;
  if (!error) {
    jnl.ops++;
    jnl.reserved += blocks;
    jnl.serving++;
    wakeup_one(&jnl.line);
    debug_sleep_taken(&jnl, "log room");
  }
  release(&jnl.lock);
  return error ? -EROFS : 0;
}

void end_op(uint blocks) {
  debug_sleep_released(&jnl);
  acquire(&jnl.lock);
  jnl.ops--;
  jnl.reserved -= blocks;
  if (jnl.running->n > jnl.capacity / 2)
    jnl.urgent = true;
  if (jnl.ops == 0 && (jnl.closing || jnl.urgent))
    wakeup(&jnl.work);
  wakeup(&jnl.room);
  release(&jnl.lock);
}

void log_write(struct buf *b) {
  struct txn *t = jnl.running; /* stays while our operation is under way */

  if (b->txn == t->id)
    return;
  b->txn = t->id;
  bpin(b);
  acquire(&jnl.lock);
  if (t->n >= jnl.capacity)
    panic("log_write: block %u makes more than %u", b->blockno, jnl.capacity);
  b->slot = t->n;
  t->buf[t->n++] = b;
  if (t->n == 1) {
    jnl.deadline = clock_ns() + COMMIT_DELAY_NS;
    wakeup(&jnl.work);
  }
  release(&jnl.lock);
}

void log_forget(struct buf *b) {
  struct txn *t = jnl.running;

  if (b->txn != t->id)
    return;
  acquire(&jnl.lock);
  t->n--;
  t->buf[b->slot] = t->buf[t->n];
  t->buf[b->slot]->slot = b->slot;
  release(&jnl.lock);
  b->txn = 0;
  bdrop(b);
}

/* --- committing --- */

/* Heapsort's sift-down: the root i of a heap of n may be too small. */
static void sift_down(struct buf **a, uint i, uint n) {
  struct buf *b = a[i];
  uint child;

  while ((child = 2 * i + 1) < n) {
    if (child + 1 < n && a[child + 1]->blockno > a[child]->blockno)
      child++;
    if (a[child]->blockno <= b->blockno)
      break;
    a[i] = a[child];
    i = child;
  }
  a[i] = b;
}

static void sort(struct buf **a, uint n) {
  for (uint i = n / 2; i-- > 0;)
    sift_down(a, i, n);
  while (n-- > 1) {
    struct buf *largest = a[0];

    a[0] = a[n];
    a[n] = largest;
    sift_down(a, 0, n);
  }
}

/* Mappings may change this block's page meanwhile: see to it that its copy has
 * zeros beyond the end of the file (F5). */
static void clear_tail(const struct buf *b, char *copy) {
  const struct bpage *p = b->page;
  uint64 start = (uint64)p->number * PGSIZE + (b->data - p->data), size;

  if (!__atomic_load_n(&p->writable, __ATOMIC_ACQUIRE))
    return;
  size = isize_dirty(p->file);
  if (start + BSIZE > size) {
    uint keep = size > start ? size - start : 0;

    memset(copy + keep, 0, BSIZE - keep);
  }
}

/* Copy the transaction's blocks. No operation is under way. */
static void copy_blocks(struct txn *t) {
  sort(t->buf, t->n);
  for (uint i = 0; i < t->n; i++) {
    char *copy = jnl.copy[i / (PGSIZE / BSIZE)] + i % (PGSIZE / BSIZE) * BSIZE;

    jnl.header->block[i] = t->buf[i]->blockno;
    memcpy(copy, t->buf[i]->data, BSIZE);
    clear_tail(t->buf[i], copy);
  }
  jnl.header->n = t->n;
}

/* Steps 1 to 4. */
static int write_copy(void) {
  int r = write_log();

  if (r == 0)
    r = flush();
  if (r == 0)
    r = header_io(BIO_WRITE, 1);
  if (r == 0)
    r = flush();
  return r == 0 ? install() : r;
}

/* Let the operations under way end and take over their transaction; the next
 * one begins. log.lock is held, but given up while copying. */
static struct txn *take_running_locked(void) {
  struct txn *t = jnl.running, *next = &jnl.txn[t == &jnl.txn[0]];

  jnl.closing = true;
  while (jnl.ops > 0)
    sleep(&jnl.work, &jnl.lock);
  release(&jnl.lock);
  copy_blocks(t);
  acquire(&jnl.lock);
  next->id = t->id + 1;
  next->n = 0;
  jnl.running = next;
  jnl.closing = jnl.urgent = false;
  wakeup(&jnl.room);
  return t;
}

/* Commit the running transaction. log.lock is held. */
static void commit_locked(void) {
  struct txn *t = take_running_locked();
  int r;

  release(&jnl.lock);
  r = write_copy();
  if (r == 0)
    for (uint i = 0; i < t->n; i++)
      bdrop(t->buf[i]);
  else
    printf("fs: writing the log failed (error %d): read-only from now on\n",
           -r);
  acquire(&jnl.lock);
  if (r == 0)
    jnl.committed = t->id;
  jnl.error = r;
  if (r != 0)
    wakeup(&jnl.line);
  wakeup(&jnl.room);
  wakeup(&jnl.done);
}

static void log_thread(void *unused) {
  (void)unused;
  acquire(&jnl.lock);
  while (!jnl.error) {
    if (jnl.running->n == 0)
      sleep(&jnl.work, &jnl.lock);
    else if (!jnl.urgent && clock_ns() < jnl.deadline)
      sleep_until(&jnl.work, &jnl.lock, jnl.deadline);
    else
      commit_locked();
  }
  release(&jnl.lock);
  thread_exit();
}

void log_refuse(void) { jnl.error = -EROFS; }

int log_start(void) {
  return jnl.error ? 0 : kthread_start("log", log_thread, NULL);
}

int log_sync(void) {
  uint64 target;
  int error;

  acquire(&jnl.lock);
  target = jnl.running->n > 0 ? jnl.running->id : jnl.running->id - 1;
  if (jnl.running->n > 0) {
    jnl.urgent = true;
    wakeup(&jnl.work);
  }
  while (jnl.committed < target && !jnl.error)
    sleep(&jnl.done, &jnl.lock);
  error = jnl.committed < target;
  release(&jnl.lock);
  return error ? -EIO : 0;
}
