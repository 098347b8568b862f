/*
 * Open files: descriptors of processes point to them, and dup and fork share
 * them. A file is a pipe's end, an inode with an offset, or a device.
 *
 * The offset is guarded by the inode's lock, so that two processes that share
 * a file never read or write the same bytes twice. While it is held nothing
 * waits for the caller's memory, which may be a mapping of the same file: what
 * is not there is made present in between. Devices move kernel memory
 * only; their bytes go through a buffer here, a page at a time at most.
 */
#include "fs/file.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/mman.h"
#include "debug.h"
#include "dev/chardev.h"
#include "fs/fsops.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/pipe.h"
#include "lib/panic.h"
#include "mm/audit.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "pte.h"
#include "sched/thread.h"
#include "vm/usercopy.h"

#define BOUNCE 128 /* bytes that go through the stack, more through a page */
#define PREFAULT KiB(64) /* bytes of a reader's memory made present at once */

enum file_type { FILE_PIPE, FILE_INODE, FILE_DEVICE };

/* [c] constant; [a] atomic; [s] the inode's lock. */
struct file {
  enum file_type type; /* [c] */
  int refs;            /* [a] */
  bool readable;       /* [c] */
  bool writable;       /* [c] */
  bool append;         /* [c] */
  struct pipe *pipe;   /* [c] FILE_PIPE */
  struct inode *ip;    /* [c] the others */
  struct chardev *dev; /* [c] FILE_DEVICE */
  uint64 off;          /* [s] */
  int found;           /* the self-check's: references */
};

static struct slab_cache files = SLAB_CACHE(files, "file", sizeof(struct file));

/* --- making and closing --- */

static struct file *file_new(struct file init) {
  struct file *f = slab_alloc(&files);

  if (f != NULL) {
    *f = init;
    f->refs = 1;
  }
  return f;
}

/* Truncate, in as many operations as it takes. */
static int truncate(struct inode *ip, uint64 size) {
  int r;

  do {
    r = begin_op(itrunc_blocks());
    if (r < 0)
      return r;
    r = ilock(ip);
    if (r == 0) {
      r = itrunc(ip, size);
      iunlock(ip);
    }
    end_op(itrunc_blocks());
  } while (r == -EAGAIN);
  return r;
}

static bool writes(int flags) { return flags & (O_WRONLY | O_RDWR); }

/* The part of opening a regular file that concerns writing. If flags say that it
 * will be written to, inode_put_write() it when it is closed. */
static int open_to_write(struct inode *ip, int flags) {
  int r = 0;

  if (writes(flags) || (flags & O_TRUNC))
    r = inode_get_write(ip);
  if (r < 0 || !(flags & O_TRUNC))
    return r;
  r = truncate(ip, 0);
  if (r < 0 || !writes(flags))
    inode_put_write(ip);
  return r;
}

/* The inode to open: made if flags say so, its type checked; not locked. */
static struct inode *open_inode(struct inode *cwd, const char *path, int flags,
                                short *type, struct chardev **dev, int *err) {
  struct inode *ip;

  if (flags & O_CREATE) {
    ip = fs_create_file(cwd, path, err);
    if (ip == NULL)
      return NULL;
  } else {
    ip = namei(cwd, path, err);
    if (ip == NULL)
      return NULL;
    *err = ilock(ip);
    if (*err < 0) {
      iput(ip);
      return NULL;
    }
  }
  *type = ip->type;
  if (ip->type == T_DIR && flags != O_RDONLY)
    *err = -EISDIR;
  *dev = ip->type == T_DEVICE ? chardev_find(ip->major) : NULL;
  if (ip->type == T_DEVICE && *dev == NULL)
    *err = -ENXIO;
  iunlock(ip);
  if (*err == 0 && *type == T_FILE)
    *err = open_to_write(ip, flags);
  if (*err == 0)
    return ip;
  iput(ip);
  return NULL;
}

struct file *file_open(struct inode *cwd, const char *path, int flags,
                       int *err) {
  struct chardev *dev;
  struct inode *ip;
  struct file *f;
  short type;

  ip = open_inode(cwd, path, flags, &type, &dev, err);
  if (ip == NULL)
    return NULL;
  f = file_new(
      (struct file){.type = type == T_DEVICE ? FILE_DEVICE : FILE_INODE,
                    .readable = !(flags & O_WRONLY),
                    .writable = writes(flags),
                    .append = flags & O_APPEND,
                    .ip = ip,
                    .dev = dev});
  if (f == NULL) {
    if (type == T_FILE && writes(flags))
      inode_put_write(ip);
    iput(ip);
    *err = -ENOMEM;
  }
  return f;
}

