/*
 * Mapped files. There is nothing to copy: a mapping shows the pages of the
 * cache that read() and write() work on, too.
 *
 *   page fault -> hold(): the page, filled ----------------> page-table entry
 *
 *   a write fault through a shared mapping:
 *      hold(write): blocks for all of the page that is in the file
 *                   into inode.dirty, bpage.writable = true --> entry with W
 *
 *   write-back (msync, sync, the last unmapping, every FLUSH_NS):
 *      bpage.writable = false
 *      memobject_protect(): no entry has W any more
 *      log_write() of the page's blocks: the log copies them when it commits
 *      out of inode.dirty
 *
 *   a file that is about to grow over such a page:
 *      the first two, and zeros beyond the old end; the page stays dirty. The
 *      next write faults, for what is now in the file may have no blocks yet.
 *
 * Who is told of an error: what can fail for one page (no block left, a block
 * that cannot be read) fails in the write fault, which ends the program that
 * writes, or the system call that writes for it. After that a page only has to
 * go through the log. So a write-back fails only if the log has failed, which is
 * for good: whoever asks, log_sync() tells him, each time. No error is met where
 * nobody listens, as in the thread or the last unmapping.
 *
 * Invariants:
 *   - An entry of a shared mapping has W only if its page is writable. hold()
 *     gives up the inode's lock before the fault makes the entry, so the fault
 *     asks attached() under the page-table's lock: a write-back in between
 *     cleared `writable` before, and one that comes later finds the entry.
 *   - A page that is writable is dirty, and has blocks for all that is in the
 *     file.
 *   - In the same way an entry is only made for a page that is part of its file
 *     (bpage.cached): truncation clears that, then removes the entries.
 *   - A page that is not writable holds zeros beyond the end of the file.
 *   - The list of a dirty page has a reference to it, the list of inodes with
 *     dirty pages one to the inode.
 *
 * Locks: space->lock (of who faults), begin_op, inode, object; [d] list.lock is
 * a spin lock; the inode table's comes below it. One write-back of all at a time
 * (list.one), so that who calls sync waits for what another is just writing.
 */
#include "fs/filemap.h"

#include "fs/bcache.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/mount.h"
#include "lib/string.h"
#include "sched/thread.h"

#define FLUSH_NS (5 * NSEC_PER_SEC)
#define HOLE_BLOCKS 5 /* that filling a hole may change: ipage_alloc() */

static struct {
  struct sleeplock one; /* around filemap_sync() */
  struct spinlock lock;
  struct list inodes; /* [d] struct inode.dirtynode */
  uint n;             /* [d] inodes in it */
  bool later;         /* there is work for iput_later() */
  struct waitq wait;  /* for the first, or that */
} list;

void filemap_init(void) {
  initsleeplock(&list.one, "filemap");
  initlock(&list.lock, "dirty inodes");
  list_init(&list.inodes);
  waitq_init(&list.wait, "dirty pages");
}

static struct inode *inode_of(struct memobject *o) {
  return container_of(o, struct inode, object);
}

/* --- which pages are dirty --- */

static void set_writable(struct bpage *p, bool writable) {
  __atomic_store_n(&p->writable, writable, __ATOMIC_RELEASE);
}

/* Mappings may write to the page from now on. The inode is locked. */
static void mark_dirty(struct inode *ip, struct bpage *p) {
  set_writable(p, true);
  if (!list_empty(&p->dirtylink))
    return;
  bpage_ref(p);
  list_add_back(&ip->dirty, &p->dirtylink);
  acquire(&list.lock);
  if (list_empty(&ip->dirtynode)) {
    idup(ip);
    list_add_back(&list.inodes, &ip->dirtynode);
    if (list.n++ == 0)
      wakeup(&list.wait);
  }
  release(&list.lock);
}

void filemap_clean(struct bpage *p) {
  set_writable(p, false);
  if (list_empty(&p->dirtylink))
    return;
  list_remove(&p->dirtylink);
  bpage_put(p);
}

bool filemap_protect(struct inode *ip, struct bpage *p) {
  if (!p->writable)
    return false;
  set_writable(p, false);
  memobject_protect(&ip->object, p->number);
  return true;
}

