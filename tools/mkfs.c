/*
 * mkfs: make a file system image (include/abi/fs.h) that holds some files.
 *
 *   mkfs [-s SIZE] [-i INODES] [-l LOGBLOCKS] IMAGE [[NAME=]FILE]...
 *
 * NAME=@MAJOR makes a character device of that number.
 *
 * Nothing is fixed: what is not given follows from the files and the size.
 * Data blocks are handed out from the first on, so that the bitmap is written
 * last, as one run of ones. The image is written beside IMAGE and renamed when
 * it is complete: an interrupted mkfs leaves the old one as it was.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/fs.h"
#include "abi/stat.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the image is written as this machine lays out numbers");
_Static_assert(sizeof(struct dinode) == 64 && sizeof(struct dirent) == 16,
               "the format on disk");

#define INODES_MAX 65535UL /* dirent.inum is a ushort; number 0 is not used */
#define LOG_MIN 11         /* header and the 10 blocks of one operation */
#define LOG_MAX (LOGHEADERMAX + 1)
#define SIZE_DEFAULT (16UL << 20) /* bytes, if the files need no more */
#define SIZE_MAX_BYTES ((uint64)UINT32_MAX * BSIZE)
#define BYTES_PER_INODE 8192 /* of the image, unless -i says otherwise */
#define SPARE_INODES 32      /* beyond the files given, at least */

/* A file to put into the root directory. */
struct item {
  const char *path;
  char name[DIRSIZ + 1];
  uint64 size;
  short major;   /* of a device; 0: it is a file */
  bool replaced; /* a later one has the same name */
};

struct options {
  uint64 size;   /* bytes; 0: computed */
  uint64 inodes; /* 0: computed */
  uint64 log;    /* blocks with the header; 0: computed */
  const char *image;
  struct item *items;
  int count;
};

static char temporary[4096]; /* the image while it is being written, or "" */
static FILE *image;
static struct superblock sb;
static uint first_data; /* number of the first data block */
static uint next_block; /* the next one that is free */
static uint next_inode = ROOTINO;

static void die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

