/*
 * Paths: namei and nameiparent, which are namex.
 *
 * Only one inode is locked at a time, the directory that is being looked in,
 * so that no path can deadlock with another. A name is cut to DIRSIZ bytes, as
 * it is on disk. A directory that has been removed, but still is somebody's
 * current one, has no names in it but ".". An empty path is the directory in
 * which it begins, as in xv6.
 */
#include "fs/path.h"

#include "fs/dir.h"
#include "fs/inode.h"
#include "lib/string.h"

/* Copy the next path element to name and return what follows it, without
 * leading slashes; NULL if there is none: "a/bb" -> "bb" with name "a". */
static const char *skipelem(const char *path, char name[DIRSIZ + 1]) {
  size_t len = 0, n;

  while (*path == '/')
    path++;
  if (*path == '\0')
    return NULL;
  while (path[len] != '\0' && path[len] != '/')
    len++;
  n = MIN(len, DIRSIZ);
  memcpy(name, path, n);
  name[n] = '\0';
  path += len;
  while (*path == '/')
    path++;
  return path;
}

/* The inode of a name in a directory; gives up the reference to that. */
static struct inode *step(struct inode *dp, const char *name, int *err) {
  struct inode *ip = NULL;

  *err = ilock(dp);
  if (*err == 0) {
    if (dp->type != T_DIR)
      *err = -ENOTDIR;
    else if (dp->nlink == 0 && namecmp(name, ".") != 0)
      *err = -ENOENT;
    else
      ip = dirlookup(dp, name, err);
    iunlock(dp);
  }
  iput(dp);
  return ip;
}

/* Follow a path; if `parent`, up to the directory of its last element. */
static struct inode *namex(struct inode *cwd, const char *path, bool parent,
                           char name[DIRSIZ + 1], int *err) {
  const char *start = path;
  struct inode *ip;

  ip = *path == '/' || cwd == NULL ? iget(ROOTINO) : idup(cwd);
  *err = ip != NULL ? 0 : -ENOMEM;
  while (ip != NULL && (path = skipelem(path, name)) != NULL) {
    if (parent && *path == '\0')
      return ip;
    ip = step(ip, name, err);
  }
  if (ip != NULL && parent) { /* there is no last element: "/", or "" */
    *err = *start == '/' ? -EISDIR : -ENOENT;
    iput(ip);
    return NULL;
  }
  return ip;
}

struct inode *namei(struct inode *cwd, const char *path, int *err) {
  char name[DIRSIZ + 1];

  return namex(cwd, path, false, name, err);
}

struct inode *nameiparent(struct inode *cwd, const char *path,
                          char name[DIRSIZ + 1], int *err) {
  return namex(cwd, path, true, name, err);
}
