/*
 * Mounting: nothing on the disk is believed before it has been checked.
 *
 *   superblock -> log (replayed if a crash left it full) -> root directory
 *   -> the bitmap, in part
 *   -> the log's thread -> files that a crash left without a name are freed
 */
#include "fs/mount.h"

#include "fs/balloc.h"
#include "fs/bcache.h"
#include "fs/filemap.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/namecache.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kalloc.h"

#define MESSAGES_MAX 50 /* about damage, before they are not shown any more */
#define SECTORS_PER_BLOCK (BSIZE / SECTOR_SIZE)
#define SHRINK_LOOK 512 /* pages of the cache, for some that can go */

_Static_assert(sizeof(struct dinode) == 64 && sizeof(struct dirent) == 16 &&
                   sizeof(struct logheader) == BSIZE &&
                   BSIZE % sizeof(struct dinode) == 0,
               "the format on disk");

/* A directory entry's inum must be able to name each. */
#define INODES_MAX 65536

struct mount fs;

bool fs_may_complain(void) {
  static uint messages;
  uint n = __atomic_add_fetch(&messages, 1, __ATOMIC_RELAXED);

  if (n == MESSAGES_MAX)
    printf("fs: more of the disk makes no sense; check it with fsck\n");
  return n < MESSAGES_MAX;
}

/* --- the superblock --- */

/* The first block behind n items, so many to a block, from block `start`. */
static uint64 region_end(uint64 start, uint64 n, uint64 per_block) {
  return start + (n + per_block - 1) / per_block;
}

static int check_superblock(const struct superblock *sb, uint64 blocks) {
  if (sb->magic != FSMAGIC)
    return fs_damaged("disk %d has no file system (magic number 0x%x)", fs.dev,
                      sb->magic);
  if (sb->size > blocks)
    return fs_damaged("the superblock says %u blocks, the disk has %lu",
                      sb->size, (unsigned long)blocks);
  if (sb->nlog < MAXOPBLOCKS + 1 || sb->nlog > LOGHEADERMAX + 1)
    return fs_damaged("a log of %u blocks", sb->nlog);
  if (sb->ninodes <= ROOTINO || sb->ninodes > INODES_MAX)
    return fs_damaged("there are %u inodes", sb->ninodes);
  if (sb->nblocks == 0 || sb->nblocks >= sb->size)
    return fs_damaged("%u of %u blocks are for data", sb->nblocks, sb->size);
  if (sb->logstart < 2 || sb->inodestart < (uint64)sb->logstart + sb->nlog ||
      sb->bmapstart < region_end(sb->inodestart, sb->ninodes, IPB) ||
      sb->size - sb->nblocks < region_end(sb->bmapstart, sb->size, BPB))
    return fs_damaged(
        "log at %u, inodes at %u, bitmap at %u and data at %u "
        "overlap",
        sb->logstart, sb->inodestart, sb->bmapstart, sb->size - sb->nblocks);
  return 0;
}

static int read_superblock(void) {
  struct bio b = {.op = BIO_READ,
                  .sector = SECTORS_PER_BLOCK,
                  .sectors = SECTORS_PER_BLOCK,
                  .data = kalloc()};
  int r;

  if (b.data == NULL)
    return -ENOMEM;
  r = block_do(fs.disk, &b);
  memcpy(&fs.sb, b.data, sizeof(fs.sb));
  kfree(b.data);
  return r == 0 ? check_superblock(&fs.sb, fs.disk->sectors / SECTORS_PER_BLOCK)
                : r;
}

/* --- the rest --- */

static int check_root(void) {
  struct inode *ip = iget(ROOTINO);
  int r = ip != NULL ? ilock(ip) : -ENOMEM;

  if (r == 0) {
    if (ip->type != T_DIR || ip->nlink == 0)
      r = fs_damaged("the root is no directory (type %d, %d links)", ip->type,
                     ip->nlink);
    iunlock(ip);
  }
  if (r == 0)
    iput(ip);
  return r;
}

/* Does the bitmap know that the root directory's blocks are in use? */
static int check_root_marked(struct inode *ip) {
  uint map = ip->addrs[NDIRECT];
  int r = map != 0 ? balloc_check(map, map + 1) : 0;

  for (uint off = 0; r == 0 && off < ip->size; off += BSIZE) {
    struct buf *b;

    r = iblock(ip, off, &b);
    if (r < 0 || b == NULL)
      continue;
    r = balloc_check(b->blockno, b->blockno + 1);
    bdrop(b);
  }
  return r;
}

/* A bitmap that was lost would have the next write overwrite what is in use.
 * This looks where it is cheap, at what lies before the data and at the root;
 * fsck looks at all. What is wrong makes the file system read-only. */
static int check_bitmap(void) {
  struct inode *ip = iget(ROOTINO);
  int r = ip != NULL ? ilock(ip) : -ENOMEM;

  if (r < 0)
    return r;
  r = balloc_check(0, fs.datastart);
  if (r == 0)
    r = check_root_marked(ip);
  iunlockput(ip);
  if (r != -EUCLEAN)
    return r;
  printf("fs: read-only, as writing would damage more; check it with fsck\n");
  log_refuse();
  return 0;
}

/* When memory runs out. Inodes hold pages of the cache. Who asks may hold a spin
 * lock, and programs may map all pages, so that none can go: a few are looked at.
 * If that is not enough, memory_release() looks at all. */
static size_t shrink(size_t want) {
  size_t freed = bcache_shrink(want, SHRINK_LOOK);

  if (freed < want) {
    inode_shrink();
    freed += bcache_shrink(want - freed, SHRINK_LOOK);
  }
  return freed;
}

static struct reclaimer reclaimer = {.name = "fs", .shrink = shrink};

static int mount(void) {
  int r = read_superblock();

  if (r < 0)
    return r;
  fs.datastart = fs.sb.size - fs.sb.nblocks;
  fs.bitmaps = region_end(0, fs.sb.size, BPB);
  inode_init();
  filemap_init();
  namecache_init();
  balloc_init();
  r = bcache_init(fs.disk, fs.sb.size);
  if (r == 0)
    r = log_init();
  if (r == 0)
    r = check_root();
  if (r == 0)
    r = check_bitmap();
  if (r == 0)
    r = log_start();
  if (r == 0)
    r = filemap_start();
  if (r == 0) {
    reclaimer_register(&reclaimer);
    inode_free_orphans();
  }
  return r;
}

int fs_mount(int dev) {
  int r;

  fs.dev = dev;
  fs.disk = block_device(dev);
  if (fs.disk == NULL) {
    printf("fs: there is no disk %d\n", dev);
    return -ENODEV;
  }
  if (fs.disk->sectors < 2 * SECTORS_PER_BLOCK) {
    printf("fs: disk %d has %lu sectors: too small for a superblock\n", dev,
           (unsigned long)fs.disk->sectors);
    return -EINVAL;
  }
  r = mount();
  if (r < 0)
    printf("fs: disk %d (%s) cannot be mounted: error %d\n", dev, fs.disk->name,
           -r);
  return r;
}

void fs_release(void) {
  fs_sync(); /* what is dirty, or in the log, cannot go */
  filemap_release();
}

int fs_sync(void) {
  filemap_sync();
  iput_later();
  return log_sync();
}
