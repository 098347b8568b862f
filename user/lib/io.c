/*
 * Reading and writing for programs that work on streams.
 *
 * A linereader keeps what it has read and not yet returned in
 * buf[start..end); the buffer is moved together, then doubled, when a line
 * does not fit.
 */
#include "extra.h"
#include "user/user.h"

#define LINE_CHUNK 4096

EXTRA void *xmalloc(uint n) {
  void *p = malloc(n);

  if (!p) {
    complain("out of memory");
    exit(EXIT_FAILED);
  }
  return p;
}

EXTRA void *xrealloc(void *p, uint n) {
  p = realloc(p, n);
  if (!p) {
    complain("out of memory");
    exit(EXIT_FAILED);
  }
  return p;
}

EXTRA void write_all(int fd, const void *buf, int n) {
  const char *p = buf;

  while (n > 0) {
    int done = write(fd, p, n);

    if (done <= 0) {
      if (lasterr() == EPIPE)
        exit(EXIT_FAILED);
      fatal("write error");
    }
    p += done;
    n -= done;
  }
}

EXTRA void line_open(struct linereader *r, int fd) {
  memset(r, 0, sizeof(*r));
  r->fd = fd;
}

EXTRA void line_close(struct linereader *r) {
  free(r->buf);
  r->buf = 0;
}

/* Read more behind what is there. One byte of room is kept for a final 0. */
static void line_fill(struct linereader *r) {
  int n;

  if (r->start > 0) {
    memmove(r->buf, r->buf + r->start, r->end - r->start);
    r->end -= r->start;
    r->start = 0;
  }
  if (r->size - r->end < LINE_CHUNK / 2) {
    r->size = r->size ? 2 * r->size : LINE_CHUNK;
    r->buf = xrealloc(r->buf, r->size);
  }
  n = read(r->fd, r->buf + r->end, r->size - r->end - 1);
  if (n < 0)
    warn("read error");
  if (n <= 0)
    r->eof = 1;
  else
    r->end += n;
}

/* Cut the line that ends at offset `end` and goes on at `next`. */
static char *line_cut(struct linereader *r, uint end, uint next, uint *len) {
  char *line = r->buf + r->start;

  r->buf[end] = 0;
  if (len)
    *len = end - r->start;
  r->start = next;
  return line;
}

EXTRA char *line_next(struct linereader *r, uint *len) {
  uint searched = 0; /* bytes after start that hold no newline */

  for (;;) {
    for (uint i = r->start + searched; i < r->end; i++)
      if (r->buf[i] == '\n')
        return line_cut(r, i, i + 1, len);
    searched = r->end - r->start;
    if (r->eof)
      break;
    line_fill(r);
  }
  if (searched == 0)
    return 0;
  return line_cut(r, r->end, r->end, len);
}

EXTRA char *path_in(const char *dir, const char *path) {
  const char *name = path;
  int length;
  char *full;

  for (const char *p = path; *p; p++)
    if (*p == '/' && p[1])
      name = p + 1;
  length = strlen(dir) + 1 + strlen(name) + 1;
  full = xmalloc(length);
  snprintf(full, length, "%s/%s", dir, name);
  return full;
}

EXTRA int each_input(int argc, char **argv,
                     void (*use)(int fd, const char *name)) {
  int failed = 0;

  if (optind == argc)
    use(0, 0);
  for (int i = optind; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);

    if (fd < 0) {
      warn("%s", argv[i]);
      failed = 1;
      continue;
    }
    use(fd, argv[i]);
    close(fd);
  }
  return failed;
}
