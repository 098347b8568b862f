/*
 * Operations on names: create, mkdir, mknod, link, unlink, rename, getcwd.
 *
 * All have the same shape, and it is what keeps them whole:
 *
 *   nameiparent()      may sleep for long and free inodes: before the operation
 *   begin_op()
 *     lock             tree lock if two inodes will be locked, then inodes
 *     find and check   reads blocks, may fail: nothing has changed so far
 *     reserve          room for an entry, a new inode: may fail, and is undone
 *     change           entries, link counts: cannot fail
 *     unlock
 *   end_op()
 *   iput()             may need an operation of its own to free a file
 *
 * Who locks two inodes that exist holds the tree lock, so that it does not
 * matter in which order: even directories that a damaged disk lists inside
 * each other cannot make two operations wait for each other. The tree lock
 * also keeps rename's view of what lies below what.
 *
 * Link counts are xv6's: a directory's is 1 and one for each directory in it;
 * "." does not count, nor does the root's "..".
 */
#include "fs/fsops.h"

#include "fs/balloc.h"
#include "fs/dir.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "lib/string.h"

#define NLINK_MAX 32767 /* of a short */

static struct sleeplock tree = SLEEPLOCK(tree, "tree");

/* Are these the names that no operation may make or remove? */
static bool is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Lock a directory in which an entry is to be made or changed. */
static int lock_dir(struct inode *dp) {
  int r = ilock(dp);

  if (r == 0 && (dp->type != T_DIR || dp->nlink == 0)) {
    r = dp->type != T_DIR ? -ENOTDIR : -ENOENT;
    iunlock(dp);
  }
  return r;
}

static void add_links(struct inode *ip, int n) {
  ip->nlink += n;
  iupdate(ip);
}

/* One directory less in dp. Only a damaged disk has a count that is too low
 * already; it must not make a directory in use look removed. */
static void drop_child(struct inode *dp) {
  if (dp->nlink > 1)
    add_links(dp, -1);
}

/* --- creating --- */

/* Fill in a new inode, which is locked. On failure nothing refers to it. */
static int init_inode(struct inode *ip, struct inode *dp, int major,
                      int minor) {
  int r = 0;

  ip->major = major;
  ip->minor = minor;
  if (ip->type == T_DIR)
    r = dirlink(ip, ".", ip->inum);
  if (r == 0 && ip->type == T_DIR)
    r = dirlink(ip, "..", dp->inum);
  ip->nlink = r == 0;
  iupdate(ip);
  return r;
}

/* A new inode with an entry in dp, both locked. If it fails the inode may
 * remain, without links and not locked, for the caller to iput. */
static int create_in(struct inode *dp, const char *name, short type, int major,
                     int minor, struct inode **ip) {
  struct dirslot slot;
  int r;

  if (type == T_DIR && dp->nlink >= NLINK_MAX)
    return -EMLINK;
  r = dir_room(dp, &slot);
  if (r < 0)
    return r;
  r = ialloc(type, ip);
  if (r == 0) {
    r = ilock(*ip);
    if (r == 0) {
      r = init_inode(*ip, dp, major, minor);
      if (r < 0)
        iunlock(*ip);
    }
  }
  if (r == 0) {
    dir_set(dp, &slot, name, (*ip)->inum);
    if (type == T_DIR)
      add_links(dp, 1);
  }
  dirslot_put(&slot);
  return r;
}

/* Make an inode by path. Locked, with a reference. If there is one already:
 * *found gets it, not locked, and the result is -EEXIST; found may be NULL. */
static struct inode *create(struct inode *cwd, const char *path, short type,
                            int major, int minor, struct inode **found,
                            int *err) {
  char name[DIRSIZ + 1];
  struct inode *dp = nameiparent(cwd, path, name, err), *ip = NULL, *old = NULL;

  if (dp == NULL)
    return NULL;
  *err = begin_op(MAXOPBLOCKS);
  if (*err == 0) {
    *err = lock_dir(dp);
    if (*err == 0) {
      old = dirlookup(dp, name, err);
      if (old != NULL)
        *err = -EEXIST;
      else if (*err == -ENOENT)
        *err = create_in(dp, name, type, major, minor, &ip);
      iunlock(dp);
    }
    end_op(MAXOPBLOCKS);
  }
  iput(dp);
  if (old != NULL && found != NULL)
    *found = old;
  else if (old != NULL)
    iput(old);
  if (*err < 0 && ip != NULL) {
    iput(ip);
    ip = NULL;
  }
  return ip;
}

struct inode *fs_create_file(struct inode *cwd, const char *path, int *err) {
  struct inode *old = NULL;
  struct inode *ip = create(cwd, path, T_FILE, 0, 0, &old, err);