/* Is the inode in the list? */
static bool listed(struct inode *ip) {
  bool r;

  acquire(&list.lock);
  r = !list_empty(&ip->dirtynode);
  release(&list.lock);
  return r;
}

/* Take the inode out of the list if it has no dirty page left; it is locked.
 * True: the caller now has the list's reference. */
static bool unlist(struct inode *ip) {
  bool out;

  acquire(&list.lock);
  out = list_empty(&ip->dirty) && !list_empty(&ip->dirtynode);
  if (out) {
    list_remove(&ip->dirtynode);
    list.n--;
  }
  release(&list.lock);
  return out;
}

/* --- holding pages --- */

static bool peek(struct memobject *o, uint64 index, struct objpage *page) {
  struct inode *ip = inode_of(o);
  struct bpage *p;

  if (index >= fpages(isize(ip)) || (p = fpage_find(ip->inum, index)) == NULL)
    return false;
  if (!bpage_valid(p)) {
    bpage_put(p);
    return false;
  }
  *page = (struct objpage){.page = p->data, .inner = p};
  return true;
}

/* The inode is locked. */
static int hold_locked(struct inode *ip, uint64 index, struct bpage **p) {
  return index < fpages(ip->size) ? ipage(ip, index, p) : -ENXIO;
}

static int hold_to_read(struct inode *ip, uint64 index, struct bpage **p) {
  int r = ilock(ip);

  if (r < 0)
    return r;
  r = hold_locked(ip, index, p);
  iunlock(ip);
  return r;
}

/* The first block of a page that is in the file but not on the disk; PER_PAGE
 * if there is none. */
static uint first_hole(struct inode *ip, struct bpage *p) {
  for (uint i = 0; i < PER_PAGE; i++) {
    if ((uint64)p->number * PGSIZE + i * BSIZE >= ip->size)
      break;
    if (p->buf[i].blockno == 0)
      return i;
  }
  return PER_PAGE;
}

/* Give one hole of a page a block, inside an operation. 1: there are more. */
static int fill_hole(struct inode *ip, struct bpage *p) {
  uint i = first_hole(ip, p);
  int r = i < PER_PAGE ? ipage_alloc(ip, p, i) : 0;

  return r < 0 ? r : first_hole(ip, p) < PER_PAGE;
}

/* A hole for each operation, so that the smallest log has room for it. */
static int hold_to_write(struct inode *ip, uint64 index, struct bpage **p) {
  int r;

  do {
    r = begin_op(HOLE_BLOCKS);
    if (r < 0)
      return r;
    r = ilock(ip);
    if (r == 0) {
      r = hold_locked(ip, index, p);
      if (r == 0) {
        r = fill_hole(ip, *p);
        if (r == 0)
          mark_dirty(ip, *p);
        else
          bpage_put(*p);
      }
      iunlock(ip);
    }
    end_op(HOLE_BLOCKS);
  } while (r > 0);
  return r;
}

static int hold(struct memobject *o, uint64 index, bool write,
                struct objpage *page) {
  struct inode *ip = inode_of(o);
  struct bpage *p;
  int r;

  if (!write && peek(o, index, page))
    return 0;
  r = write ? hold_to_write(ip, index, &p) : hold_to_read(ip, index, &p);
  if (r == 0)
    *page = (struct objpage){.page = p->data, .inner = p, .write = write};
  return r;
}

static bool attached(struct memobject *o, struct objpage *page) {
  struct bpage *p = page->inner;

  (void)o;
  return __atomic_load_n(&p->cached, __ATOMIC_ACQUIRE) &&
         (!page->write || __atomic_load_n(&p->writable, __ATOMIC_ACQUIRE));
}

static void drop(struct memobject *o, struct objpage *page) {
  (void)o;
  bpage_put(page->inner);
}

/* --- writing back --- */

/* The dirty page with the lowest number in [first, last), or NULL. */
static struct bpage *next_dirty(struct inode *ip, uint64 first, uint64 last) {
  struct bpage *best = NULL;

