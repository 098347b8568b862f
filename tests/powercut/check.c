/*
 * check: what a power cut leaves, at thousands of moments of one recording.
 *
 *   check [-n POINTS] [-s SEED] [-j JOBS] IMAGE RECORDING EXPECTED
 *                              POINTS: 0, the default, is all that are not random
 *   check -w POINT,OUT ...     only write the disk as it is at that point
 *   check -c POINT,AFTER ...   only look at what a real boot made of that disk
 *   check -f 0,FINAL ...       only look at a disk after the whole recording
 *
 * POINT is in thousandths of all points.
 *
 * IMAGE is the disk before the workload; RECORDING (tests/powercut/nbd.py) has
 * each write and flush in order, and where among them the workload said that
 * its operations up to some number are safe; EXPECTED (workload.py) has the
 * states that each script's part of the tree goes through.
 *
 *     write write write FLUSH write write FLUSH ...
 *     '--- an epoch ----'
 *
 * What was written before the last flush is on the disk. Of an epoch's writes any
 * part may be, sector by sector (a sector is whole or not at all). A point is
 * an epoch and a choice of such a part:
 *
 *   prefix    the first k writes
 *   torn      the first k, and of the next one: half of it, the other half, only
 *             the first or all but the first sector, some sectors
 *   lost      all but one;  alone   only one
 *   some      every subset, if there are few; else, and of the sectors, random
 *   recovery  the log of a prefix is replayed, and that is cut at each write and
 *             some of its subsets, and replayed again
 *
 * At each point the kernel's own code mounts the disk (so it replays the log and
 * frees files without a name); then tools/fsck must find nothing, no file may
 * have bytes beyond its end, and each script's part of the tree must be one of
 * its states: not before what it said was safe. So every operation is there as
 * a whole or not at all, in order. That goes for different scripts, too: what had
 * ended before another operation began is there if that one is.
 */
/* sources: kernel/fs/balloc.c kernel/fs/bcache.c kernel/fs/content.c kernel/fs/dir.c kernel/fs/file.c kernel/fs/filemap.c kernel/fs/fsops.c kernel/fs/inode.c kernel/fs/log.c kernel/fs/mount.c kernel/fs/namecache.c kernel/fs/path.c kernel/fs/pipe.c kernel/dev/block.c tests/host/fs_fakes.c tests/host/fs_mkfs.c tests/host/fs_fsck.c */
#include <getopt.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs_fakes.h"

#undef printf
#undef snprintf
#include "abi/fs.h"
#include "abi/stat.h"

#define SECTOR 512
#define SCRIPTS 26
#define PATHS 512
#define PATH_SIZE 128
#define PAGE 4096
#define MAPPED_PAGES 3 /* workload.py; the last is in the file in part */
#define SUBSETS 5      /* writes of an epoch whose subsets are all tried */
#define NESTED_RANDOM 3

enum { WRITE, FLUSH, MARK };

struct event {
  uint what, length;
  uint64 offset;
  uchar *data;
};

enum kind { PREFIX, TORN, LOST, ALONE, SOME, RECOVERY, KINDS };
static const char *const kind_names[] = {"prefix", "torn", "lost",
                                         "alone",  "some", "recovery"};

/* Which sectors of a torn write are there. */
enum tear { FIRST_HALF, SECOND_HALF, FIRST_SECTOR, NOT_FIRST, ANY, TEARS };

struct point {
  enum kind kind;
  uint epoch;    /* its first event */
  uint end;      /* the flush that ends it */
  uint k;        /* PREFIX, TORN, RECOVERY: events [epoch, k); LOST, ALONE: k */
  uint how;      /* TORN: enum tear; SOME: subset, or percent */
  uint seed;     /* for what is random; 0: `how` is a subset */
  uint64 marker; /* what was said by then counts: events before this one */
};

struct store {
  uint page, index, value;
};

/* Of the shared clock in user/tests/powercut.c; 0: not known. */
struct times {
  uint begin, end;
};