static void die(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  fputs("mkfs: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputc('\n', stderr);
  va_end(ap);
  if (temporary[0])
    remove(temporary);
  exit(1);
}

static void usage(void) {
  fprintf(stderr,
          "usage: mkfs [-s SIZE] [-i INODES] [-l LOGBLOCKS] IMAGE "
          "[[NAME=]FILE]...\n"
          "  SIZE in bytes, or with K, M or G behind\n");
  exit(2);
}

static uint64 blocks_of(uint64 bytes) { return (bytes + BSIZE - 1) / BSIZE; }

static uint64 divide_up(uint64 a, uint64 b) { return (a + b - 1) / b; }

/* --- arguments --- */

static uint64 number(const char *text, bool units) {
  char *rest;
  uint64 n;
  int shift = 0;

  errno = 0;
  n = strtoull(text, &rest, 10);
  if (units && *rest != '\0' && strchr("KMGkmg", *rest)) {
    shift = *rest == 'K' || *rest == 'k'   ? 10
            : *rest == 'M' || *rest == 'm' ? 20
                                           : 30;
    rest++;
  }
  if (text[0] < '0' || text[0] > '9' || *rest != '\0' || errno || n == 0 ||
      n > SIZE_MAX_BYTES >> shift)
    die("%s: not a number that makes sense here", text);
  return n << shift;
}

/* NAME=FILE, or FILE, whose last part is the name; the _ that build systems of
 * the xv6 family put before program names is dropped from it. */
static void item_init(struct item *it, char *arg) {
  char *equals = strchr(arg, '=');
  const char *name = arg;
  FILE *f;
  long size;

  it->path = arg;
  if (equals != NULL) {
    *equals = '\0';
    it->path = equals + 1;
  } else {
    if (strrchr(arg, '/') != NULL)
      name = strrchr(arg, '/') + 1;
    if (name[0] == '_')
      name++;
  }
  if (name[0] == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 ||
      strcmp(name, "..") == 0)
    die("%s: '%s' cannot be a name in the root directory", it->path, name);
  if (strlen(name) > DIRSIZ)
    die("%s: the name '%s' has more than %d characters", it->path, name,
        DIRSIZ);
  strcpy(it->name, name);
  if (it->path[0] == '@') {
    it->major = atoi(it->path + 1);
    if (it->major <= 0)
      die("%s: a device's number is from 1 on", it->path);
    return;
  }
  f = fopen(it->path, "rb");
  if (f == NULL || fseek(f, 0, SEEK_END) < 0 || (size = ftell(f)) < 0)
    die("%s: %s", it->path, strerror(errno));
  fclose(f);
  if ((uint64)size > MAXFILE * BSIZE)
    die("%s: %ld bytes; the largest file is %lu", it->path, size,
        (unsigned long)MAXFILE * BSIZE);
  it->size = size;
}

static void items_init(struct options *o, char **args) {
  o->items = calloc(o->count + 1, sizeof(*o->items));
  if (o->items == NULL)
    die("out of memory");
  for (int i = 0; i < o->count; i++) {
    item_init(&o->items[i], args[i]);
    for (int j = 0; j < i; j++)
      if (strcmp(o->items[j].name, o->items[i].name) == 0)
        o->items[j].replaced = true;
  }
}

static void parse(struct options *o, int argc, char **argv) {
  int c;

  while ((c = getopt(argc, argv, "s:i:l:")) != -1) {
    if (c == 's')
      o->size = number(optarg, true);
    else if (c == 'i')
      o->inodes = number(optarg, false);
    else if (c == 'l')
      o->log = number(optarg, false);
    else
      usage();
  }
  if (optind >= argc)
    usage();
  o->image = argv[optind];
  o->count = argc - optind - 1;
  items_init(o, argv + optind + 1);
}

/* --- what goes where --- */

/* Data blocks that the files and the root directory take. */
static uint64 blocks_needed(const struct options *o) {
  uint64 n = blocks_of((o->count + 2) * sizeof(struct dirent)) + 1;

  for (int i = 0; i < o->count; i++) {
    uint64 blocks = blocks_of(o->items[i].size);

    if (!o->items[i].replaced)
      n += blocks + (blocks > NDIRECT);
  }
  return n;
}

static void layout(struct options *o) {
  uint64 needed = blocks_needed(o), meta, bitmap, inode_blocks;

  if (o->size == 0)
    o->size =
        2 * needed * BSIZE > SIZE_DEFAULT ? 4 * needed * BSIZE : SIZE_DEFAULT;
  sb.magic = FSMAGIC;
  sb.size = o->size / BSIZE;
  if (o->inodes == 0) {
    o->inodes = o->size / BYTES_PER_INODE;
    if (o->inodes < (uint64)o->count + SPARE_INODES)
      o->inodes = o->count + SPARE_INODES;
    if (o->inodes > INODES_MAX)
      o->inodes = INODES_MAX;
  }
  if (o->inodes > INODES_MAX || o->inodes < (uint64)o->count + 2)
    die("%lu inodes: %d files need %d, and %lu is the most there can be",
        (unsigned long)o->inodes, o->count, o->count + 2, INODES_MAX);
  if (o->log == 0)
    o->log = sb.size / 16 < LOG_MIN   ? LOG_MIN
             : sb.size / 16 > LOG_MAX ? LOG_MAX
                                      : sb.size / 16;
  if (o->log < LOG_MIN || o->log > LOG_MAX)
    die("a log of %lu blocks: it takes %d to %lu", (unsigned long)o->log,
        LOG_MIN, (unsigned long)LOG_MAX);
  inode_blocks = divide_up(o->inodes, IPB);
  bitmap = divide_up(sb.size, BPB);
  meta = 2 + o->log + inode_blocks + bitmap;
  if (meta + needed > sb.size)
    die("%lu blocks of %d bytes are needed, and a size of %lu bytes has %u",
        (unsigned long)(meta + needed), BSIZE, (unsigned long)o->size, sb.size);
  sb.ninodes = o->inodes;
  sb.nlog = o->log;
  sb.logstart = 2;
  sb.inodestart = sb.logstart + sb.nlog;
  sb.bmapstart = sb.inodestart + inode_blocks;
  sb.nblocks = sb.size - meta;
  first_data = next_block = meta;
}

/* --- writing --- */

static void write_at(uint64 offset, const void *data, size_t n) {
  if (fseeko(image, offset, SEEK_SET) < 0 || fwrite(data, 1, n, image) != n)
    die("%s: %s", temporary, strerror(errno));
}

static void write_block(uint blockno, const void *data) {
  write_at((uint64)blockno * BSIZE, data, BSIZE);
}

/* A file's content comes from a stream or from memory, block by block. */
static void read_block(struct item *it, FILE *f, char *block, size_t n) {
  memset(block, 0, BSIZE);
  if (fread(block, 1, n, f) != n)
    die("%s: it changed while being read", it->path);
}

/* Give an inode its number and `blocks` data blocks, in order. */
static uint inode_write(short type, short major, uint64 size, uint *first) {
  struct dinode d = {.type = type, .major = major, .nlink = 1, .size = size};
  uint indirect[NINDIRECT] = {0};
  uint blocks = blocks_of(size), inum = next_inode++;

  *first = next_block;
  for (uint i = 0; i < blocks; i++) {
    if (i < NDIRECT)
      d.addrs[i] = next_block++;
    else
      indirect[i - NDIRECT] = next_block++;
  }
  if (blocks > NDIRECT) {
    d.addrs[NDIRECT] = next_block++;
    write_block(d.addrs[NDIRECT], indirect);
  }
  write_at((uint64)IBLOCK(inum, sb) * BSIZE + inum % IPB * sizeof(d), &d,
           sizeof(d));
  return inum;
}

static uint file_write(struct item *it) {
  char block[BSIZE];
  uint first, inum;
  FILE *f;

  if (it->major > 0)
    return inode_write(T_DEVICE, it->major, 0, &first);
  inum = inode_write(T_FILE, 0, it->size, &first);
  f = fopen(it->path, "rb");
  if (f == NULL)
    die("%s: %s", it->path, strerror(errno));
  for (uint64 off = 0; off < it->size; off += BSIZE) {
    read_block(it, f, block, it->size - off < BSIZE ? it->size - off : BSIZE);
    write_block(first++, block);
  }
  fclose(f);
  return inum;
}

static void entry_set(struct dirent *e, uint inum, const char *name) {
  e->inum = inum;
  memcpy(e->name, name, strlen(name)); /* the rest is 0 already */
}

/* The root directory's inode must be the first, and its size is known. */
static void root_write(struct options *o) {
  uint entries = 2, first;
  struct dirent *dir;

  for (int i = 0; i < o->count; i++)
    entries += !o->items[i].replaced;
  if (entries * sizeof(struct dirent) > MAXFILE * BSIZE)
    die("%d files are too many for one directory", o->count);
  dir = calloc(blocks_of(entries * sizeof(*dir)), BSIZE);
  if (dir == NULL)
    die("out of memory");
  inode_write(T_DIR, 0, entries * sizeof(*dir), &first);
  entry_set(&dir[0], ROOTINO, ".");
  entry_set(&dir[1], ROOTINO, "..");
  entries = 2;
  for (int i = 0; i < o->count; i++)
    if (!o->items[i].replaced)
      entry_set(&dir[entries++], file_write(&o->items[i]), o->items[i].name);
  for (uint i = 0; i < blocks_of(entries * sizeof(*dir)); i++)
    write_block(first + i, (char *)dir + (size_t)i * BSIZE);
  free(dir);
}

/* Every block below next_block is in use. */
static void bitmap_write(void) {
  for (uint start = 0; start < next_block; start += BPB) {
    uchar bits[BSIZE] = {0};
    uint n = next_block - start < BPB ? next_block - start : BPB;

    memset(bits, 0xff, n / 8);
    if (n % 8)
      bits[n / 8] = (1 << n % 8) - 1;
    write_block(BBLOCK(start, sb), bits);
  }
}

int main(int argc, char **argv) {
  struct options o = {0};
  char block[BSIZE] = {0};

  parse(&o, argc, argv);
  layout(&o);
  if (snprintf(temporary, sizeof(temporary), "%s.tmp%ld", o.image,
               (long)getpid()) >= (int)sizeof(temporary))
    die("%s: the path is too long", o.image);
  image = fopen(temporary, "w+b");
  if (image == NULL)
    die("%s: %s", temporary, strerror(errno));
  if (ftruncate(fileno(image), (off_t)sb.size * BSIZE) < 0)
    die("%s: %s", temporary, strerror(errno));
  memcpy(block, &sb, sizeof(sb));
  write_block(1, block);
  root_write(&o);
  bitmap_write();
  if (fflush(image) != 0 || fclose(image) != 0)
    die("%s: %s", temporary, strerror(errno));
  if (rename(temporary, o.image) < 0)
    die("%s: %s", o.image, strerror(errno));
  free(o.items);
  return 0;
}
