/*
 * The log, kernel/fs/log.c: power cuts, and requests that fail.
 *
 * The disk has a cache: what is written is there for good after the next flush;
 * until then a power cut may lose each sector of it or not. So the cut, at any
 * moment, is one that a flush finds to have come before it: any part of the
 * writes since the last one is on the disk. From then on nothing gets there.
 *
 *   requests:   write write flush write write write flush ...
 *                                ^----- any of these ----^ cut
 *
 * Blocks are small, and so is the log; a header has two sectors even so. What
 * decides where requests go, the block numbers of a transaction and the most that
 * one request can have, is tried in all ways one after the other, so that the
 * checker knows it; contents, cuts and failures are its own to choose.
 */
#include "prove.h"

#include "abi/fs.h"
#include "dev/block.h"
#include "mm/kalloc.h"
#include "pte.h"

#undef BSIZE
#undef LOGHEADERMAX
#undef SECTOR_SIZE
#undef PGSIZE
#define BSIZE 16
#define LOGHEADERMAX 2
#define SECTOR_SIZE 8
#define PGSIZE 32
#undef ORDER_MAX
#define ORDER_MAX 1

/* A block is copied, and a whole structure is cleared. */
#define LIB_STRING_H
#define memcpy(dst, src, n) copy_block(dst, src)
#define memset(dst, c, n) (*(dst) = (__typeof__(*(dst))){0})

static void copy_block(void *dst, const void *src) {
  for (uint i = 0; i < BSIZE / sizeof(uint); i++)
    ((uint *)dst)[i] = ((const uint *)src)[i];
}

#include "../../kernel/fs/log.c"

#define LOG 0 /* block numbers */
#define HOME (LOG + 1 + LOGHEADERMAX)
#define HOMES 3
#define BLOCKS (HOME + HOMES)

struct sector {
  uint word[SECTOR_SIZE / sizeof(uint)];
};

static struct sector on_disk[BLOCKS * SECTORS_PER_BLOCK];
static struct sector cached[BLOCKS * SECTORS_PER_BLOCK];
static bool pending[BLOCKS * SECTORS_PER_BLOCK]; /* written, but not flushed */
static bool trouble; /* power cuts and failures may come */
static bool cut, failed;
static uint written; /* write requests that were made */

struct mount fs;
static struct blockdev disk;
static struct logheader header_page;
static uint copy_pages[COPY_PAGES_MAX * PGSIZE / sizeof(uint)];
static uint taken;
static int memory = -1; /* requests for it until one fails; or never */

static bool same(struct sector a, struct sector b) {
  return a.word[0] == b.word[0] && a.word[1] == b.word[1];
}

/* One of the writes that have not been flushed is on disk now, or is not. */
static void settle(uint sector, bool is) {
  if (pending[sector] && is)
    on_disk[sector] = cached[sector];
  pending[sector] = false;
}

static void settle_all(bool flushed) {
  for (uint i = 0; i < NELEM(pending); i++)
    settle(i, flushed || any_bool());
}

static void move(enum bio_op op, uint64 sector, uint *data) {
  if (op == BIO_READ) {
    struct sector *s = pending[sector] ? &cached[sector] : &on_disk[sector];

    data[0] = s->word[0];
    data[1] = s->word[1];
  } else {
    settle(sector, any_bool());
    cached[sector].word[0] = data[0];
    cached[sector].word[1] = data[1];
    pending[sector] = true;
  }
}

int block_do(struct blockdev *d, struct bio *b) {
  claim(d == &disk);
  if (b->op == BIO_FLUSH) {
    if (trouble && any_bool())
      cut = true;
    settle_all(!cut);
  } else {
    claim(b->sectors > 0 && b->sectors <= d->max_sectors);
    claim(b->sector < NELEM(on_disk));
    claim(b->sectors <= NELEM(on_disk) - b->sector);
    claim(b->op == BIO_READ || !d->readonly);
    written += b->op == BIO_WRITE;
    for (uint i = 0; i < b->sectors && !cut; i++)
      move(b->op, b->sector + i, (uint *)b->data + i * NELEM(cached[0].word));
  }
  if (trouble && any_bool()) {
    failed = true;
    return -EIO;
  }
  return 0;
}

void block_submit(struct blockdev *d, struct bio *b) {
  claim(b->done == batch_done);
  b->status = block_do(d, b);
  batch_done(b);
}

void *kalloc_zero(enum page_owner owner) {
  claim(owner == PAGE_KERNEL);
  if (memory-- == 0)
    return NULL;
  header_page.n = 0;
  return &header_page;
}

void *kalloc_pages(int order, enum page_owner owner) {
  uint *p = copy_pages + taken * PGSIZE / sizeof(uint);

  claim(owner == PAGE_KERNEL);
  if (memory-- == 0)
    return NULL;
  taken += 1U << order;
  claim(taken <= COPY_PAGES_MAX);
  return p;
}