int pipe_alloc(struct file **reader, struct file **writer) {
  struct pipe *p = pipe_new();

  if (p == NULL)
    return -ENOMEM;
  *reader =
      file_new((struct file){.type = FILE_PIPE, .pipe = p, .readable = true});
  *writer =
      file_new((struct file){.type = FILE_PIPE, .pipe = p, .writable = true});
  if (*reader != NULL && *writer != NULL)
    return 0;
  if (*reader != NULL)
    slab_free(&files, *reader);
  if (*writer != NULL)
    slab_free(&files, *writer);
  pipe_close(p, false);
  pipe_close(p, true);
  return -ENOMEM;
}

struct file *file_dup(struct file *f) {
  debug_count_get(f->refs, "file", f);
  __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
  return f;
}

void file_close(struct file *f) {
  int refs;

  debug_count_put(f->refs, "file", f);
  refs = __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL);
  ASSERT(refs >= 0);
  if (refs > 0)
    return;
  if (f->type == FILE_INODE && f->writable)
    inode_put_write(f->ip); /* of directories none is open to write */
  if (f->type == FILE_PIPE)
    pipe_close(f->pipe, f->writable);
  else
    iput(f->ip);
  slab_free(&files, f);
}

void file_audit_begin(struct file *f) { f->found = 0; }

void file_audit_found(struct file *f) { f->found++; }

void file_audit_end(struct file *f, struct audit *a) {
  if (f->refs != f->found)
    audit_fault(a, MEM_FILE, V2P(f), (struct audit_place){NULL, 0}, f->refs,
                f->found);
  f->found = f->refs; /* told once, however many have it */
}

size_t file_memory(const struct file *f) {
  int refs = __atomic_load_n(&f->refs, __ATOMIC_RELAXED);

  return f->type == FILE_PIPE ? pipe_memory() / 2 / refs : 0;
}

/* --- reading and writing --- */

static ssize_t device_read(struct file *f, struct space *s, vaddr_t va,
                           size_t n) {
  char small[BOUNCE], *page = NULL;
  ssize_t r;

  if (n > BOUNCE && (page = kalloc()) == NULL)
    return -ENOMEM;
  r = f->dev->read(f->dev, page != NULL ? page : small, MIN(n, PGSIZE));
  if (r > 0 && either_copyout(s, va, page != NULL ? page : small, r) < 0)
    r = -EFAULT;
  if (page != NULL)
    kfree(page);
  return r;
}

static ssize_t device_write(struct file *f, struct space *s, vaddr_t va,
                            size_t n) {
  char small[BOUNCE], *page = NULL, *buf = small;
  size_t done = 0;
  ssize_t r = 0;

  if (n > BOUNCE && (buf = page = kalloc()) == NULL)
    return -ENOMEM;
  while (done < n) {
    size_t m = MIN(n - done, page != NULL ? PGSIZE : BOUNCE);

    r = either_copyin(s, buf, va + done, m);
    if (r == 0)
      r = f->dev->write(f->dev, buf, m);
    if (r <= 0)
      break;
    done += r;
  }
  if (page != NULL)
    kfree(page);
  return done > 0 ? (ssize_t)done : r;
}

/* Read as far as the memory at va is there; *more: that, or an error, is why it
 * stopped, not the end of the file. */
static ssize_t read_part(struct file *f, struct space *s, vaddr_t va, size_t n,
                         bool *more) {
  ssize_t r = ilock(f->ip);

  if (r < 0)
    return r;
  r = readi(f->ip, s, va, f->off, n);
  if (r > 0)
    f->off += r;
  *more = r == -EAGAIN || (r > 0 && (size_t)r < n && f->off < f->ip->size);
  iunlock(f->ip);
  return r;
}

/* The memory at va was not there, while locks were held. Now it shall be. */
static int present(struct space *s, vaddr_t va, size_t n, uint access) {
  return killed() ? -EINTR : user_prefault(s, va, n, access);
}

static ssize_t inode_read(struct file *f, struct space *s, vaddr_t va,
                          size_t n) {
  bool more = true;
  size_t done = 0;
  ssize_t r = 0;

  while (more && r >= 0) {
    r = read_part(f, s, va + done, n - done, &more);
    if (r > 0)
      done += r;
    else if (r == -EAGAIN)
      r = present(s, va + done, MIN(n - done, PREFAULT), PROT_WRITE);
  }
  return done > 0 ? (ssize_t)done : r;
}

