/*
 * Path names, kernel/fs/path.c: how one is cut into elements. Inodes and
 * directories are not looked at: those are stubs that may say anything.
 */
#include "prove.h"

/* sources: tests/prove/strings.c */
#include "../../kernel/fs/path.c"

#define PATH_BYTES 20

static char path[PATH_BYTES + 1];
static char name[DIRSIZ + 1];

/* Bytes of the string, up to a '/' or its end. */
static size_t element_length(const char *s) {
  size_t n = 0;

  while (s[n] != '\0' && s[n] != '/')
    n++;
  return n;
}

PROVE(skipelem,
      "an element is copied, at most DIRSIZ bytes of it and a final 0; what "
      "follows begins at the next element or at the end",
      "paths of up to 20 bytes, of any value", "--unwind 22") {
  const char *first = path, *rest;
  size_t n;

  any_bytes(path);
  path[any_below(PATH_BYTES + 1)] = '\0';
  path[PATH_BYTES] = '\0';
  rest = skipelem(path, name);
  while (*first == '/')
    first++;
  claim((rest == NULL) == (*first == '\0'));
  if (rest == NULL) {
    reached(first > path);
    return;
  }
  n = element_length(first);
  claim(rest >= first + n && rest <= path + PATH_BYTES && *rest != '/');
  claim(rest == first + n || rest[-1] == '/');
  for (size_t i = 0; i < MIN(n, DIRSIZ); i++)
    claim(name[i] == first[i]);
  claim(name[MIN(n, DIRSIZ)] == '\0');
  reached(n > DIRSIZ && rest > first + n + 1 && *rest != '\0');
}

/* --- inodes: how many references are held, and which one is locked --- */

static struct inode inodes[2];
static int references;
static struct inode *locked;

static struct inode *take(void) {
  references++;
  return &inodes[any_bool()];
}

struct inode *iget(uint inum) {
  claim(inum == ROOTINO);
  return any_bool() ? take() : NULL;
}

struct inode *idup(struct inode *ip) {
  references++;
  return ip;
}

void iput(struct inode *ip) {
  claim(ip == &inodes[0] || ip == &inodes[1]);
  claim(locked == NULL);
  references--;
}

int ilock(struct inode *ip) {
  claim(locked == NULL && references > 0);
  if (any_bool())
    return -EIO;
  locked = ip;
  ip->type = any_int();
  ip->nlink = any_int();
  return 0;
}

void iunlock(struct inode *ip) {
  claim(locked == ip);
  locked = NULL;
}

struct inode *dirlookup(struct inode *dp, const char *name, int *err) {
  claim(dp == locked && dp->type == T_DIR);
  claim(strnlen(name, DIRSIZ + 1) <= DIRSIZ && *name != '\0');
  if (any_bool())
    return take();
  *err = -(int)(1 + any_below(100));
  return NULL;
}

int namecmp(const char *a, const char *b) { return strncmp(a, b, DIRSIZ); }

PROVE(
    namex,
    "one inode is locked at a time; one reference is held afterwards, or "
    "none and the error is set; the caller gets a name where it asked for one",
    "paths of up to 5 bytes; directories, locks and memory that may fail",
    "once --unwind 8") {
  bool parent = any_bool();
  struct inode *cwd = any_bool() ? &inodes[0] : NULL, *ip;
  int err = 1;

  any_bytes(path);
  path[5] = '\0';
  references = 0;
  locked = NULL;
  name[0] = '\0';
  ip = parent ? nameiparent(cwd, path, name, &err) : namei(cwd, path, &err);
  claim(locked == NULL && references == (ip != NULL));
  claim(ip != NULL ? err == 0 : err < 0);
  if (ip != NULL && parent)
    claim(name[0] != '\0' && name[0] != '/');
  reached(ip != NULL && parent && path[1] == '/' && path[3] != '\0');
  reached(err == -ENOTDIR);
}