  if (old == NULL)
    return ip;
  *err = ilock(old);
  if (*err == 0 && old->type == T_DIR) {
    iunlock(old);
    *err = -EISDIR;
  }
  if (*err == 0)
    return old;
  iput(old);
  return NULL;
}

static int create_new(struct inode *cwd, const char *path, short type,
                      int major, int minor) {
  int err;
  struct inode *ip = create(cwd, path, type, major, minor, NULL, &err);

  if (ip == NULL)
    return err;
  iunlockput(ip);
  return 0;
}

int fs_mkdir(struct inode *cwd, const char *path) {
  return create_new(cwd, path, T_DIR, 0, 0);
}

int fs_mknod(struct inode *cwd, const char *path, int major, int minor) {
  return create_new(cwd, path, T_DEVICE, major, minor);
}

/* --- link and unlink --- */

/* Name ip in dp too. The tree lock is held. */
static int link_in(struct inode *dp, const char *name, struct inode *ip) {
  struct dirslot slot;
  int r;

  if (ip == dp)
    return -EPERM; /* a directory */
  r = lock_dir(dp);
  if (r < 0)
    return r;
  r = dir_find(dp, name, &slot);
  if (r == 0) {
    dirslot_put(&slot);
    r = -EEXIST;
  } else if (r == -ENOENT) {
    r = dir_room(dp, &slot);
    if (r == 0) {
      r = ilock(ip);
      if (r == 0) {
        r = ip->type == T_DIR        ? -EPERM
            : ip->nlink == 0         ? -ENOENT
            : ip->nlink >= NLINK_MAX ? -EMLINK
                                     : 0;
        if (r == 0) {
          add_links(ip, 1);
          dir_set(dp, &slot, name, ip->inum);
        }
        iunlock(ip);
      }
      dirslot_put(&slot);
    }
  }
  iunlock(dp);
  return r;
}

int fs_link(struct inode *cwd, const char *from, const char *to) {
  char name[DIRSIZ + 1];
  struct inode *dp, *ip;
  int r;

  ip = namei(cwd, from, &r);
  if (ip == NULL)
    return r;
  dp = nameiparent(cwd, to, name, &r);
  if (dp != NULL) {
    r = begin_op(MAXOPBLOCKS);
    if (r == 0) {
      acquiresleep(&tree);
      r = link_in(dp, name, ip);
      releasesleep(&tree);
      end_op(MAXOPBLOCKS);
    }
    iput(dp);
  }
  iput(ip);
  return r;
}

/* May ip, locked, lose its entry? */
static int check_removable(struct inode *ip) {
  int r;

  if (ip->nlink == 0)
    return fs_damaged("inode %u has an entry but no links", ip->inum);
  if (ip->type != T_DIR)
    return 0;
  if (ip->inum == ROOTINO)
    return -EBUSY;
  r = dir_empty(ip);
  return r < 0 ? r : r == 0 ? -ENOTEMPTY : 0;
}

/* ip, locked, has lost its entry in dp, locked. */
static void drop_link(struct inode *dp, struct inode *ip) {
  if (ip->type == T_DIR) {
    drop_child(dp);
    ip->nlink = 1; /* it is empty, whatever the disk said */
  }
  add_links(ip, -1);
}

/* Remove a name from dp, which is locked, as is the tree. *ip gets the inode
 * that it named, to be put later. */
static int unlink_in(struct inode *dp, const char *name, struct inode **ip) {
  struct dirslot slot;
  int r;

  *ip = dirlookup(dp, name, &r);
  if (*ip == NULL)
    return r;
  if (*ip == dp)
    return fs_damaged("directory %u has an entry for itself", dp->inum);
  r = dir_find(dp, name, &slot);
  if (r < 0)
    return r;
  r = ilock(*ip);
  if (r == 0) {
    r = check_removable(*ip);
    if (r == 0) {
      dir_set(dp, &slot, name, 0);
      drop_link(dp, *ip);
    }
    iunlock(*ip);
  }
  dirslot_put(&slot);
  return r;
}

int fs_unlink(struct inode *cwd, const char *path) {
  char name[DIRSIZ + 1];
  struct inode *ip = NULL, *dp;
  int r;

  dp = nameiparent(cwd, path, name, &r);
  if (dp == NULL)
    return r;
  r = is_dots(name) ? -EINVAL : begin_op(MAXOPBLOCKS);
  if (r == 0) {
    acquiresleep(&tree);
    r = lock_dir(dp);
    if (r == 0) {
      r = unlink_in(dp, name, &ip);
      iunlock(dp);
    }
    releasesleep(&tree);
    end_op(MAXOPBLOCKS);
  }
  iput(dp);
  if (ip != NULL)
    iput(ip);
  return r;
}

/* --- rename --- */