struct script {
  char name;
  uint nstates, nstores;
  uint *state;
  struct times *time; /* of the operation that led to a state */
  uint first, last; /* states that the tree may be in, if several look alike */
  struct store *store;
};

static struct {
  uchar *image;
  uint64 size;
  struct event *event; /* a flush at the end, even if none was recorded */
  uint nevents;
  struct script script[SCRIPTS];
  uint nscripts;
  struct point *point;
  uint npoints;
} rec;

static uint checked[KINDS]; /* by this process */

static void die(const char *what, const char *which) {
  fprintf(stderr, "check: %s: %s\n", which, what);
  exit(2);
}

/* --- reading --- */

static uchar *load(const char *path, uint64 *size) {
  FILE *f = fopen(path, "rb");
  uchar *data;

  if (f == NULL || fseek(f, 0, SEEK_END) < 0)
    die("cannot be read", path);
  *size = ftell(f);
  rewind(f);
  data = malloc(*size + 1);
  if (data == NULL || fread(data, 1, *size, f) != *size)
    die("cannot be read", path);
  fclose(f);
  return data;
}

/* In the recording: what, length and offset, then the bytes of a write. */
static void load_recording(const char *path) {
  const uint head = 2 * sizeof(uint) + sizeof(uint64);
  uint64 size, at = 0;
  uchar *data = load(path, &size);

  rec.event = calloc(size / head + 1, sizeof(*rec.event));
  while (at + head <= size) {
    struct event *e = &rec.event[rec.nevents++];

    memcpy(&e->what, data + at, sizeof(uint));
    memcpy(&e->length, data + at + sizeof(uint), sizeof(uint));
    memcpy(&e->offset, data + at + 2 * sizeof(uint), sizeof(uint64));
    at += head;
    e->data = data + at;
    if (e->what == WRITE) {
      if (e->offset + e->length > rec.size || at + e->length > size ||
          e->length % SECTOR != 0)
        die("a write makes no sense", path);
      at += e->length;
    }
  }
  rec.event[rec.nevents++].what = FLUSH;
}

static void load_expected(const char *path) {
  FILE *f = fopen(path, "r");
  struct script *s = NULL;
  char what, name;
  uint n;

  if (f == NULL)
    die("cannot be read", path);
  while (fscanf(f, " %c", &what) == 1) {
    if (what == 'P' && fscanf(f, " %c %u", &name, &n) == 2) {
      s = &rec.script[rec.nscripts++];
      s->name = name;
      s->state = calloc(n, sizeof(uint));
      s->time = calloc(n + 1, sizeof(*s->time));
      s->store = calloc(n, sizeof(*s->store));
    } else if (what == 'S' && s != NULL) {
      if (fscanf(f, "%u", &s->state[s->nstates++]) != 1)
        die("makes no sense", path);
    } else if (what == 'T' && s != NULL) {
      struct times t;

      if (fscanf(f, "%u %u %u", &n, &t.begin, &t.end) != 3 || n >= s->nstates)
        die("makes no sense", path);
      s->time[n] = t;
    } else if (what == 'M' && s != NULL) {
      struct store *m = &s->store[s->nstores++];

      if (fscanf(f, "%u %u %u", &m->page, &m->index, &m->value) != 3)
        die("makes no sense", path);
    } else {
      die("makes no sense", path);
    }
  }
  fclose(f);
}

/* --- points --- */

static void add(struct point p) {
  if (rec.npoints % 4096 == 0)
    rec.point = realloc(rec.point, (rec.npoints + 4096) * sizeof(p));
  rec.point[rec.npoints++] = p;
}

static bool is_write(uint i) { return rec.event[i].what == WRITE; }

/* Does anything begin here that recovery will find: a header with blocks? */
static bool is_commit(uint i) {
  const struct superblock *sb = (void *)(rec.image + BSIZE);
  uint n;

  if (!is_write(i) || rec.event[i].offset != (uint64)sb->logstart * BSIZE)
    return false;
  memcpy(&n, rec.event[i].data, sizeof(n));
  return n > 0;
}

