/*
 * Inodes: the table of those in memory, and their place on disk. What is in
 * the files is the business of content.c.
 *
 *   iget -> in the table, refs > 0 -> ilock: read from disk if home is NULL
 *   iput -> refs 0: idle, kept for the next iget, the oldest dropped when there
 *           are too many or memory is short; without links: freed on disk, or
 *           tried again later if there was no memory to do so
 *
 * An inode that has been read holds the disk block it lies in (home) and, once
 * used, its indirect block (map) in the buffer cache. So iupdate() cannot
 * fail, and finding a block takes no lookup: operations read what they need
 * first, fail then if they must, and change things when nothing can fail.
 *
 * The pages of a regular file are in the cache by the inode's number, so they
 * outlive the inode in memory.
 *
 * What the disk says is checked when an inode is read (type, size, addrs) or,
 * for the indirect block, at each use.
 *
 * Invariants: bytes of a block beyond the end of the file are zero. The fields
 * in memory equal those in home's buffer whenever the inode is not locked.
 *
 * Lock order: begin_op, tree lock (fsops.c), inode, ialloc/balloc, buffer,
 * inode table. Nobody holds the locks of two data buffers.
 */
#include "fs/inode.h"

#include "debug.h"
#include "fs/balloc.h"
#include "fs/bcache.h"
#include "fs/filemap.h"
#include "fs/log.h"
#include "fs/mount.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/slab.h"

#define HASH_LISTS 256
#define IDLE_MAX 1024 /* inodes that nobody uses but that stay in memory */
#define READ_AHEAD 15 /* blocks of inodes that are read with one that must */

static struct {
  struct spinlock lock;
  struct list hash[HASH_LISTS]; /* [i] struct inode.hash */
  struct list idle;             /* [i] struct inode.idle, the oldest first */
  struct list later;            /* [i] the same; see iput_later() */
  uint nidle, nlater;           /* [i] */
  uint64 last_gen;              /* [i] given to a struct inode.gen */
} itable;

static struct {
  struct sleeplock lock; /* order: directory's inode, this, buffer */
  uint first;            /* [lock] no inode below it is free */
} ifree;

static struct slab_cache inodes =
    SLAB_CACHE(inodes, "inode", sizeof(struct inode));

void inode_init(void) {
  initlock(&itable.lock, "itable");
  for (int i = 0; i < HASH_LISTS; i++)
    list_init(&itable.hash[i]);
  list_init(&itable.idle);
  list_init(&itable.later);
  initsleeplock(&ifree.lock, "ialloc");
  ifree.first = ROOTINO;
}

/* --- the table --- */

/* Without a reference. */
static struct inode *lookup_locked(uint inum) {
  list_for_each (l, &itable.hash[inum % HASH_LISTS]) {
    struct inode *ip = list_entry(l, struct inode, hash);

    if (ip->inum == inum)
      return ip;
  }
  return NULL;
}

static struct inode *find_locked(uint inum) {
  struct inode *ip = lookup_locked(inum);

  if (ip != NULL && ip->refs++ == 0) {
    list_remove(&ip->idle);
    itable.nidle--;
  }
  return ip;
}

uint isize_dirty(uint inum) {
  struct inode *ip;
  uint size;

  acquire(&itable.lock);
  ip = lookup_locked(inum);
  ASSERT(ip != NULL); /* F9 */
  size = isize(ip);
  release(&itable.lock);
  return size;
}

struct inode *iget_cached(uint inum) {
  struct inode *ip;

  acquire(&itable.lock);
  ip = find_locked(inum);
  release(&itable.lock);
  return ip;
}

struct inode *iget(uint inum) {
  struct inode *ip = iget_cached(inum), *new;

  if (ip != NULL)
    return ip;
  new = slab_alloc(&inodes);
  if (new == NULL)
    return NULL;
  new->inum = inum;
  new->refs = 1;
  list_init(&new->idle);
  initsleeplock(&new->lock, "inode");
  memobject_init(&new->object, &filemap_ops);
  list_init(&new->dirty);
  list_init(&new->dirtynode);
  acquire(&itable.lock);
  ip = find_locked(inum); /* somebody may have been faster */
  if (ip == NULL)
    list_add_front(&itable.hash[inum % HASH_LISTS], &new->hash);
  release(&itable.lock);
  if (ip == NULL)
    return new;
  slab_free(&inodes, new);
  return ip;
}

struct inode *idup(struct inode *ip) {
  acquire(&itable.lock);
  debug_count_get(ip->refs, "inode", ip);
  ip->refs++;
  release(&itable.lock);
  return ip;
}

/* Let go of the blocks that an inode holds. */
static void forget(struct inode *ip) {
  if (ip->home != NULL)
    bdrop(ip->home);
  if (ip->map != NULL)
    bdrop(ip->map);
  ip->home = ip->map = NULL;
}

