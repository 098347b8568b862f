/*
 * fsck: does a file system image (include/abi/fs.h) make sense?
 *
 *   fsck [-q] [-r] IMAGE
 *
 * Nothing is repaired; each inconsistency is named on a line of its own. With
 * -r a transaction that the log holds is first taken into account, as a mount
 * would do (in memory: the image does not change). -q: say nothing but what is
 * wrong. Exit status: 0 consistent, 1 not, 2 no file system, or unreadable.
 *
 * Four passes, each of which relies on what the ones before have found:
 *   1 superblock and log: where things are
 *   2 inodes: type, size, and which inode owns which block
 *   3 bitmap: against the owners
 *   4 directories, from the root: entries, ".", "..", link counts, what no
 *     name leads to
 * No number of the image is used before it has been checked, so that no image
 * can do worse than be reported.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/fs.h"
#include "abi/stat.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the image is read as this machine lays out numbers");

#define LOG_MIN 2
#define STRAY_BLOCKS 4 /* of a page, 4096 bytes */
#define EXIT_INCONSISTENT 1
#define EXIT_UNUSABLE 2

/* What is found out about an inode. */
struct info {
  bool ok;       /* in use, and its dinode can be believed */
  bool reached;  /* a directory that a path from the root leads to */
  uint names;    /* entries that name it, "." and ".." not counted */
  uint children; /* directories in it */
  uint parent;   /* a directory: the one whose entry led here */
};

static uchar *image;
static uint64 image_size; /* bytes */
static struct superblock sb;
static uint first_data;
static uint *owner; /* of each block: an inode number, or 0 */
static struct info *info;
static bool quiet;
static uint64 problems;