/* Everything that takes part in a rename. */
struct move {
  struct inode *odp, *ndp; /* directories, from and to */
  char oname[DIRSIZ + 1], nname[DIRSIZ + 1];
  struct inode *ip;                /* what moves */
  struct inode *victim;            /* what it replaces, or NULL */
  struct dirslot oslot, nslot, up; /* entries: old, new, ip's ".." */
  struct inode *stray;             /* what a damaged disk led to, or NULL */
  bool is_dir;
};

/* Is m->ip the directory m->ndp or above it? No inode is locked; the tree is,
 * so what is above a linked directory has links, too, and dropping our
 * reference to it frees nothing (which must not happen inside an operation).
 * Where a damaged disk says otherwise, the reference is left in m->stray.
 * Cycles are cut off by the number of inodes. */
static int is_above(struct move *m) {
  struct inode *ip = m->ip, *dp = m->ndp;
  struct inode *d = idup(dp), *up;
  int r = 0;

  for (uint n = 0; d != ip && d->inum != ROOTINO; n++) {
    if (n > fs.sb.ninodes)
      r = fs_damaged("directory %u is below itself", dp->inum);
    if (r == 0)
      r = ilock(d);
    if (r < 0)
      break;
    up = NULL;
    if (d->type != T_DIR || d->nlink == 0) {
      r = fs_damaged("inode %u (type %d, %d links) is above a directory",
                     d->inum, d->type, d->nlink);
      m->stray = idup(d);
    } else {
      up = dirlookup(d, "..", &r);
    }
    iunlock(d);
    if (up == NULL)
      break;
    iput(d);
    d = up;
  }
  if (r == 0)
    r = d == ip;
  iput(d);
  return r;
}

/* Find what moves and see that it does not move into itself. */
static int move_find(struct move *m) {
  int r = lock_dir(m->odp);

  if (r < 0)
    return r;
  m->ip = dirlookup(m->odp, m->oname, &r);
  iunlock(m->odp);
  if (m->ip == NULL)
    return r;
  r = ilock(m->ip);
  if (r < 0)
    return r;
  m->is_dir = m->ip->type == T_DIR;
  iunlock(m->ip);
  if (!m->is_dir)
    return 0;
  r = lock_dir(m->ndp); /* is it still linked? */
  if (r < 0)
    return r;
  iunlock(m->ndp);
  r = is_above(m);
  return r > 0 ? -EINVAL : r;
}

static int move_lock(struct move *m) {
  int r = lock_dir(m->odp);

  if (r < 0 || m->odp == m->ndp)
    return r;
  r = lock_dir(m->ndp);
  if (r < 0)
    iunlock(m->odp);
  return r;
}

static void move_unlock(struct move *m) {
  if (m->odp != m->ndp)
    iunlock(m->ndp);
  iunlock(m->odp);
}

/* With both directories locked: may the victim, locked, be replaced? */
static int check_victim(struct move *m) {
  if (m->victim->type == T_DIR && !m->is_dir)
    return -EISDIR;
  if (m->victim->type != T_DIR && m->is_dir)
    return -ENOTDIR;
  return check_removable(m->victim);
}

/* Hold the entries that will change; ip is locked. */
static int move_slots(struct move *m) {
  int r = dir_find(m->odp, m->oname, &m->oslot);

  if (r < 0)
    return r;
  r = m->victim != NULL ? dir_find(m->ndp, m->nname, &m->nslot)
                        : dir_room(m->ndp, &m->nslot);
  if (r == 0 && m->is_dir && m->odp != m->ndp) {
    r = m->ndp->nlink >= NLINK_MAX ? -EMLINK : dir_find(m->ip, "..", &m->up);
    if (r < 0)
      dirslot_put(&m->nslot);
  }
  if (r < 0)
    dirslot_put(&m->oslot);
  return r;
}

/* All is found and locked: do it. */
static void move_commit(struct move *m) {
  dir_set(m->ndp, &m->nslot, m->nname, m->ip->inum);
  dir_set(m->odp, &m->oslot, m->oname, 0);
  if (m->victim != NULL)
    drop_link(m->ndp, m->victim);
  if (m->is_dir && m->odp != m->ndp) {
    dir_set(m->ip, &m->up, "..", m->ndp->inum);
    dirslot_put(&m->up);
    drop_child(m->odp);
    add_links(m->ndp, 1);
  }
  dirslot_put(&m->nslot);
  dirslot_put(&m->oslot);
}