static void add_epoch(uint epoch, uint end) {
  uint writes = 0;

  for (uint k = epoch; k <= end; k++) {
    struct point p = {.epoch = epoch, .end = end, .k = k, .marker = k};

    p.kind = PREFIX;
    if (k == epoch || is_write(k - 1) || rec.event[k - 1].what == MARK)
      add(p);
    if (k > epoch && is_commit(k - 1)) {
      p.kind = RECOVERY;
      add(p);
    }
    if (k == end || !is_write(k))
      continue;
    writes++;
    p.kind = TORN;
    p.seed = k + 1;
    for (uint t = 0; t < TEARS && rec.event[k].length > SECTOR; t++) {
      p.how = t;
      if (rec.event[k].length > 2 * SECTOR || t < FIRST_SECTOR)
        add(p);
    }
    p.seed = 0;
    p.marker = end;
    p.kind = LOST;
    add(p);
    p.kind = ALONE;
    add(p);
  }
  for (uint subset = 1; writes <= SUBSETS && subset + 1 < 1U << writes;
       subset++)
    add((struct point){.kind = SOME,
                       .epoch = epoch,
                       .end = end,
                       .how = subset,
                       .marker = end});
}

/* What is random, over all epochs, until there are `wanted`. */
static void add_random(uint wanted, uint seed) {
  uint state = seed * 2654435761U + 1, have = rec.npoints;

  while (rec.npoints < wanted) {
    struct point p = rec.point[random_below(&state, have)];
    uint i = p.epoch;

    while (i < p.end && !is_write(i))
      i++;
    if (i == p.end && random_below(&state, 50) > 0)
      continue; /* nothing was written: a few of these will do */
    p.kind = SOME;
    p.marker = p.end;
    p.how = 5 + random_below(&state, 91);
    p.seed = random_below(&state, 1U << 31) + 1;
    add(p);
  }
}

/* Only so many, chosen at random. */
static void thin(uint wanted, uint seed) {
  uint state = seed * 2654435761U + 1;

  for (uint i = 0; i < wanted; i++) {
    uint other = i + random_below(&state, rec.npoints - i);
    struct point p = rec.point[i];

    rec.point[i] = rec.point[other];
    rec.point[other] = p;
  }
  rec.npoints = wanted;
}

/* By epoch, so that the disk before it is made by going on. */
static int compare_points(const void *a, const void *b) {
  const struct point *p = a, *q = b;

  return p->epoch < q->epoch ? -1 : p->epoch > q->epoch;
}

static void make_points(uint wanted, uint seed) {
  uint epoch = 0;

  for (uint i = 0; i < rec.nevents; i++)
    if (rec.event[i].what == FLUSH) {
      add_epoch(epoch, i);
      epoch = i + 1;
    }
  if (wanted > 0 && wanted < rec.npoints)
    thin(wanted, seed);
  add_random(wanted, seed);
  qsort(rec.point, rec.npoints, sizeof(*rec.point), compare_points);
}

/* --- disks --- */

static void write_sectors(uchar *to, const struct event *e,
                          bool (*wanted)(uint i, uint n, uint how, uint *seed),
                          uint how, uint *seed) {
  uint n = e->length / SECTOR;

  for (uint i = 0; i < n; i++)
    if (wanted == NULL || wanted(i, n, how, seed))
      memcpy(to + e->offset + i * SECTOR, e->data + i * SECTOR, SECTOR);
}

static bool tear_wants(uint i, uint n, uint how, uint *seed) {
  switch (how) {
    case FIRST_HALF:
      return i < n / 2;
    case SECOND_HALF:
      return i >= n / 2;
    case FIRST_SECTOR:
      return i == 0;
    case NOT_FIRST:
      return i > 0;
    default:
      return random_below(seed, 2);
  }
}

