/*
 * Sources of physical memory; see source.h.
 *
 * Pages that are kept lie in a table by page number, in two levels so that a
 * machine of several GiB costs nothing before it is read:
 *
 *    groups[pa / 2 MiB] -> 512 pointers -> pages
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define GROUP_PAGES 512

struct group {
  unsigned char *pages[GROUP_PAGES];
};

struct source {
  uint64_t start, bytes;
  const unsigned char *ram; /* live: the mapped file */
  struct source *under;     /* recording */
  struct group **groups;    /* recording, kept: what there is */
  uint64_t npages;          /* in those */
};

int trouble_say(struct trouble *t, const char *format, ...) {
  va_list args;

  va_start(args, format);
  vsnprintf(t->text, sizeof(t->text), format, args);
  va_end(args);
  return -1;
}

void *must_alloc(size_t n, size_t each) {
  void *p = calloc(n ? n : 1, each);

  if (p == NULL) {
    fprintf(stderr, "explore: out of memory\n");
    exit(1);
  }
  return p;
}

void *must_grow(void *p, size_t n, size_t each) {
  p = reallocarray(p, n, each);
  if (p == NULL) {
    fprintf(stderr, "explore: out of memory\n");
    exit(1);
  }
  return p;
}

static size_t group_count(const struct source *s) {
  return (s->bytes / PAGE_BYTES + GROUP_PAGES - 1) / GROUP_PAGES;
}

static struct source *create(uint64_t start, uint64_t bytes) {
  struct source *s = must_alloc(1, sizeof(*s));

  s->start = start;
  s->bytes = bytes;
  return s;
}

static int map_file(struct source *s, int fd, const char *path,
                    struct trouble *why) {
  struct stat st;
  void *ram;

  if (fstat(fd, &st) < 0)
    return trouble_say(why, "%s: %s", path, strerror(errno));
  if (st.st_size <= 0 || st.st_size % PAGE_BYTES != 0)
    return trouble_say(why, "%s: not a file of a machine's RAM", path);
  ram = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
  if (ram == MAP_FAILED)
    return trouble_say(why, "%s: %s", path, strerror(errno));
  s->ram = ram;
  s->bytes = st.st_size;
  return 0;
}

struct source *source_open_ram(const char *path, uint64_t start,
                               struct trouble *why) {
  struct source *s;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  int r;

  if (fd < 0) {
    trouble_say(why, "%s: %s", path, strerror(errno));
    return NULL;
  }
  s = create(start, 0);
  r = map_file(s, fd, path, why);
  close(fd);
  if (r < 0) {
    source_close(s);
    return NULL;
  }
  return s;
}

struct source *source_kept(uint64_t start, uint64_t bytes) {
  struct source *s = create(start, bytes);

  s->groups = must_alloc(group_count(s), sizeof(*s->groups));
  return s;
}

struct source *source_record(struct source *under) {
  struct source *s = source_kept(under->start, under->bytes);

  s->under = under;
  return s;
}

/* Where the page's copy is pointed to; NULL: no RAM is there. */
static unsigned char **place(struct source *s, uint64_t pa) {
  uint64_t page = (pa - s->start) / PAGE_BYTES;
  struct group **g;

  if (pa < s->start || pa - s->start >= s->bytes)
    return NULL;
  g = &s->groups[page / GROUP_PAGES];
  if (*g == NULL)
    *g = must_alloc(1, sizeof(**g));
  return &(*g)->pages[page % GROUP_PAGES];
}

int source_keep(struct source *s, uint64_t pa, const void *page) {
  unsigned char **at = pa % PAGE_BYTES == 0 ? place(s, pa) : NULL;

  if (at == NULL)
    return -1;
  if (*at == NULL) {
    *at = must_alloc(1, PAGE_BYTES);
    s->npages++;
  }
  memcpy(*at, page, PAGE_BYTES);
  return 0;
}

void source_close(struct source *s) {
  if (s == NULL)
    return;
  for (size_t i = 0; s->groups != NULL && i < group_count(s); i++) {
    for (int j = 0; s->groups[i] != NULL && j < GROUP_PAGES; j++)
      free(s->groups[i]->pages[j]);
    free(s->groups[i]);
  }
  free(s->groups);
  if (s->ram != NULL)
    munmap((void *)s->ram, s->bytes);
  free(s);
}

/* The page at pa, or NULL. */
static const unsigned char *page_at(struct source *s, uint64_t pa) {
  unsigned char copy[PAGE_BYTES], **at;

  if (pa < s->start || pa - s->start >= s->bytes)
    return NULL;
  if (s->ram != NULL)
    return s->ram + (pa - s->start);
  at = place(s, pa);
  if (*at == NULL && s->under != NULL &&
      source_read(s->under, pa, copy, PAGE_BYTES) == 0)
    source_keep(s, pa, copy);
  return *at;
}

int source_read(struct source *s, uint64_t pa, void *buf, size_t n) {
  unsigned char *out = buf;

  for (size_t done = 0; done < n;) {
    uint64_t offset = (pa + done) % PAGE_BYTES;
    size_t part = MIN(n - done, PAGE_BYTES - offset);
    const unsigned char *page = page_at(s, pa + done - offset);

    if (page == NULL || pa + done < pa) {
      memset(buf, 0, n);
      return -1;
    }
    memcpy(out + done, page + offset, part);
    done += part;
  }
  return 0;
}

uint64_t source_start(const struct source *s) { return s->start; }
uint64_t source_bytes(const struct source *s) { return s->bytes; }
uint64_t source_pages(const struct source *s) {
  return s->ram || s->under ? s->bytes / PAGE_BYTES : s->npages;
}
bool source_live(const struct source *s) {
  return s->under != NULL ? source_live(s->under) : s->ram != NULL;
}

void source_each(const struct source *s,
                 void (*visit)(void *arg, uint64_t pa, const void *page),
                 void *arg) {
  for (size_t i = 0; s->groups != NULL && i < group_count(s); i++)
    for (size_t j = 0; s->groups[i] != NULL && j < GROUP_PAGES; j++)
      if (s->groups[i]->pages[j] != NULL)
        visit(arg, s->start + (i * GROUP_PAGES + j) * PAGE_BYTES,
              s->groups[i]->pages[j]);
}