/* With the directories and the tree locked: lock the rest and go on. */
static int move_in(struct move *m) {
  int r;

  m->victim = dirlookup(m->ndp, m->nname, &r);
  if (m->victim == m->ip)
    return 0; /* two names of one file: nothing to do */
  if (m->victim == NULL && r != -ENOENT)
    return r;
  if (m->victim == m->odp)
    return -ENOTEMPTY; /* it has in it what moves */
  if (m->ip == m->odp || m->ip == m->ndp || m->victim == m->ndp)
    return fs_damaged("directory %u has an entry for itself", m->odp->inum);
  r = ilock(m->ip);
  if (r < 0)
    return r;
  if (m->victim != NULL) {
    r = ilock(m->victim);
    if (r == 0) {
      r = check_victim(m);
      if (r < 0)
        iunlock(m->victim);
    }
  }
  if (r == 0) {
    r = move_slots(m);
    if (r == 0)
      move_commit(m);
    if (m->victim != NULL)
      iunlock(m->victim);
  }
  iunlock(m->ip);
  return r;
}

int fs_rename(struct inode *cwd, const char *from, const char *to) {
  struct move m = {0};
  int r;

  m.odp = nameiparent(cwd, from, m.oname, &r);
  if (m.odp == NULL)
    return r;
  m.ndp = nameiparent(cwd, to, m.nname, &r);
  if (m.ndp != NULL) {
    r = is_dots(m.oname) || is_dots(m.nname) ? -EINVAL : begin_op(MAXOPBLOCKS);
    if (r == 0) {
      acquiresleep(&tree);
      r = move_find(&m);
      if (r == 0)
        r = move_lock(&m);
      if (r == 0) {
        r = move_in(&m);
        move_unlock(&m);
      }
      releasesleep(&tree);
      end_op(MAXOPBLOCKS);
    }
    iput(m.ndp);
  }
  iput(m.odp);
  if (m.ip != NULL)
    iput(m.ip);
  if (m.victim != NULL)
    iput(m.victim);
  if (m.stray != NULL)
    iput(m.stray);
  return r;
}

/* --- directories by path, and the path of a directory --- */

struct inode *fs_directory(struct inode *cwd, const char *path, int *err) {
  struct inode *ip = namei(cwd, path, err);
  bool is_dir;

  if (ip == NULL)
    return NULL;
  *err = ilock(ip);
  if (*err == 0) {
    is_dir = ip->type == T_DIR;
    iunlock(ip);
    if (is_dir)
      return ip;
    *err = -ENOTDIR;
  }
  iput(ip);
  return NULL;
}

/* What dp's ".." names, referenced, or NULL. */
static struct inode *dotdot(struct inode *dp, int *err) {
  struct inode *up = NULL;

  *err = ilock(dp);
  if (*err < 0)
    return NULL;
  if (dp->nlink == 0) {
    *err = -ENOENT; /* it has been removed */
  } else {
    up = dirlookup(dp, "..", err);
    if (*err == -ENOENT)
      *err = fs_damaged("directory %u has no '..'", dp->inum);
  }
  iunlock(dp);
  return up;
}

/* The name of dp in `up`, which its ".." names. */
static int name_in(struct inode *up, struct inode *dp, char *name) {
  int r = ilock(up);

  if (r < 0)
    return r;
  r = up->type == T_DIR ? dir_name_of(up, dp->inum, name) : -ENOENT;
  if (r == -ENOENT)
    r = fs_damaged("directory %u is not in inode %u, which its '..' names",
                   dp->inum, up->inum);
  iunlock(up);
  return r;
}

/* The directory above dp, referenced; and dp's name in it. With the tree lock
 * nothing moves between the two looks. */
static struct inode *parent_of(struct inode *dp, char *name, int *err) {
  struct inode *up;

  acquiresleep(&tree);
  up = dotdot(dp, err);
  if (up != NULL)
    *err = name_in(up, dp, name);
  releasesleep(&tree);
  if (up == NULL || *err == 0)
    return up;
  iput(up);
  return NULL;
}

int fs_getcwd(struct inode *dir, char *buf, size_t n) {
  struct inode *d = dir != NULL ? idup(dir) : iget(ROOTINO);
  char name[DIRSIZ + 1];
  size_t at = n; /* the path is built from its end: buf[at..n) */
  int err = 0;

  if (d == NULL || n < 2) {
    if (d != NULL)
      iput(d);
    return d == NULL ? -ENOMEM : -ERANGE;
  }
  buf[--at] = '\0';
  while (d->inum != ROOTINO) {
    struct inode *up = parent_of(d, name, &err);
    size_t len;

    if (up == NULL)
      break;
    iput(d);
    d = up;
    len = strlen(name);
    if (len + 1 > at) {
      err = -ERANGE; /* also ends a walk in circles on a damaged disk */
      break;
    }
    at -= len;
    memcpy(buf + at, name, len);
    buf[--at] = '/';
  }
  iput(d);
  if (err < 0)
    return err;
  if (buf[at] == '\0')
    buf[--at] = '/';
  memmove(buf, buf + at, n - at);
  return 0;
}
