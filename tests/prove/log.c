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
 * Blocks are small, and so is the log; a header has two sectors even so.
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
  b->status = block_do(d, b);
  b->done(b);
}

void *kalloc_zero(enum page_owner owner) {
  claim(owner == PAGE_KERNEL);
  header_page.n = 0;
  return trouble && any_bool() ? NULL : &header_page;
}

void *kalloc_pages(int order, enum page_owner owner) {
  uint *p = copy_pages + taken * PGSIZE / sizeof(uint);

  claim(owner == PAGE_KERNEL);
  if (trouble && any_bool())
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

/* The header that is on the disk. */
static uint header_n(void) { return sector_of(LOG, 0)->word[0]; }

static uint header_block(uint i) {
  return sector_of(LOG, (i + 1) / 2)->word[(i + 1) % 2];
}

/* Does it name blocks of a transaction: at home, each once? */
static bool committed(void) {
  uint n = header_n();

  if (n > fs.sb.nlog - 1)
    return false;
  for (uint i = 0; i < LOGHEADERMAX; i++) {
    if (i >= n)
      continue;
    if (header_block(i) < HOME || header_block(i) >= BLOCKS)
      return false;
    for (uint j = 0; j < i; j++)
      if (header_block(i) == header_block(j))
        return false;
  }
  return true;
}

/* What any sector of any home block must be, once the log is replayed. */
static struct sector replayed(uint block, uint part) {
  uint n = header_n();

  for (uint i = 0; i < LOGHEADERMAX; i++)
    if (i < n && header_block(i) == block)
      return *sector_of(LOG + 1 + i, part);
  return *sector_of(block, part);
}

PROVE(recovery,
      "a committed transaction is replayed, whole and nothing else, though "
      "power and disk fail at any moment of a first try; then the log is empty",
      "any disk of 3 blocks beside a log of up to 2; one cut, any failures",
      "small open --no-array-field-sensitivity --unwind 13 --unwindset "
      "copy_init.0:2,copy_init.1:3,"
      "copy_init.2:5,header_check.0:3,install.0:3,batch_log.0:3,batch_wait.0:1,"
      "block_do.0:5,committed.0:4,committed.1:4,replayed.0:4,copy_block.0:5") {
  uint block = HOME + any_below(HOMES), part = any_below(2), n;
  struct sector right;
  int r;

  begin();
  assume(committed());
  right = replayed(block, part);
  n = header_n();
  r = start(true);
  claim(n > 0 || written == 0);
  claim(r == 0 || cut || failed || r == -ENOMEM);
  if (r == 0 && !cut)
    claim(header_n() == 0 && same(*sector_of(block, part), right));
  reached(cut && header_n() == 2 && !same(*sector_of(block, part), right));
  reached(r == 0 && n == 2);
  r = start(false);
  claim(r == 0 && header_n() == 0);
  claim(same(*sector_of(block, part), right));
  reached(n == 2);
}

PROVE(refused,
      "nothing is written if the header cannot be a transaction's, or if the "
      "disk is read-only",
      "any disk of 3 blocks beside a log of up to 2",
      "small --no-array-field-sensitivity --unwind 13 --unwindset "
      "copy_init.0:2,copy_init.1:3,"
      "copy_init.2:5,header_check.0:3,install.0:3,batch_log.0:3,batch_wait.0:1,"
      "block_do.0:5,committed.0:4,committed.1:4,copy_block.0:5") {
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

static struct txn *any_transaction(struct buf *bufs, uint contents[][4]) {
  static struct bpage page; /* not a file's */
  struct txn *t = &jnl.txn[0];

  t->n = 1 + any_below(fs.sb.nlog - 1);
  for (uint i = 0; i < LOGHEADERMAX; i++) {
    bufs[i].data = (char *)contents[i];
    bufs[i].blockno = HOME + any_below(HOMES);
    bufs[i].page = &page;
    t->buf[i] = &bufs[i];
    for (uint j = 0; j < i; j++)
      assume(bufs[i].blockno != bufs[j].blockno);
  }
  return t;
}

PROVE(commit,
      "after a commit that a power cut or the disk stops at any moment, and "
      "recovery, all blocks of the transaction are new or all are old, and no "
      "other has changed; all are new if the commit said that it is done",
      "transactions of up to 2 blocks on such a disk; one cut, any failures",
      "small open --no-array-field-sensitivity --unwind 13 --unwindset "
      "copy_init.0:2,copy_init.1:3,copy_init.2:5,"
      "header_check.0:3,install.0:3,batch_log.0:3,batch_wait.0:1,block_do.0:5,"
      "sift_down.0:2,sort.0:2,sort.1:3,copy_blocks.0:4,copy_block.0:5,"
      "any_transaction.0:4,any_transaction.1:4") {
  static struct buf bufs[LOGHEADERMAX];
  static uint contents[LOGHEADERMAX][4];
  struct sector old[HOMES];
  bool is_new = true, is_old = true;
  uint part = any_below(2);
  struct txn *t;
  int r;

  begin();
  sector_of(LOG, 0)->word[0] = 0;
  for (uint i = 0; i < HOMES; i++)
    old[i] = *sector_of(HOME + i, part);
  assume(start(false) == 0);
  any_bytes(contents);
  t = any_transaction(bufs, contents);
  trouble = true;
  copy_blocks(t);
  r = write_copy();
  claim(r == 0 || failed);
  if (cut)
    r = -EIO; /* nobody was told */
  claim(start(false) == 0 && header_n() == 0);
  for (uint i = 0; i < HOMES; i++) {
    struct sector now = *sector_of(HOME + i, part), wanted = old[i];

    for (uint j = 0; j < LOGHEADERMAX; j++)
      if (j < t->n && bufs[j].blockno == HOME + i)
        wanted =
            (struct sector){{contents[j][2 * part], contents[j][2 * part + 1]}};
    is_new = is_new && same(now, wanted);
    is_old = is_old && same(now, old[i]);
  }
  claim(is_new || (is_old && r < 0));
  reached(is_new && !is_old && r < 0);
  reached(is_old && !is_new && cut);
  reached(t->n == 2 && r == 0);
}