static bool percent_wants(uint i, uint n, uint percent, uint *seed) {
  (void)i, (void)n;
  return random_below(seed, 100) < percent;
}

/* In half of the random points writes are there as a whole or not at all. */
static bool some_wants(const struct point *p, uint write, uint *seed) {
  if (p->seed == 0)
    return p->how >> write & 1;
  return p->seed % 2 || random_below(seed, 100) < p->how;
}

/* The disk at a point, from what it was when the epoch began. */
static void cut(const struct point *p, const uchar *before) {
  uint seed = p->seed, write = 0;

  memcpy(disk->data, before, rec.size);
  disk->size = rec.size;
  for (uint i = p->epoch; i < p->end; i++) {
    const struct event *e = &rec.event[i];
    bool there = false;

    if (e->what != WRITE)
      continue;
    if (p->kind == PREFIX || p->kind == TORN || p->kind == RECOVERY)
      there = i < p->k;
    else if (p->kind == LOST)
      there = i != p->k;
    else if (p->kind == ALONE)
      there = i == p->k;
    else
      there = some_wants(p, write, &seed);
    write++;
    if (p->kind == TORN && i == p->k)
      write_sectors(disk->data, e, tear_wants, p->how, &seed);
    else if (there && p->kind == SOME && p->seed % 2)
      write_sectors(disk->data, e, percent_wants, p->how, &seed);
    else if (there)
      write_sectors(disk->data, e, NULL, 0, NULL);
  }
}

/* Go on from the disk at an epoch's begin to that of another one. */
static void advance(uchar *before, uint *epoch, uint to) {
  for (; *epoch < to; ++*epoch)
    if (is_write(*epoch))
      write_sectors(before, &rec.event[*epoch], NULL, 0, NULL);
}

/* --- what is on a disk: read without the kernel's code --- */

struct name {
  char path[PATH_SIZE];
  uint inum;
};

static struct {
  struct name name[PATHS];
  uint n;
} tree;

static const struct superblock *super(void) {
  return (const void *)(disk->data + BSIZE);
}

static const struct dinode *dinode(uint inum) {
  return (const struct dinode *)(disk->data +
                                 (uint64)IBLOCK(inum, *super()) * BSIZE) +
         inum % IPB;
}

/* A block of a file; NULL: a hole. */
static const uchar *file_block(const struct dinode *d, uint bn) {
  const uint *map =
      (const void *)(disk->data + (uint64)d->addrs[NDIRECT] * BSIZE);
  uint b = bn < NDIRECT        ? d->addrs[bn]
           : d->addrs[NDIRECT] ? map[bn - NDIRECT]
                               : 0;

  return b == 0 ? NULL : disk->data + (uint64)b * BSIZE;
}

static uchar *file_content(const struct dinode *d) {
  static uchar data[MAXFILE * BSIZE];

  for (uint bn = 0; bn * BSIZE < d->size; bn++) {
    const uchar *b = file_block(d, bn);

    if (b != NULL)
      memcpy(data + bn * BSIZE, b, BSIZE);
    else
      memset(data + bn * BSIZE, 0, BSIZE);
  }
  return data;
}

/* The CRC that zlib.crc32() of Python computes (ISO 3309). */
static uint crc32(uint crc, const void *data, size_t n) {
  static uint table[256];

  for (uint i = 0; i < 256 && table[255] == 0; i++) {
    table[i] = i;
    for (int bit = 0; bit < 8; bit++)
      table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
  }
  crc = ~crc;
  for (size_t i = 0; i < n; i++)
    crc = table[(crc ^ ((const uchar *)data)[i]) & 255] ^ crc >> 8;
  return ~crc;
}