ssize_t file_read(struct file *f, struct space *s, vaddr_t va, size_t n) {
  if (!f->readable)
    return -EBADF;
  if (f->type == FILE_PIPE)
    return pipe_read(f->pipe, s, va, n);
  if (f->type == FILE_DEVICE)
    return device_read(f, s, va, n);
  return inode_read(f, s, va, n);
}

/* One operation's worth of a write. */
static ssize_t write_part(struct file *f, struct space *s, vaddr_t va, size_t n,
                          uint blocks) {
  ssize_t r = begin_op(blocks);

  if (r < 0)
    return r;
  r = ilock(f->ip);
  if (r == 0) {
    uint64 off = f->append ? f->ip->size : f->off;

    r = writei(f->ip, s, va, off, n);
    if (r > 0)
      f->off = off + r;
    iunlock(f->ip);
  }
  end_op(blocks);
  return r;
}

/* The log limits how much one operation can write; a write that fits in is
 * whole after a crash or did not happen (unless another thread unmaps what is
 * written meanwhile). The offset is not known before the
 * inode is locked, so the worst one is assumed. */
static ssize_t inode_write(struct file *f, struct space *s, vaddr_t va,
                           size_t n) {
  const uint64 worst = BSIZE - 1;
  size_t done = 0, most = (size_t)log_capacity() * BSIZE;

  while (writei_blocks(worst, most) > log_capacity())
    most -= BSIZE;
  while (done < n) {
    size_t m = MIN(n - done, most);
    ssize_t r = present(s, va + done, m, PROT_READ);

    if (r == 0)
      r = write_part(f, s, va + done, m, writei_blocks(worst, m));
    if (r < 0 && r != -EAGAIN)
      return done > 0 ? (ssize_t)done : r;
    if (r > 0)
      done += r;
  }
  return done;
}

ssize_t file_write(struct file *f, struct space *s, vaddr_t va, size_t n) {
  if (!f->writable)
    return -EBADF;
  if (f->type == FILE_PIPE)
    return pipe_write(f->pipe, s, va, n);
  if (f->type == FILE_DEVICE)
    return device_write(f, s, va, n);
  return inode_write(f, s, va, n);
}

/* --- the rest --- */

int file_object(struct file *f, uint rights, bool shared, struct memobject **o,
                uint *most) {
  struct stat st;
  int r = f->type == FILE_INODE ? file_stat(f, &st) : -ENODEV;

  if (r < 0)
    return r;
  if (st.type != T_FILE)
    return -ENODEV;
  *most = PROT_READ | PROT_EXEC | (f->writable || !shared ? PROT_WRITE : 0);
  if (!f->readable || (rights & ~*most))
    return -EACCES;
  *o = &idup(f->ip)->object;
  return 0;
}

int file_stat(struct file *f, struct stat *st) {
  int r;

  if (f->type == FILE_PIPE)
    return -EINVAL; /* as in xv6, a pipe has no stat */
  r = ilock(f->ip);
  if (r == 0) {
    stati(f->ip, st);
    iunlock(f->ip);
  }
  return r;
}

long file_seek(struct file *f, long off, int whence) {
  long r;

  if (f->type != FILE_INODE)
    return -ESPIPE;
  r = ilock(f->ip);
  if (r < 0)
    return r;
  if (whence == SEEK_CUR)
    r = __builtin_add_overflow(off, (long)f->off, &off) ? -EINVAL : 0;
  else if (whence == SEEK_END)
    r = __builtin_add_overflow(off, (long)f->ip->size, &off) ? -EINVAL : 0;
  else if (whence != SEEK_SET)
    r = -EINVAL;
  if (r == 0 && off < 0)
    r = -EINVAL;
  if (r == 0)
    f->off = r = off;
  iunlock(f->ip);
  return r;
}

int file_truncate(struct file *f, uint64 size) {
  if (!f->writable)
    return -EBADF;
  return f->type == FILE_INODE ? truncate(f->ip, size) : -EINVAL;
}

int file_ctl(struct file *f, int op, int arg) {
  if (f->type != FILE_DEVICE || f->dev->ctl == NULL)
    return -ENOTTY;
  return f->dev->ctl(f->dev, op, arg);
}
