/*
 * The arena is a list of chunks, the newest first; allocation moves a mark
 * upward in the newest. What belongs to a command, its tree and the arguments
 * made of it, is never freed piece by piece.
 */
#include "sh.h"

#define CHUNK_SIZE 4096
#define ALIGN 8

struct chunk {
  struct chunk *below;
  uint used;
  uint size;
  char data[] __attribute__((aligned(ALIGN)));
};

static struct chunk *newest;

static void add_chunk(uint n) {
  uint size = n > CHUNK_SIZE ? n : CHUNK_SIZE;
  struct chunk *c = xmalloc(sizeof(*c) + size);

  c->below = newest;
  c->used = 0;
  c->size = size;
  newest = c;
}

void *arena_alloc(uint n) {
  void *p;

  n = (n + ALIGN - 1) & ~(ALIGN - 1);
  if (!newest || newest->size - newest->used < n)
    add_chunk(n);
  p = newest->data + newest->used;
  newest->used += n;
  return memset(p, 0, n);
}

char *arena_copy(const char *s, uint n) {
  return memmove(arena_alloc(n + 1), s, n);
}

struct arena_mark arena_mark(void) {
  return (struct arena_mark){newest, newest ? newest->used : 0};
}

void arena_release(struct arena_mark mark) {
  while (newest != mark.chunk) {
    struct chunk *c = newest;

    newest = c->below;
    free(c);
  }
  if (newest)
    newest->used = mark.used;
}

void text_insert(struct text *t, uint at, const char *s, uint n) {
  if (t->len + n + 1 > t->size) {
    t->size = 2 * (t->len + n + 1);
    t->s = xrealloc(t->s, t->size);
  }
  memmove(t->s + at + n, t->s + at, t->len - at);
  memmove(t->s + at, s, n);
  t->len += n;
  t->s[t->len] = 0;
}

void text_add(struct text *t, const char *s, uint n) {
  text_insert(t, t->len, s, n);
}

void text_remove(struct text *t, uint at, uint n) {
  memmove(t->s + at, t->s + at + n, t->len - at - n);
  t->len -= n;
  t->s[t->len] = 0;
}

void text_clear(struct text *t) {
  t->len = 0;
  text_add(t, "", 0);
}
