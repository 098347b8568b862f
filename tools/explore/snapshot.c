/* Snapshots. See snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "model.h"
#include "util.h"

#define MAGIC "PGWSNAP1"
#define MAGIC_BYTES 8
#define VERSION 2
#define VERSION_BEFORE 1 /* without history */
#define HEADER_BYTES (MAGIC_BYTES + 4 + 8)

/* More than these is no snapshot of ours. */
#define FILE_MAX (256U << 20)
#define UNPACKED_MAX (1U << 30)
#define ZLIB_RATIO 1040 /* what zlib can pack no better than: 1032 */
#define LAYOUT_MAX (1U << 20)
#define RAM_MAX (64ULL << 30)

/* --- writing --- */

struct buffer {
  unsigned char *bytes;
  size_t n, room;
  uint32_t pages;
};

static void put_bytes(struct buffer *b, const void *p, size_t n) {
  if (b->room - b->n < n) {
    b->room = 2 * (b->room + n);
    b->bytes = must_grow(b->bytes, b->room, 1);
  }
  memcpy(b->bytes + b->n, p, n);
  b->n += n;
}

static void put_number(struct buffer *b, uint64_t x, int bytes) {
  unsigned char raw[8];

  for (int i = 0; i < bytes; i++)
    raw[i] = x >> 8 * i;
  put_bytes(b, raw, bytes);
}

static void count_page(void *arg, uint64_t pa, const void *page) {
  (void)pa;
  (void)page;
  ((struct buffer *)arg)->pages++;
}

static void put_page(void *arg, uint64_t pa, const void *page) {
  put_number(arg, pa, 8);
  put_bytes(arg, page, PAGE_BYTES);
}

/* Its length and itself; NULL: nothing. It is freed. */
static void put_text(struct buffer *b, char *text) {
  size_t n = text ? strlen(text) : 0;

  put_number(b, n, 4);
  if (n > 0)
    put_bytes(b, text, n);
  free(text);
}

static void put_content(struct buffer *b, struct source *s,
                        const struct layout *l, const struct history *h) {
  put_number(b, VERSION, 4);
  put_number(b, source_start(s), 8);
  put_number(b, source_bytes(s), 8);
  put_text(b, layout_write(l));
  source_each(s, count_page, b);
  put_number(b, b->pages, 4);
  source_each(s, put_page, b);
  put_text(b, h ? history_write(h) : NULL);
}

/* Header and packed content. */
static unsigned char *pack(const struct buffer *b, size_t *n,
                           struct trouble *why) {
  struct buffer out = {0};
  uLongf packed = compressBound(b->n);
  unsigned char *room = must_alloc(1, packed);
  uint32_t crc;

  if (compress2(room, &packed, b->bytes, b->n, Z_BEST_SPEED) != Z_OK) {
    trouble_say(why, "the snapshot could not be packed");
    free(room);
    return NULL;
  }
  put_bytes(&out, MAGIC, MAGIC_BYTES);
  put_number(&out, 0, 4);
  put_number(&out, b->n, 8);
  put_bytes(&out, room, packed);
  free(room);
  crc = crc32(0, out.bytes + MAGIC_BYTES + 4, out.n - MAGIC_BYTES - 4);
  for (int i = 0; i < 4; i++)
    out.bytes[MAGIC_BYTES + i] = crc >> 8 * i;
  *n = out.n;
  return out.bytes;
}

unsigned char *snapshot_take(struct source *s, const struct layout *l,
                             const struct history *h, size_t *n,
                             struct trouble *why) {
  struct source *record = source_record(s);
  struct memory *m = memory_create(record, l);
  struct buffer b = {0};
  unsigned char *bytes;

  model_free(model_take(m, 0));
  put_content(&b, record, l, h);
  bytes = pack(&b, n, why);
  free(b.bytes);
  memory_free(m);
  source_close(record);
  return bytes;
}

/* --- reading --- */

struct cursor {
  const unsigned char *p;
  size_t left;
  bool beyond; /* the end */
};

static const unsigned char *get_bytes(struct cursor *c, size_t n) {
  const unsigned char *p = c->p;

  if (c->beyond || c->left < n) {
    c->beyond = true;
    return NULL;
  }
  c->p += n;
  c->left -= n;
  return p;
}

static uint64_t get_number(struct cursor *c, int bytes) {
  const unsigned char *p = get_bytes(c, bytes);
  uint64_t x = 0;

  for (int i = 0; p != NULL && i < bytes; i++)
    x |= (uint64_t)p[i] << 8 * i;
  return x;
}

