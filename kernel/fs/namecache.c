/*
 * The name cache: a table of fixed size, in sets of WAYS entries. A name can be
 * in the set only that its hash gives; a new one takes the place of the set's
 * entries in turn. Nothing has to be freed, and losing an entry costs one
 * search of a directory.
 */
#include "fs/namecache.h"

#include "abi/fs.h"
#include "fs/dir.h"
#include "lib/string.h"
#include "sync/spinlock.h"

#define SETS 512
#define WAYS 4

struct entry {
  uint64 gen; /* 0: free */
  uint off;
  ushort inum;
  char name[DIRSIZ]; /* filled up with zeros */
};

/* All fields: the set's lock. */
static struct set {
  struct spinlock lock;
  uint next; /* entry to be replaced */
  struct entry entry[WAYS];
} sets[SETS];

void namecache_init(void) {
  for (int i = 0; i < SETS; i++)
    sets[i] = (struct set){.lock = SPINLOCK("namecache")};
}

static struct set *set_of(uint64 gen, const char *name) {
  uint64 h = gen;

  for (int i = 0; i < DIRSIZ && name[i]; i++)
    h = (h ^ (uchar)name[i]) * 0x100000001b3UL; /* FNV-1a's prime, 64 bits */
  return &sets[(h ^ h >> 20) % SETS];
}

static struct entry *find_locked(struct set *set, uint64 gen,
                                 const char *name) {
  for (int i = 0; i < WAYS; i++)
    if (set->entry[i].gen == gen && namecmp(set->entry[i].name, name) == 0)
      return &set->entry[i];
  return NULL;
}

bool namecache_find(uint64 gen, const char *name, uint *inum, uint *off) {
  struct set *set = set_of(gen, name);
  struct entry *e;

  acquire(&set->lock);
  e = find_locked(set, gen, name);
  if (e != NULL) {
    *inum = e->inum;
    *off = e->off;
  }
  release(&set->lock);
  return e != NULL;
}

void namecache_set(uint64 gen, const char *name, uint inum, uint off) {
  struct set *set = set_of(gen, name);
  struct entry *e;

  acquire(&set->lock);
  e = find_locked(set, gen, name);
  if (e == NULL)
    e = &set->entry[set->next++ % WAYS];
  *e = (struct entry){.gen = gen, .off = off, .inum = inum};
  memcpy(e->name, name, strnlen(name, DIRSIZ));
  release(&set->lock);
}
