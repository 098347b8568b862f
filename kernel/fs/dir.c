/*
 * Directories. An entry is found by reading the directory's blocks in the
 * buffer cache, in place, unless the name cache knows where it is.
 *
 * dp->room says below which offset there is no free entry, so that filling a
 * directory does not search it from the start each time.
 */
#include "fs/dir.h"

#include "fs/bcache.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/mount.h"
#include "fs/namecache.h"
#include "lib/string.h"

int namecmp(const char *a, const char *b) { return strncmp(a, b, DIRSIZ); }

/* What a search looks for. */
struct want {
  const char *name; /* an entry with this name, or */
  uint inum;        /* with this inode number (0: a free entry) */
};

static bool matches(const struct dirent *e, const struct want *w) {
  if (w->name == NULL)
    return e->inum == w->inum;
  return e->inum != 0 && namecmp(e->name, w->name) == 0;
}

static struct dirent *entry_of(const struct dirslot *slot) {
  return (struct dirent *)(slot->b->data + slot->off % BSIZE);
}

/* Look for an entry from an offset on. 0 or -ENOENT, ... */
static int search(struct inode *dp, uint from, const struct want *w,
                  struct dirslot *slot) {
  uint off = from;

  while (off < dp->size) {
    uint end = MIN(dp->size, (off / BSIZE + 1) * BSIZE);
    int r = iblock(dp, off, &slot->b);

    if (r < 0)
      return r;
    for (; slot->b != NULL && off < end; off += sizeof(struct dirent)) {
      slot->off = off;
      slot->inum = entry_of(slot)->inum;
      if (matches(entry_of(slot), w))
        return 0;
    }
    if (slot->b != NULL)
      bdrop(slot->b);
    off = end;
  }
  return -ENOENT;
}

/* A hit of the name cache: hold the entry's block. */
static int slot_at(struct inode *dp, uint inum, uint off,
                   struct dirslot *slot) {
  int r = iblock(dp, off, &slot->b);

  if (r < 0)
    return r;
  if (slot->b == NULL)
    return -ENOENT;
  slot->off = off;
  slot->inum = inum;
  return 0;
}

int dir_find(struct inode *dp, const char *name, struct dirslot *slot) {
  struct want w = {.name = name};
  uint inum, off;
  int r;

  if (namecache_find(dp->gen, name, &inum, &off))
    return inum != 0 ? slot_at(dp, inum, off, slot) : -ENOENT;
  r = search(dp, 0, &w, slot);
  if (r == 0)
    namecache_set(dp->gen, name, slot->inum, slot->off);
  else if (r == -ENOENT)
    namecache_set(dp->gen, name, 0, 0);
  return r;
}

struct inode *dirlookup(struct inode *dp, const char *name, int *err) {
  struct dirslot slot;
  struct inode *ip;
  uint inum, off;

  *err = 0;
  if (!namecache_find(dp->gen, name, &inum, &off)) {
    *err = dir_find(dp, name, &slot);
    if (*err < 0)
      return NULL;
    inum = slot.inum;
    dirslot_put(&slot);
  }
  if (inum == 0)
    *err = -ENOENT;
  else if (inum >= fs.sb.ninodes)
    *err = fs_damaged("directory %u has an entry for inode %u of %u", dp->inum,
                      inum, fs.sb.ninodes);
  if (*err < 0)
    return NULL;
  ip = iget(inum);
  if (ip == NULL)
    *err = -ENOMEM;
  return ip;
}

int dir_room(struct inode *dp, struct dirslot *slot) {
  struct want w = {.inum = 0};
  int r = search(dp, dp->room, &w, slot);

  if (r == 0)
    dp->room = slot->off;
  if (r != -ENOENT)
    return r;
  slot->off = dp->size;
  slot->inum = 0;
  r = iblock_alloc(dp, slot->off, &slot->b);
  if (r < 0)
    return r == -EFBIG ? -ENOSPC : r;
  dp->size += sizeof(struct dirent); /* the new entry is zero: free */
  dp->room = slot->off;
  iupdate(dp);
  return 0;
}

void dir_set(struct inode *dp, struct dirslot *slot, const char *name,
             uint inum) {
  struct dirent *e = entry_of(slot);

  block_held(slot->b);
  *e = (struct dirent){.inum = inum};
  if (inum != 0)
    memcpy(e->name, name, strnlen(name, DIRSIZ));
  log_write(slot->b);
  brelse(slot->b);
  namecache_set(dp->gen, name, inum, slot->off);
  if (inum == 0)
    dp->room = MIN(dp->room, slot->off);
}

void dirslot_put(struct dirslot *slot) { bdrop(slot->b); }

int dirlink(struct inode *dp, const char *name, uint inum) {
  struct dirslot slot;
  int r = dir_room(dp, &slot);

  if (r < 0)
    return r;
  dir_set(dp, &slot, name, inum);
  dirslot_put(&slot);
  return 0;
}

/* Is this the entry "." or ".."? */
static bool is_dots(const struct dirent *e) {
  return namecmp(e->name, ".") == 0 || namecmp(e->name, "..") == 0;
}

int dir_empty(struct inode *dp) {
  for (uint off = 0; off < dp->size; off += sizeof(struct dirent)) {
    struct dirslot slot = {.off = off};
    bool used = false;
    int r = iblock(dp, off, &slot.b);

    if (r < 0)
      return r;
    if (slot.b == NULL)
      continue;
    used = entry_of(&slot)->inum != 0 && !is_dots(entry_of(&slot));
    dirslot_put(&slot);
    if (used)
      return 0;
  }
  return 1;
}

int dir_name_of(struct inode *dp, uint inum, char *name) {
  struct want w = {.inum = inum};
  struct dirslot slot;
  int r = search(dp, 0, &w, &slot);

  while (r == 0 && is_dots(entry_of(&slot))) {
    dirslot_put(&slot);
    r = search(dp, slot.off + sizeof(struct dirent), &w, &slot);
  }
  if (r < 0)
    return r;
  memcpy(name, entry_of(&slot)->name, DIRSIZ);
  name[DIRSIZ] = '\0';
  dirslot_put(&slot);
  return 0;
}