/* Check the header and unpack what follows; *n bytes. NULL, and why. */
static unsigned char *unpack(const unsigned char *bytes, size_t size, size_t *n,
                             struct trouble *why) {
  struct cursor c = {bytes, size, false};
  const unsigned char *magic = get_bytes(&c, MAGIC_BYTES);
  uint32_t crc = get_number(&c, 4);
  uint64_t content = get_number(&c, 8);
  unsigned char *out;
  uLongf got;

  if (magic == NULL || memcmp(magic, MAGIC, MAGIC_BYTES) != 0) {
    trouble_say(why, "not a snapshot");
    return NULL;
  }
  if (c.beyond ||
      crc32(0, bytes + MAGIC_BYTES + 4, size - MAGIC_BYTES - 4) != crc) {
    trouble_say(why, "the snapshot is damaged: its checksum is wrong");
    return NULL;
  }
  if (content > UNPACKED_MAX || content / ZLIB_RATIO > c.left) {
    trouble_say(why, "the snapshot is damaged: its length makes no sense");
    return NULL;
  }
  out = must_alloc(1, content);
  got = content;
  if (uncompress(out, &got, c.p, c.left) != Z_OK || got != content) {
    trouble_say(why, "the snapshot is damaged: it cannot be unpacked");
    free(out);
    return NULL;
  }
  *n = content;
  return out;
}

static int read_pages(struct cursor *c, struct source *s, struct trouble *why) {
  uint64_t pages = get_number(c, 4);

  for (uint64_t i = 0; i < pages; i++) {
    uint64_t pa = get_number(c, 8);
    const unsigned char *page = get_bytes(c, PAGE_BYTES);

    if (page == NULL)
      return trouble_say(why, "the snapshot ends too early");
    if (source_keep(s, pa, page) < 0)
      return trouble_say(why, "the snapshot has a page outside its memory");
  }
  return 0;
}

/* A text and its length, which is `most` at most; NULL, and why. */
static const char *read_text(struct cursor *c, size_t most, size_t *n,
                             struct trouble *why) {
  const unsigned char *text;

  *n = get_number(c, 4);
  text = *n <= most ? get_bytes(c, *n) : NULL;
  if (text == NULL)
    trouble_say(why, "the snapshot ends too early");
  return (const char *)text;
}

static int read_history(struct cursor *c, struct history **h,
                        struct trouble *why) {
  size_t n;
  const char *text = read_text(c, HISTORY_BYTES, &n, why);

  if (text == NULL)
    return -1;
  if (n > 0)
    *h = history_read(text, n, why);
  return n == 0 || *h != NULL ? 0 : -1;
}

static int read_content(struct cursor *c, struct snapshot *k,
                        struct trouble *why) {
  uint64_t version = get_number(c, 4);
  uint64_t start = get_number(c, 8), bytes = get_number(c, 8);
  const char *text;
  size_t length;

  if (!c->beyond && version != VERSION && version != VERSION_BEFORE)
    return trouble_say(why, "the snapshot is of version %u, not %d or %d",
                       (unsigned)version, VERSION_BEFORE, VERSION);
  text = read_text(c, LAYOUT_MAX, &length, why);
  if (text == NULL)
    return -1;
  if (bytes == 0 || bytes > RAM_MAX || (start | bytes) % PAGE_BYTES != 0 ||
      start > UINT64_MAX - bytes)
    return trouble_say(why, "the snapshot's memory makes no sense");
  k->layout = layout_read_text(text, length, why);
  if (k->layout == NULL)
    return -1;
  k->source = source_kept(start, bytes);
  if (read_pages(c, k->source, why) < 0 ||
      (version != VERSION_BEFORE && read_history(c, &k->history, why) < 0))
    return -1;
  return c->left == 0 ? 0 : trouble_say(why, "the snapshot goes on too long");
}

void snapshot_close(struct snapshot *k) {
  source_close(k->source);
  layout_free(k->layout);
  history_free(k->history);
  *k = (struct snapshot){0};
}

int snapshot_open(const unsigned char *bytes, size_t n, struct snapshot *k,
                  struct trouble *why) {
  size_t content = 0;
  unsigned char *unpacked = unpack(bytes, n, &content, why);
  struct cursor c = {unpacked, content, false};
  int r;

  *k = (struct snapshot){0};
  if (unpacked == NULL)
    return -1;
  r = read_content(&c, k, why);
  free(unpacked);
  if (r < 0)
    snapshot_close(k);
  return r;
}

/* All of a file, *n bytes, or of one that is too long as much as FILE_MAX. */
static unsigned char *read_file(FILE *f, size_t *n) {
  unsigned char *bytes = NULL;
  size_t room = 1 << 20, got;

  *n = 0;
  do {
    room *= 2;
    bytes = must_grow(bytes, room, 1);
    got = fread(bytes + *n, 1, room - *n, f);
    *n += got;
  } while (*n == room && room < FILE_MAX);
  return bytes;
}

int snapshot_open_file(const char *path, struct snapshot *k,
                       struct trouble *why) {
  FILE *f = fopen(path, "rb");
  unsigned char *bytes;
  struct trouble inner;
  size_t n;
  int r;

  if (f == NULL)
    return trouble_say(why, "%s: %s", path, strerror(errno));
  bytes = read_file(f, &n);
  fclose(f);
  r = snapshot_open(bytes, n, k, &inner);
  free(bytes);
  return r < 0 ? trouble_say(why, "%s: %.150s", path, inner.text) : 0;
}