void acquire(struct spinlock *lk) {
  claim(lk == &jnl.lock || lk == &batch.lock);
}
void release(struct spinlock *lk) {
  claim(lk == &jnl.lock || lk == &batch.lock);
}
void initlock(struct spinlock *lk, const char *name) { lk->name = name; }
void waitq_init(struct waitq *q, const char *name) { claim(q && name); }
void wakeup(struct waitq *q) { claim(q == &batch.wait); }
void sleep(struct waitq *q, struct spinlock *lk) { claim(q == NULL && lk); }
void printf(const char *fmt, ...) { claim(fmt != NULL); }
bool fs_may_complain(void) { return any_bool(); }

/* The computer is switched on. */
static int start(bool any_trouble) {
  settle_all(false);
  cut = failed = false;
  written = taken = 0;
  trouble = any_trouble;
  return log_init();
}

static struct sector *sector_of(uint block, uint i) {
  return &on_disk[block * SECTORS_PER_BLOCK + i];
}

/* A disk with any content, and a log of any size. */
static void begin(void) {
  any_bytes(on_disk);
  for (uint i = 0; i < NELEM(pending); i++)
    pending[i] = false;
  fs.disk = &disk;
  fs.sb.logstart = LOG;
  fs.sb.nlog = 1 + 1 + any_below(LOGHEADERMAX);
  fs.sb.inodestart = HOME;
  fs.sb.size = BLOCKS;
  disk.max_sectors = SECTORS_PER_BLOCK + any_below(SECTORS_PER_BLOCK + 1);
  disk.readonly = false;
}

/* The blocks of a transaction: one or two that differ. */
struct choice {
  uint n, block[LOGHEADERMAX];
};

/* 0 to 2: one; 3 to 5: two in order; 6 to 8: these the other way round. */
static struct choice choice(uint number) {
  uint first = (number % 3) / 2, second = 1 + (number % 3 + 1) / 2;

  if (number < 3)
    return (struct choice){1, {HOME + number}};
  if (number < 6)
    return (struct choice){2, {HOME + first, HOME + second}};
  return (struct choice){2, {HOME + second, HOME + first}};
}

/* How often to try: with requests of one block, and of several. */
#define TRIES (LOGHEADERMAX * (TO - FROM + 1))

static struct choice begin_choice(uint number) {
  begin();
  disk.max_sectors = (1 + number % LOGHEADERMAX) * SECTORS_PER_BLOCK;
  fs.sb.nlog = 1 + LOGHEADERMAX;
  return choice(FROM + number / LOGHEADERMAX);
}

/* The header that is on the disk. */
static uint header_n(void) { return sector_of(LOG, 0)->word[0]; }

static uint header_block(uint i) {
  return sector_of(LOG, (i + 1) / 2)->word[(i + 1) % 2];
}

/* It has what a choice says, as known to the checker. */
static void header_put(struct choice c) {
  sector_of(LOG, 0)->word[0] = c.n;
  for (uint i = 0; i < c.n; i++)
    sector_of(LOG, (i + 1) / 2)->word[(i + 1) % 2] = c.block[i];
}

/* The computer is switched on again after a cut, or not; no trouble any more. Of
 * a transaction, the header has all or nothing. */
static void start_again(struct choice c) {
  settle_all(false);
  if (header_n() == 0) {
    sector_of(LOG, 0)->word[0] = 0;
    claim(start(false) == 0 && written == 0);
    return;
  }
  claim(header_n() == c.n);
  for (uint i = 0; i < c.n; i++)
    claim(header_block(i) == c.block[i]);
  header_put(c);
  claim(start(false) == 0 && header_n() == 0);
}

/* What any sector of any home block must be, once the log is replayed. */
static struct sector replayed(struct choice c, uint block, uint part) {
  for (uint i = 0; i < c.n; i++)
    if (c.block[i] == block)
      return *sector_of(LOG + 1 + i, part);
  return *sector_of(block, part);
}

static void try_recovery(struct choice c) {
  struct sector right[HOMES][2];
  bool all = true;
  int r;

  header_put(c);
  for (uint i = 0; i < 2 * HOMES; i++)
    right[i / 2][i % 2] = replayed(c, HOME + i / 2, i % 2);
  r = start(true);
  claim(r == 0 || cut || failed);
  for (uint i = 0; i < 2 * HOMES; i++)
    all &= same(*sector_of(HOME + i / 2, i % 2), right[i / 2][i % 2]);
  if (r == 0 && !cut)
    claim(header_n() == 0 && all);
  reached(cut && header_n() == c.n && !all);
  reached(r == 0 && !cut);
  start_again(c);
  for (uint i = 0; i < 2 * HOMES; i++)
    claim(same(*sector_of(HOME + i / 2, i % 2), right[i / 2][i % 2]));
}

PROVE(
    recovery_one,
    "a committed transaction is replayed, whole and nothing else, though "
    "power and disk fail at any moment of a first try; then the log is empty; "
    "without memory nothing is written",
    "any disk of 3 blocks beside a log of 2; a transaction of any one block; "
    "one cut, any failures",
    "small -DFROM=0 -DTO=2 --unwind 13") {
  begin();
  fs.sb.nlog = 1 + LOGHEADERMAX;
  for (int n = 0; n < 2; n++) {
    memory = n;
    claim(start(false) == -ENOMEM && written == 0);
  }
  memory = -1;
  for (uint i = 0; i < TRIES; i++)
    try_recovery(begin_choice(i));
}