/* Remove an inode that nobody refers to. */
static void drop_locked(struct inode *ip) {
  ASSERT(list_empty(&ip->dirtynode)); /* that list has a reference */
  list_remove(&ip->hash);
  forget(ip);
  slab_free(&inodes, ip);
}

static void drop_oldest_locked(void) {
  itable.nidle--;
  drop_locked(list_entry(list_pop(&itable.idle), struct inode, idle));
}

void inode_shrink(void) {
  if (!acquire_try(&itable.lock))
    return;
  while (itable.nidle > 0)
    drop_oldest_locked();
  release(&itable.lock);
}

/* --- written to, or run as a program --- */

/* One more on the side that counts in direction `by`. */
static int take_side(struct inode *ip, int by) {
  int r = -ETXTBSY;

  acquire(&itable.lock);
  if (ip->writers * by >= 0) {
    ip->writers += by;
    r = 0;
  }
  release(&itable.lock);
  return r;
}

int inode_get_write(struct inode *ip) { return take_side(ip, 1); }

static void leave_side(struct inode *ip, int by) {
  acquire(&itable.lock);
  ASSERT(ip->writers * by > 0);
  ip->writers -= by;
  release(&itable.lock);
}

/* Who makes a mapping has the file open: once there are no writers, there will
 * not be more mappings that write than there are now. */
int inode_deny_write(struct inode *ip) {
  int r = take_side(ip, -1);

  if (r == 0 && memobject_writable(&ip->object)) {
    leave_side(ip, -1);
    r = -ETXTBSY;
  }
  return r;
}

void inode_put_write(struct inode *ip) { leave_side(ip, 1); }
void inode_allow_write(struct inode *ip) { leave_side(ip, -1); }

/* --- freeing --- */

/* Free an inode without links on disk. Nobody else refers to it. If memory is
 * short it waits for iput_later(); if the disk fails, for the next mount. */
static int free_on_disk(struct inode *ip) {
  int r;

  do {
    r = begin_op(itrunc_blocks());
    if (r < 0)
      return r;
    acquiresleep(&ip->lock);
    r = itrunc(ip, 0);
    if (r == 0) {
      ip->type = 0;
      iupdate(ip);
      forget(ip);
    }
    releasesleep(&ip->lock);
    end_op(itrunc_blocks());
  } while (r == -EAGAIN);
  if (r == 0) {
    acquiresleep(&ifree.lock);
    ifree.first = MIN(ifree.first, ip->inum);
    releasesleep(&ifree.lock);
  }
  return r;
}

/* Once it is free on disk, the inode may be taken for a new file at once; if
 * that is unlinked and closed before we are back, it is ours to free again. */
void iput(struct inode *ip) {
  int r = 0;

  acquire(&itable.lock);
  while (r == 0 && ip->refs == 1 && ip->home != NULL && ip->nlink == 0) {
    release(&itable.lock);
    r = free_on_disk(ip);
    acquire(&itable.lock);
  }
  if (r == -ENOMEM) { /* the reference is the list's */
    list_add_back(&itable.later, &ip->idle);
    itable.nlater++;
    release(&itable.lock);
    filemap_iput_later();
    return;
  }
  debug_count_put(ip->refs, "inode", ip);
  if (--ip->refs == 0) {
    if (ip->home == NULL || ip->nlink == 0) {
      drop_locked(ip);
    } else {
      list_add_back(&itable.idle, &ip->idle);
      if (++itable.nidle > IDLE_MAX)
        drop_oldest_locked();
    }
  }
  release(&itable.lock);
}

/* Each is tried once. */
void iput_later(void) {
  struct list *l;

  acquire(&itable.lock);
  for (uint n = itable.nlater; n > 0 && itable.nlater > 0; n--) {
    l = list_pop(&itable.later);
    itable.nlater--;
    release(&itable.lock);
    iput(list_entry(l, struct inode, idle));
    acquire(&itable.lock);
  }
  release(&itable.lock);
}

/* --- reading and writing the inode itself --- */

static struct dinode *dinode_of(struct buf *b, uint inum) {
  return (struct dinode *)b->data + inum % IPB;
}

/* Does an inode that was just read make sense? */
static int check(const struct inode *ip) {
  if (ip->type != T_DIR && ip->type != T_FILE && ip->type != T_DEVICE)
    return fs_damaged("inode %u has type %d", ip->inum, ip->type);
  if (ip->nlink < 0)
    return fs_damaged("inode %u has %d links", ip->inum, ip->nlink);
  if (ip->size > MAXSIZE ||
      (ip->type == T_DIR && ip->size % sizeof(struct dirent) != 0))
    return fs_damaged("inode %u has a size of %u", ip->inum, ip->size);
  for (uint i = 0; i < NELEM(ip->addrs); i++)
    if (ip->addrs[i] != 0 && !fs_data_block(ip->addrs[i]))
      return fs_damaged("inode %u has block %u, which is no data block",
                        ip->inum, ip->addrs[i]);
  return 0;
}