static void collect(uint dir, const char *path) {
  const struct dinode *d = dinode(dir);

  for (uint off = 0; off < d->size; off += sizeof(struct dirent)) {
    const uchar *b = file_block(d, off / BSIZE);
    struct dirent e;
    struct name *n;

    if (b == NULL)
      continue;
    memcpy(&e, b + off % BSIZE, sizeof(e));
    if (e.inum == 0 || strncmp(e.name, ".", DIRSIZ) == 0 ||
        strncmp(e.name, "..", DIRSIZ) == 0)
      continue;
    if (tree.n == PATHS)
      die("more than the names there is room for", "the tree");
    n = &tree.name[tree.n++];
    n->inum = e.inum;
    snprintf(n->path, sizeof(n->path), "%s/%.*s", path, DIRSIZ, e.name);
    if (dinode(e.inum)->type == T_DIR)
      collect(e.inum, n->path);
  }
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

static bool is_of(const struct name *n, char script) {
  return strncmp(n->path, "/w/", 3) == 0 && n->path[3] == script;
}

static bool is_mapped(const struct name *n) {
  return n->path[4] == 'm' && n->path[5] == 0;
}

/* One script's part of the tree, as workload.py has it. */
static uint state_of(char script) {
  char line[2 * PATH_SIZE + 64];
  uint crc = 0;

  for (uint i = 0; i < tree.n; i++) {
    const struct name *n = &tree.name[i];
    const struct dinode *d = dinode(n->inum);
    uint first = 0;

    if (!is_of(n, script))
      continue;
    while (tree.name[first].inum != n->inum)
      first++;
    if (d->type == T_DIR)
      snprintf(line, sizeof(line), "%s %d\n", n->path, T_DIR);
    else
      snprintf(line, sizeof(line), "%s %d %d %u %08x %s\n", n->path, d->type,
               d->nlink, d->size,
               is_mapped(n) ? 0 : crc32(0, file_content(d), d->size),
               tree.name[first].path);
    crc = crc32(crc, line, strlen(line));
  }
  return crc;
}

/* --- is it right? --- */

static char complaint[256];

#define complain(...) \
  (snprintf(complaint, sizeof(complaint), __VA_ARGS__), false)

/* How many operations of a script were safe before an event? */
static uint safe(char script, uint before) {
  uint n = 0;

  for (uint i = 0; i < before; i++)
    if (rec.event[i].what == MARK && rec.event[i].length == (uint)script)
      n = rec.event[i].offset;
  return n;
}

/* What was stored last when `since` operations were done, or later. */
static bool check_mapped(const struct script *s, const struct dinode *d,
                         uint since) {
  const uchar *data = file_content(d);

  for (uint page = 0; page < MAPPED_PAGES; page++) {
    bool may[256] = {0};
    uint last = 0;

    for (uint i = 0; i < s->nstores; i++) {
      if (s->store[i].page != page)
        continue;
      if (s->store[i].index <= since)
        last = s->store[i].value;
      else
        may[s->store[i].value] = true;
    }
    may[last] = true;
    may[0] |= page == MAPPED_PAGES - 1; /* when the file grows */
    for (uint at = page * PAGE; at < (page + 1) * PAGE && at < d->size; at++)
      if (!may[data[at]])
        return complain("script %c, mapping: byte %u is %u, safe: %u", s->name,
                        at, data[at], since);
  }
  return true;
}

static bool check_script(struct script *s, uint before) {
  uint since = safe(s->name, before), state = state_of(s->name), i = since;

  while (i < s->nstates && s->state[i] != state)
    i++;
  if (i == s->nstates) {
    for (i = 0; i < since && s->state[i] != state; i++)
      ;
    return i < since ? complain("script %c: as after %u, but %u were safe",
                                s->name, i, since)
                     : complain(
                           "script %c: no state it ever was in (%08x; %u "
                           "were safe)",
                           s->name, state, since);
  }
  s->first = s->last = i;
  for (; i < s->nstates; i++)
    if (s->state[i] == state)
      s->last = i;
  for (uint n = 0; n < tree.n; n++)
    if (is_of(&tree.name[n], s->name) && is_mapped(&tree.name[n]) &&
        !check_mapped(s, dinode(tree.name[n].inum), since))
      return false;
  return true;
}

/* Is something of p there, and not what q had done before that began? */
static bool check_order(const struct script *p, const struct script *q) {
  uint begin = p->time[p->first].begin, end = q->time[q->last + 1].end;

  if (p->first == 0 || begin == 0 || end == 0 || end > begin)
    return true;
  return complain(
      "operation %u of script %c is there, %u of %c is not, which "
      "ended before",
      p->first, p->name, q->last + 1, q->name);
}

/* F5 of docs/fs.md. */
static bool check_tails(void) {
  for (uint inum = ROOTINO; inum < super()->ninodes; inum++) {
    const struct dinode *d = dinode(inum);
    const uchar *b = d->type == T_FILE && d->size % BSIZE != 0
                         ? file_block(d, d->size / BSIZE)
                         : NULL;

    for (uint i = d->size % BSIZE; b != NULL && i < BSIZE; i++)
      if (b[i] != 0)
        return complain("inode %u: byte %u behind the end is %u", inum,
                        d->size / BSIZE * BSIZE + i, b[i]);
  }
  return true;
}

static bool examine(uint before) {
  if (disk_fsck(true) != 0)
    return complain("fsck");
  if (!check_tails())
    return false;
  tree.n = 0;
  collect(ROOTINO, "");
  qsort(tree.name, tree.n, sizeof(*tree.name), compare_names);
  for (uint i = 0; i < rec.nscripts; i++)
    if (!check_script(&rec.script[i], before))
      return false;
  for (uint i = 0; i < rec.nscripts; i++)
    for (uint j = 0; j < rec.nscripts; j++)
      if (!check_order(&rec.script[i], &rec.script[j]))
        return false;
  return true;
}

static void nothing(void *arg) { (void)arg; }

static bool mounts(void) {
  int status = fs_run(nothing, NULL);

  return status == 0 || complain("mount: status %d", status);
}

/* --- recovery is cut, too --- */

static uchar saved[DISK_BYTES];

static void apply(const struct disk_event *e) {
  memcpy(disk->data + e->offset, disk->log + e->data, e->length);
}

/* The requests of a recovery up to `k` reached the disk; of those since the
 * last flush only some. */
static void cut_recovery(uint k, uint percent, uint *seed) {
  uint flushed = 0;

  memcpy(disk->data, saved, rec.size);
  for (uint i = 0; i < k; i++)
    if (disk->event[i].length == 0)
      flushed = i;
  for (uint i = 0; i < k; i++)
    if (i < flushed || percent_wants(0, 0, percent, seed))
      apply(&disk->event[i]);
}

static bool check_recovery(const struct point *p) {
  uint n, seed = p->k + 1;

  memcpy(saved, disk->data, rec.size);
  disk_reset();
  disk->recording = true;
  if (!mounts())
    return false;
  disk->recording = false;
  n = disk->nevents;
  for (uint k = 0; k <= n; k++)
    for (uint round = 0; round <= NESTED_RANDOM; round++) {
      if (round > 0 && (k == 0 || disk->event[k - 1].length == 0))
        continue;
      cut_recovery(k, round == 0 ? 100 : round * 100 / (NESTED_RANDOM + 1),
                   &seed);
      checked[RECOVERY]++;
      if (!mounts() || !examine(p->marker))
        return false;
    }
  return true;
}

/* --- all points --- */

static bool check_point(const struct point *p, const uchar *before) {
  cut(p, before);
  if (p->kind == RECOVERY)
    return check_recovery(p);
  disk_reset();
  checked[p->kind]++;
  return mounts() && examine(p->marker);
}

static void report(uint i) {
  const struct point *p = &rec.point[i];

  printf("point %u (%s, epoch %u to %u, k %u, how %u, seed %u): %s\n", i,
         kind_names[p->kind], p->epoch, p->end, p->k, p->how, p->seed,
         complaint);
}

static void new_disk(void) {
  disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE,
              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  disk_reset();
  disk->size = rec.size;
}

static uchar *disk_at(uint i) {
  uchar *before = malloc(rec.size);
  uint epoch = 0;

  memcpy(before, rec.image, rec.size);
  advance(before, &epoch, rec.point[i].epoch);
  return before;
}

/* Every jobs-th point, until one is wrong. */
static int work(uint job, uint jobs, uint *sums) {
  uchar *before;
  uint epoch = 0;
  int status = 0;

  new_disk();
  before = disk_at(0);
  epoch = rec.point[0].epoch;
  for (uint i = job; i < rec.npoints && status == 0; i += jobs) {
    advance(before, &epoch, rec.point[i].epoch);
    if (!check_point(&rec.point[i], before)) {
      report(i);
      status = 1;
    }
  }
  for (uint k = 0; k < KINDS; k++)
    __atomic_fetch_add(&sums[k], checked[k], __ATOMIC_RELAXED);
  fflush(NULL);
  return status;
}

static int check_all(uint jobs) {
  uint *sums = mmap(NULL, KINDS * sizeof(uint), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int status, bad = 0;
  uint total = 0;

  fflush(NULL);
  for (uint job = 0; job < jobs; job++)
    if (fork() == 0)
      _exit(work(job, jobs, sums));
  while (wait(&status) > 0)
    bad |= status;
  for (uint k = 0; k < KINDS; k++) {
    printf("%s %u%s", kind_names[k], sums[k], k + 1 < KINDS ? ", " : "\n");
    total += sums[k];
  }
  printf("%u points of %u requests: %s\n", total, rec.nevents,
         bad ? "WRONG" : "all as promised");
  return bad != 0;
}

static void write_image(uint i, const char *path) {
  FILE *f = fopen(path, "wb");

  new_disk();
  cut(&rec.point[i], disk_at(i));
  if (f == NULL || fwrite(disk->data, 1, rec.size, f) != rec.size)
    die("cannot be written", path);
  fclose(f);
}

static int check_image(uint i, const char *path) {
  uint64 size;
  uchar *data = load(path, &size);

  new_disk();
  memcpy(disk->data, data, MIN(size, rec.size));
  if (examine(rec.point[i].marker))
    return 0;
  report(i);
  return 1;
}

/* The disk as it was left in the end, whatever happened. */
static int check_final(const char *path) {
  uint64 size;
  uchar *data = load(path, &size);

  new_disk();
  memcpy(disk->data, data, MIN(size, rec.size));
  if (mounts() && examine(rec.nevents))
    return 0;
  printf("at the end: %s\n", complaint);
  return 1;
}

static int run_mode(int mode, uint thousandth, const char *path) {
  uint i = (uint64)thousandth * rec.npoints / 1000;

  if (mode == 'c')
    return check_image(i, path);
  if (mode == 'f')
    return check_final(path);
  write_image(i, path);
  return 0;
}

int main(int argc, char **argv) {
  uint points = 0, seed = 1, jobs = 1, i = 0;
  char *out = NULL;
  int c, mode = 0;

  while ((c = getopt(argc, argv, "n:s:j:w:c:f:")) != -1) {
    if (c == 'n')
      points = atoi(optarg);
    else if (c == 's')
      seed = atoi(optarg);
    else if (c == 'j')
      jobs = atoi(optarg);
    else if (strchr("wcf", c) != NULL && (out = strchr(optarg, ',')) != NULL)
      i = atoi(optarg), mode = c, out++;
    else
      die("see tests/powercut/check.c", "options");
  }
  if (argc - optind != 3)
    die("see tests/powercut/check.c", "options");
  rec.image = load(argv[optind], &rec.size);
  if (rec.size > DISK_BYTES)
    die("too large", argv[optind]);
  load_recording(argv[optind + 1]);
  load_expected(argv[optind + 2]);
  optind = 1; /* fsck looks at options, too */
  make_points(points, seed);
  return mode != 0 ? run_mode(mode, i, out) : check_all(MAX(jobs, 1));
}