PROVE(recovery_two, "the same",
      "the same; a transaction of any two blocks, in order",
      "small -DFROM=3 -DTO=5 --unwind 13") {
  for (uint i = 0; i < TRIES; i++)
    try_recovery(begin_choice(i));
}

PROVE(refused,
      "nothing is written if the header cannot be a transaction's, or if the "
      "disk is read-only",
      "any disk of 3 blocks beside a log of up to 2",
      "small -DFROM=0 -DTO=0 --no-array-field-sensitivity --unwind 13 "
      "--unwindset "
      "copy_init.0:2,copy_init.1:3,"
      "copy_init.2:5,header_check.0:3,install.0:3,batch_log.0:3,batch_wait.0:1,"
      "block_do.0:5,copy_block.0:5") {
  bool valid = true;
  uint n;
  int r;

  begin();
  disk.readonly = any_bool();
  n = header_n();
  for (uint i = 0; i < LOGHEADERMAX; i++)
    if (i < n && (header_block(i) < HOME || header_block(i) >= BLOCKS))
      valid = false;
  valid = valid && n <= fs.sb.nlog - 1;
  r = start(false);
  claim(valid || r == -EUCLEAN);
  claim(!valid || !disk.readonly || r == (n > 0 ? -EROFS : 0));
  claim((valid && !disk.readonly && n > 0) || written == 0);
  reached(r == -EUCLEAN && n == 2);
  reached(r == 0 && written > 0);
}

/* The transaction that runs has blocks with any contents, in this order. */
static struct txn *transaction(struct choice c, struct buf *bufs,
                               uint contents[][4]) {
  static struct bpage pages[LOGHEADERMAX]; /* not a file's */
  struct txn *t = &jnl.txn[0];

  t->n = c.n;
  for (uint i = 0; i < c.n; i++) {
    bufs[i].data = (char *)contents[i];
    bufs[i].blockno = c.block[i];
    pages[i].data = bufs[i].data;
    bufs[i].page = &pages[i];
    t->buf[i] = &bufs[i];
  }
  return t;
}

static void try_commit(struct choice c) {
  static struct buf bufs[LOGHEADERMAX];
  static uint contents[LOGHEADERMAX][4];
  struct sector old[HOMES][2], new[HOMES][2];
  bool is_new = true, is_old = true, was_cut;
  struct txn *t;
  int r;

  sector_of(LOG, 0)->word[0] = 0;
  claim(start(false) == 0);
  any_bytes(contents);
  for (uint i = 0; i < 2 * HOMES; i++)
    old[i / 2][i % 2] = new[i / 2][i % 2] = *sector_of(HOME + i / 2, i % 2);
  for (uint i = 0; i < 2 * c.n; i++)
    new[c.block[i / 2] - HOME][i % 2] = (struct sector){
        {contents[i / 2][2 * (i % 2)], contents[i / 2][2 * (i % 2) + 1]}};
  t = transaction(c, bufs, contents);
  trouble = true;
  copy_blocks(t);
  r = write_copy();
  claim(r == 0 || failed);
  was_cut = cut;
  if (c.n == 2 && c.block[0] > c.block[1]) /* they are sorted in the log */
    c = (struct choice){2, {c.block[1], c.block[0]}};
  start_again(c);
  for (uint i = 0; i < 2 * HOMES; i++) {
    struct sector now = *sector_of(HOME + i / 2, i % 2);

    is_new &= same(now, new[i / 2][i % 2]);
    is_old &= same(now, old[i / 2][i % 2]);
  }
  claim(is_new || (is_old && (r < 0 || was_cut)));
  reached(is_new && !is_old && r < 0);
  reached(is_old && !is_new && was_cut);
  reached(r == 0 && !was_cut);
}

PROVE(commit_one,
      "after a commit that a power cut or the disk stops at any moment, and "
      "recovery, all blocks of the transaction are new or all are old, and no "
      "other has changed; all are new if the commit said that it is done",
      "any disk of 3 blocks beside a log of 2; a transaction of any one block; "
      "one cut, any failures",
      "small -DFROM=0 -DTO=2 --unwind 13") {
  for (uint i = 0; i < TRIES; i++)
    try_commit(begin_choice(i));
}

PROVE(commit_two, "the same", "the same; any two blocks, in order",
      "small -DFROM=3 -DTO=5 --unwind 13") {
  for (uint i = 0; i < TRIES; i++)
    try_commit(begin_choice(i));
}

PROVE(commit_unsorted, "the same", "the same; any two blocks, out of order",
      "small -DFROM=6 -DTO=8 --unwind 13") {
  for (uint i = 0; i < TRIES; i++)
    try_commit(begin_choice(i));
}