/* Is there nothing in the file, not even beyond its end? Then the cache holds
 * none of its pages, or such as are right for any empty file: holes. */
static bool is_empty(const struct inode *ip) {
  bool empty = ip->size == 0;

  for (uint i = 0; i < NELEM(ip->addrs); i++)
    empty = empty && ip->addrs[i] == 0;
  return empty;
}

static uint64 new_gen(void) {
  uint64 gen;

  acquire(&itable.lock);
  gen = ++itable.last_gen;
  release(&itable.lock);
  return gen;
}

static int load(struct inode *ip) {
  struct dinode *d;
  struct buf *b;
  int r;

  if (ip->inum < ROOTINO || ip->inum >= fs.sb.ninodes)
    return fs_damaged("there is no inode %u", ip->inum);
  r = bhold(IBLOCK(ip->inum, fs.sb), 0, &b);
  if (r < 0)
    return r;
  d = dinode_of(b, ip->inum);
  ip->type = d->type;
  ip->major = d->major;
  ip->minor = d->minor;
  ip->nlink = d->nlink;
  ip->size = d->size;
  memcpy(ip->addrs, d->addrs, sizeof(ip->addrs));
  ip->room = 0;
  ip->pages = is_empty(ip) ? 0 : fpages(MAXSIZE);
  ip->gen = new_gen();
  r = check(ip);
  if (r < 0)
    bdrop(b);
  else
    ip->home = b;
  return r;
}

int ilock(struct inode *ip) {
  int r = 0;

  acquiresleep(&ip->lock);
  if (ip->home == NULL)
    r = load(ip);
  if (r < 0)
    releasesleep(&ip->lock);
  return r;
}

void iunlock(struct inode *ip) { releasesleep(&ip->lock); }

void iunlockput(struct inode *ip) {
  iunlock(ip);
  iput(ip);
}

void iupdate(struct inode *ip) {
  struct dinode *d = dinode_of(ip->home, ip->inum);

  block_held(ip->home);
  d->type = ip->type;
  d->major = ip->major;
  d->minor = ip->minor;
  d->nlink = ip->nlink;
  d->size = ip->size;
  memcpy(d->addrs, ip->addrs, sizeof(ip->addrs));
  log_write(ip->home);
  brelse(ip->home);
}

/* Take the first free inode at or after inum in its block, which is locked;
 * *inum is moved on to it. *ip stays NULL if there is none. */
static int take_free(struct buf *b, uint *inum, short type, struct inode **ip) {
  uint end = MIN((*inum / IPB + 1) * IPB, fs.sb.ninodes);

  for (; *inum < end; ++*inum) {
    struct dinode *d = dinode_of(b, *inum);

    if (d->type != 0)
      continue;
    *ip = iget(*inum);
    if (*ip == NULL)
      return -ENOMEM;
    *d = (struct dinode){.type = type};
    log_write(b);
    return 0;
  }
  return 0;
}

static int ialloc_locked(short type, struct inode **ip) {
  uint inum = ifree.first;
  struct buf *b;
  int r = 0;

  *ip = NULL;
  while (r == 0 && *ip == NULL && inum < fs.sb.ninodes) {
    r = bread(IBLOCK(inum, fs.sb), &b);
    if (r == 0) {
      r = take_free(b, &inum, type, ip);
      brelse(b);
    }
  }
  if (r == 0) {
    ifree.first = inum;
    r = *ip != NULL ? 0 : -ENOSPC;
  }
  return r;
}

int ialloc(short type, struct inode **ip) {
  int r;

  acquiresleep(&ifree.lock);
  r = ialloc_locked(type, ip);
  releasesleep(&ifree.lock);
  return r;
}

void stati(struct inode *ip, struct stat *st) {
  *st = (struct stat){.dev = fs.dev + 1, /* xv6 counts disks from 1 */
                      .ino = ip->inum,
                      .type = ip->type,
                      .nlink = ip->nlink,
                      .size = ip->size};
}

/* A mount looks at all inodes; reading ahead keeps that quick. */
void inode_free_orphans(void) {
  for (uint inum = ROOTINO; inum < fs.sb.ninodes; inum++) {
    uint block = IBLOCK(inum, fs.sb);
    struct inode *ip;
    struct buf *b;
    bool orphan;

    if (bhold(block, MIN(READ_AHEAD, fs.sb.bmapstart - 1 - block), &b) < 0)
      return;
    orphan = dinode_of(b, inum)->type != 0 && dinode_of(b, inum)->nlink == 0;
    bdrop(b);
    if (!orphan || (ip = iget(inum)) == NULL)
      continue;
    if (ilock(ip) == 0)
      iunlock(ip);
    iput(ip);
  }
}