static void problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void unusable(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

static void problem(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  putchar('\n');
  problems++;
}

/* What is normal after a crash. */
static void note(const char *fmt, ...) {
  va_list ap;

  if (quiet)
    return;
  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  putchar('\n');
}

static void unusable(const char *fmt, ...) {
  va_list ap;

  fflush(stdout);
  va_start(ap, fmt);
  fputs("fsck: ", stderr);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fputc('\n', stderr);
  exit(EXIT_UNUSABLE);
}

static void *block(uint b) { return image + (uint64)b * BSIZE; }

static void *array(uint64 n, size_t size) {
  void *p = calloc(n, size);

  if (p == NULL)
    unusable("out of memory");
  return p;
}

static uint64 divide_up(uint64 a, uint64 b) { return (a + b - 1) / b; }

/* --- pass 1: superblock and log --- */

static void open_image(const char *path) {
  FILE *f = fopen(path, "rb");
  off_t size;

  if (f == NULL || fseeko(f, 0, SEEK_END) < 0 || (size = ftello(f)) < 0)
    unusable("%s: %s", path, strerror(errno));
  image_size = size;
  if (image_size < 2 * BSIZE)
    unusable("%s: too short for a file system", path);
  /* private: replaying the log does not change the file */
  image =
      mmap(NULL, image_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(f), 0);
  if (image == MAP_FAILED)
    unusable("%s: %s", path, strerror(errno));
  fclose(f);
}

static void check_superblock(void) {
  memcpy(&sb, block(1), sizeof(sb));
  if (sb.magic != FSMAGIC)
    unusable("superblock: the magic number is 0x%x, not 0x%x", sb.magic,
             FSMAGIC);
  if (sb.size > image_size / BSIZE)
    unusable("superblock: size is %u blocks, the image has %lu", sb.size,
             (unsigned long)(image_size / BSIZE));
  if (sb.ninodes <= ROOTINO)
    unusable("superblock: there are %u inodes", sb.ninodes);
  if (sb.nlog < LOG_MIN || sb.nlog > LOGHEADERMAX + 1)
    unusable("superblock: the log has %u blocks", sb.nlog);
  if (sb.nblocks == 0 || sb.nblocks >= sb.size)
    unusable("superblock: %u of %u blocks are for data", sb.nblocks, sb.size);
  first_data = sb.size - sb.nblocks;
  if (sb.logstart < 2)
    unusable("superblock: the log begins at block %u", sb.logstart);
  if (sb.inodestart < (uint64)sb.logstart + sb.nlog)
    unusable("superblock: log and inodes overlap");
  if (sb.bmapstart < sb.inodestart + divide_up(sb.ninodes, IPB))
    unusable("superblock: inodes and bitmap overlap");
  if (first_data < sb.bmapstart + divide_up(sb.size, BPB))
    unusable("superblock: bitmap and data overlap");
}

/* Is the log's header sound? */
static bool check_log(const struct logheader *h) {
  uint64 before = problems;

  if (h->n > sb.nlog - 1)
    problem("log: the header says %u blocks, there is room for %u", h->n,
            sb.nlog - 1);
  for (uint i = 0; problems == before && i < h->n; i++)
    if (h->block[i] < sb.inodestart || h->block[i] >= sb.size)
      problem("log: entry %u is for block %u, which cannot be logged", i,
              h->block[i]);
  return problems == before;
}

static void log_pass(bool replay) {
  const struct logheader *h = block(sb.logstart);

  if (!check_log(h) || h->n == 0)
    return;
  if (!replay) {
    problem(
        "log: a committed transaction of %u blocks is not installed (see "
        "-r)",
        h->n);
    return;
  }
  note("log: replayed %u blocks, in memory only", h->n);
  for (uint i = 0; i < h->n; i++)
    memcpy(block(h->block[i]), block(sb.logstart + 1 + i), BSIZE);
}

/* --- pass 2: inodes --- */

static struct dinode *dinode(uint inum) {
  return (struct dinode *)block(IBLOCK(inum, sb)) + inum % IPB;
}

static bool is_dir(uint inum) {
  return info[inum].ok && dinode(inum)->type == T_DIR;
}

/* A block number in an inode: is it one that the inode can have? */
static bool claim(uint inum, uint b, const char *what) {
  if (b == 0)
    return false;
  if (b < first_data || b >= sb.size) {
    problem("inode %u: %s block %u is outside the data area", inum, what, b);
    return false;
  }
  if (owner[b] != 0) {
    problem("inode %u: %s block %u belongs to inode %u", inum, what, b,
            owner[b]);
    return false;
  }
  owner[b] = inum;
  return true;
}

/* Blocks that a file of this size has no use for. A write that ends half way,
 * because its process is killed, may leave a page's worth of them. */
static void check_beyond_size(uint inum, uint beyond) {
  uint size = dinode(inum)->size;

  if (beyond > STRAY_BLOCKS)
    problem("inode %u: %u blocks beyond its size of %u bytes", inum, beyond,
            size);
  else if (beyond > 0)
    note(
        "inode %u: %u blocks beyond its size of %u bytes, as a write that was "
        "cut short leaves them",
        inum, beyond, size);
}

static void claim_blocks(uint inum) {
  const struct dinode *d = dinode(inum);
  const uint *indirect =
      block(d->addrs[NDIRECT] < sb.size ? d->addrs[NDIRECT] : 0);
  uint used = divide_up(d->size, BSIZE), beyond = 0;

  for (uint i = 0; i < NDIRECT; i++)
    beyond += claim(inum, d->addrs[i], "data") && i >= used;
  if (claim(inum, d->addrs[NDIRECT], "indirect"))
    for (uint i = 0; i < NINDIRECT; i++)
      beyond += claim(inum, indirect[i], "data") && NDIRECT + i >= used;
  check_beyond_size(inum, beyond);
}

static void check_inode(uint inum) {
  const struct dinode *d = dinode(inum);

  if (d->type == 0)
    return;
  if (d->type != T_DIR && d->type != T_FILE && d->type != T_DEVICE) {
    problem("inode %u: type %d", inum, d->type);
    return;
  }
  info[inum].ok = true;
  if (d->nlink < 0)
    problem("inode %u: %d links", inum, d->nlink);
  if (d->size > MAXFILE * BSIZE)
    problem("inode %u: a size of %u bytes; %lu is the largest", inum, d->size,
            (unsigned long)MAXFILE * BSIZE);
  if (d->type == T_DIR && d->size % sizeof(struct dirent) != 0)
    problem("inode %u: a directory of %u bytes, not whole entries", inum,
            d->size);
  claim_blocks(inum);
}

static void inode_pass(void) {
  for (uint inum = ROOTINO; inum < sb.ninodes; inum++)
    check_inode(inum);
}

/* --- pass 3: bitmap --- */

static bool marked(uint b) {
  const uchar *bits = block(BBLOCK(b, sb));

  return bits[b % BPB / 8] & 1 << b % 8;
}

static void bitmap_pass(void) {
  for (uint b = 0; b < first_data; b++)
    if (!marked(b))
      problem("bitmap: block %u is not for data, but marked free", b);
  for (uint b = first_data; b < sb.size; b++) {
    uint first = b;

    if (owner[b] != 0 && !marked(b))
      problem("bitmap: block %u of inode %u is marked free", b, owner[b]);
    while (b < sb.size && owner[b] == 0 && marked(b))
      b++;
    if (b == first)
      continue;
    if (b - first == 1)
      problem("bitmap: block %u is marked in use, but nobody's", first);
    else
      problem("bitmap: blocks %u to %u are marked in use, but nobody's", first,
              b - 1);
    b--;
  }
}

/* --- pass 4: directories --- */

/* Block bn of a file, or NULL for a hole or a number that makes no sense. */
static void *file_block(uint inum, uint bn) {
  const struct dinode *d = dinode(inum);
  uint b = bn < NDIRECT ? d->addrs[bn] : d->addrs[NDIRECT];

  if (bn >= NDIRECT && b >= first_data && b < sb.size)
    b = ((uint *)block(b))[bn - NDIRECT];
  return b >= first_data && b < sb.size ? block(b) : NULL;
}

/* Entry i of a directory, or NULL. */
static struct dirent *entry(uint inum, uint i) {
  const uint per_block = BSIZE / sizeof(struct dirent);
  struct dirent *e = file_block(inum, i / per_block);

  return e != NULL ? e + i % per_block : NULL;
}

static uint entries(uint inum) {
  uint size = dinode(inum)->size;

  return (size < MAXFILE * BSIZE ? size : MAXFILE * BSIZE) /
         sizeof(struct dirent);
}

static bool named(const struct dirent *e, const char *name) {
  return strncmp(e->name, name, DIRSIZ) == 0;
}

/* A name as text, with what cannot be printed as '?'. */
static const char *text(const struct dirent *e) {
  static char buf[DIRSIZ + 1];

  memset(buf, 0, sizeof(buf));
  for (int i = 0; i < DIRSIZ && e->name[i]; i++)
    buf[i] = e->name[i] >= ' ' && e->name[i] <= '~' ? e->name[i] : '?';
  return buf;
}

static int compare_names(const void *a, const void *b) {
  const struct dirent *const *x = a, *const *y = b;

  return strncmp((*x)->name, (*y)->name, DIRSIZ);
}

static void check_duplicates(uint dir) {
  struct dirent **sorted = array(entries(dir) + 1, sizeof(*sorted)), *e;
  uint n = 0;

  for (uint i = 0; i < entries(dir); i++)
    if ((e = entry(dir, i)) != NULL && e->inum != 0)
      sorted[n++] = e;
  qsort(sorted, n, sizeof(*sorted), compare_names);
  for (uint i = 1; i < n; i++)
    if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
      problem("directory %u: two entries '%s'", dir, text(sorted[i]));
  free(sorted);
}

/* "." and "..": each there, and naming the right directory. */
static void check_dots(uint dir) {
  bool self = false, up = false;

  for (uint i = 0; i < entries(dir); i++) {
    const struct dirent *e = entry(dir, i);

    if (e == NULL || e->inum == 0)
      continue;
    if (named(e, ".")) {
      self = true;
      if (e->inum != dir)
        problem("directory %u: '.' names inode %u", dir, e->inum);
    } else if (named(e, "..")) {
      up = true;
      if (e->inum != info[dir].parent)
        problem("directory %u: '..' names inode %u, its parent is %u", dir,
                e->inum, info[dir].parent);
    }
  }
  if (!self)
    problem("directory %u: no entry '.'", dir);
  if (!up)
    problem("directory %u: no entry '..'", dir);
}

/* An entry that is neither "." nor "..". True if it names a directory that
 * has not been reached before. */
static bool check_entry(uint dir, const struct dirent *e) {
  uint inum = e->inum;

  if (e->name[0] == '\0' || memchr(e->name, '/', strnlen(e->name, DIRSIZ)))
    problem("directory %u: '%s' is no name", dir, text(e));
  if (inum >= sb.ninodes) {
    problem("directory %u: '%s' names inode %u of %u", dir, text(e), inum,
            sb.ninodes);
    return false;
  }
  if (!info[inum].ok) {
    problem("directory %u: '%s' names inode %u, which is free or damaged", dir,
            text(e), inum);
    return false;
  }
  info[inum].names++;
  if (!is_dir(inum))
    return false;
  info[dir].children++;
  if (info[inum].reached) {
    problem("directory %u: '%s' is a second name of directory %u", dir, text(e),
            inum);
    return false;
  }
  info[inum].reached = true;
  info[inum].parent = dir;
  return true;
}

/* Visit the directories that can be reached, each once. */
static void walk(void) {
  uint *queue = array(sb.ninodes, sizeof(uint)), head = 0, tail = 0;

  info[ROOTINO].reached = true;
  info[ROOTINO].parent = ROOTINO;
  queue[tail++] = ROOTINO;
  while (head < tail) {
    uint dir = queue[head++];

    for (uint i = 0; i < entries(dir); i++) {
      const struct dirent *e = entry(dir, i);

      if (e != NULL && e->inum != 0 && !named(e, ".") && !named(e, "..") &&
          check_entry(dir, e))
        queue[tail++] = e->inum;
    }
    check_dots(dir);
    check_duplicates(dir);
  }
  free(queue);
}

/* An inode without links: one that was open when the system stopped. The root
 * cannot be. */
static bool is_orphan(uint inum) {
  return inum != ROOTINO && dinode(inum)->nlink == 0 && info[inum].names == 0;
}

static void check_links(uint inum) {
  const struct info *in = &info[inum];
  uint expected = in->names;

  if (is_dir(inum))
    expected = 1 + in->children;
  if (is_orphan(inum))
    note("inode %u: no links; the next mount frees it", inum);
  else if (is_dir(inum) && !in->reached)
    problem("inode %u: a directory that no path leads to", inum);
  else if (inum != ROOTINO && in->names == 0)
    problem("inode %u: %d links, but no name", inum, dinode(inum)->nlink);
  else if ((uint)dinode(inum)->nlink != expected)
    problem("inode %u: %d links, should be %u", inum, dinode(inum)->nlink,
            expected);
}

static void directory_pass(void) {
  if (!is_dir(ROOTINO)) {
    problem("inode %u: the root is no directory", ROOTINO);
    return;
  }
  walk();
  for (uint inum = ROOTINO; inum < sb.ninodes; inum++)
    if (info[inum].ok)
      check_links(inum);
}

int main(int argc, char **argv) {
  bool replay = false;
  int c;

  while ((c = getopt(argc, argv, "qr")) != -1) {
    if (c == 'q')
      quiet = true;
    else if (c == 'r')
      replay = true;
    else
      argc = 0;
  }
  if (optind + 1 != argc) {
    fprintf(stderr, "usage: fsck [-q] [-r] IMAGE\n");
    return EXIT_UNUSABLE;
  }
  open_image(argv[optind]);
  check_superblock();
  owner = array(sb.size, sizeof(*owner));
  info = array(sb.ninodes, sizeof(*info));
  log_pass(replay);
  inode_pass();
  bitmap_pass();
  directory_pass();
  if (!quiet)
    printf("%s: %s\n", argv[optind],
           problems == 0 ? "consistent" : "NOT consistent");
  free(owner);
  free(info);
  return problems == 0 ? 0 : EXIT_INCONSISTENT;
}