  list_for_each (l, &ip->dirty) {
    struct bpage *p = list_entry(l, struct bpage, dirtylink);

    if (p->number >= first && p->number < last &&
        (best == NULL || p->number < best->number))
      best = p;
  }
  return best;
}

/* Log a page that nobody can write to through a mapping any more. It is a hole
 * where the file has grown and nothing was written since. */
static void log_page(struct inode *ip, struct bpage *p) {
  uint64 start = (uint64)p->number * PGSIZE;

  if (ip->size - start < PGSIZE)
    memset(p->data + (ip->size - start), 0, PGSIZE - (ip->size - start));
  for (uint i = 0; i < PER_PAGE && start + i * BSIZE < ip->size; i++)
    if (p->buf[i].blockno != 0)
      log_write(&p->buf[i]);
}

/* The inode is locked, inside an operation. */
static void write_page(struct inode *ip, struct bpage *p) {
  filemap_protect(ip, p);
  log_page(ip, p);
  filemap_clean(p);
}

/* Hand the dirty pages in [first, last) to the log, each once. If that has
 * failed they stay dirty, and log_sync() tells. */
static void write_back(struct inode *ip, uint64 first, uint64 last) {
  while (first < last && listed(ip) && begin_op(PER_PAGE) == 0) {
    struct bpage *p;
    bool out;

    acquiresleep(&ip->lock); /* a file with dirty pages has been read */
    p = next_dirty(ip, first, last);
    first = p != NULL ? p->number + 1 : last;
    if (p != NULL)
      write_page(ip, p);
    out = unlist(ip);
    releasesleep(&ip->lock);
    end_op(PER_PAGE);
    if (out)
      iput(ip);
  }
}

static int sync(struct memobject *o, uint64 first, uint64 last) {
  write_back(inode_of(o), first, last);
  return log_sync();
}

/* The one in the list for longest, with a reference; it goes to the end. */
static struct inode *next_inode(void) {
  struct inode *ip = NULL;
  struct list *l;

  acquire(&list.lock);
  l = list_pop(&list.inodes);
  if (l != NULL) {
    ip = idup(list_entry(l, struct inode, dirtynode));
    list_add_back(&list.inodes, l);
  }
  release(&list.lock);
  return ip;
}

void filemap_sync(void) {
  uint n;

  acquiresleep(&list.one);
  acquire(&list.lock);
  n = list.n;
  release(&list.lock);
  while (n-- > 0) {
    struct inode *ip = next_inode();

    if (ip == NULL)
      break;
    write_back(ip, 0, fpages(MAXSIZE));
    iput(ip);
  }
  releasesleep(&list.one);
}

void filemap_iput_later(void) {
  acquire(&list.lock);
  list.later = true;
  wakeup(&list.wait);
  release(&list.lock);
}

void filemap_release(void) {
  for (uint inum = ROOTINO; inum < fs.sb.ninodes; inum++) {
    struct inode *ip = iget_cached(inum);

    if (ip == NULL)
      continue;
    memobject_release(&ip->object);
    iput(ip);
  }
}

static void flush_thread(void *unused) {
  (void)unused;
  for (;;) {
    uint64 deadline;

    acquire(&list.lock);
    while (list.n == 0 && !list.later)
      sleep(&list.wait, &list.lock);
    list.later = false;
    deadline = clock_ns() + FLUSH_NS;
    while (clock_ns() < deadline)
      sleep_until(&list.wait, &list.lock, deadline);
    release(&list.lock);
    filemap_sync();
    iput_later();
  }
}

int filemap_start(void) { return kthread_start("flush", flush_thread, NULL); }

/* --- references --- */

static void get(struct memobject *o) { idup(inode_of(o)); }

/* With the last mapping what it changed goes to the log, so that the list's
 * reference does not keep the file. */
static void put(struct memobject *o) {
  bool last;

  acquire(&o->lock);
  last = list_empty(&o->regions);
  release(&o->lock);
  if (last)
    write_back(inode_of(o), 0, fpages(MAXSIZE));
  iput(inode_of(o));
}

const struct memobject_ops filemap_ops = {.hold = hold,
                                          .peek = peek,
                                          .attached = attached,
                                          .drop = drop,
                                          .sync = sync,
                                          .get = get,
                                          .put = put};
