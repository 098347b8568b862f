/*
 * Frames: who owns them, from the kernel's own table of them, and who maps them,
 * from the page tables.
 *
 *    frames[] -> struct page {owner, order, head, count}
 *
 * Of a block that is allocated the first frame speaks for all; of a free one, too
 * (`head`). A free frame that is in no block waits on a CPU's list.
 */
#include <stdlib.h>
#include <string.h>

#include "model_parts.h"
#include "util.h"

#define SLACK_FRAMES 1024 /* that a table may have beyond the RAM's */
#define MAPS_MAX 0xffff

/* Where the members of a struct page are. */
struct shape {
  size_t size;
  struct {
    size_t at, bytes;
  } owner, order, head, count;
};

/* The classes of owners that have one whatever maps the frame. */
static const struct {
  const char *owner;
  enum page_class kind;
} owner_classes[] = {
    {"free", CLASS_FREE},   {"reserved", CLASS_RESERVED},
    {"image", CLASS_DATA},  {"kernel", CLASS_KERNEL},
    {"slab", CLASS_SLAB},   {"stack", CLASS_STACK},
    {"table", CLASS_TABLE}, {"user", CLASS_PRIVATE},
    {"cache", CLASS_CACHE}, {"pipe", CLASS_PIPE},
    {"zero", CLASS_ZERO},
};

static enum page_class class_of_owner(const char *owner) {
  for (size_t i = 0; i < NELEM(owner_classes); i++)
    if (owner != NULL && strcmp(owner_classes[i].owner, owner) == 0)
      return owner_classes[i].kind;
  return CLASS_KERNEL;
}

struct frame_view *frames_at(const struct model *model, uint64_t pa) {
  uint64_t i = (pa - model->start) / PAGE_BYTES;

  return pa >= model->start && i < model->nframes ? &model->frames[i] : NULL;
}

bool frame_common(const struct frame_view *f) {
  return f->owner == OWNER_UNKNOWN ? f->maps > 1 : f->count > 1;
}

enum page_class frame_common_kind(const struct frame_view *f) {
  return f->owner == OWNER_UNKNOWN ? CLASS_SHARED : CLASS_COW;
}

/* --- the kernel's table --- */

#define PLACE(m, item) \
  { layout_at(memory_layout(m), item), layout_size(memory_layout(m), item) }

static struct shape shape_of(const struct memory *m) {
  return (struct shape){.size = layout_size(memory_layout(m), T_PAGE),
                        .owner = PLACE(m, M_PAGE_OWNER),
                        .order = PLACE(m, M_PAGE_ORDER),
                        .head = PLACE(m, M_PAGE_HEAD),
                        .count = PLACE(m, M_PAGE_COUNT)};
}

/* A member of at most 4 bytes; one that is not there, or lies outside, is 0. */
static uint32_t member(const struct shape *s, const unsigned char *page,
                       size_t at, size_t bytes) {
  uint32_t x = 0;

  if (bytes <= sizeof(x) && at <= s->size && bytes <= s->size - at)
    memcpy(&x, page + at, bytes);
  return x;
}

static uint32_t member_owner(const struct shape *s, const unsigned char *p) {
  return member(s, p, s->owner.at, s->owner.bytes);
}

/* Read the block whose first frame is number i. Its length in frames. */
static uint64_t note_block(struct model *model, const struct shape *s,
                           const unsigned char *p, uint64_t i) {
  uint32_t owner = member_owner(s, p);
  uint32_t order = member(s, p, s->order.at, s->order.bytes);
  bool head = member(s, p, s->head.at, s->head.bytes);
  bool is_free = model->frames[i].kind == CLASS_FREE;
  uint64_t n;

  if (order >= MODEL_ORDERS || (is_free && !head))
    order = 0;
  n = MIN((uint64_t)1 << order, model->nframes - i);
  if (owner < MODEL_OWNERS)
    model->owners[owner] += n;
  if (is_free)
    model->free_blocks[order]++;
  for (uint64_t k = i; k < i + n; k++) {
    model->frames[k].owner = owner;
    model->frames[k].order = order;
    model->frames[k].kind = model->frames[i].kind;
    model->frames[k].count = member(s, p, s->count.at, s->count.bytes);
  }
  return n;
}

static void note_frames(struct model *model, struct memory *m,
                        const struct shape *s, const unsigned char *table) {
  const struct layout *l = memory_layout(m);
  uint64_t text_end = layout_at(l, V_ETEXT) - layout_offset(l);

  for (uint64_t i = 0; i < model->nframes;) {
    const unsigned char *p = table + i * s->size;
    enum page_class c =
        class_of_owner(layout_enumerator(l, E_OWNER, member_owner(s, p)));

    if (c == CLASS_DATA && model->start + i * PAGE_BYTES < text_end)
      c = CLASS_TEXT;
    model->frames[i].kind = c;
    i += note_block(model, s, p, i);
  }
}

/* The table's own words on where it is and how long; false if they make no
 * sense. */
static bool find_table(struct model *model, struct memory *m, uint64_t *va) {
  struct source *s = memory_source(m);
  uint64_t n, first;

  if (memory_variable(m, V_FRAMES, va) < 0 || *va == 0 ||
      memory_variable(m, V_NFRAMES, &n) < 0 ||
      memory_variable(m, V_FIRST_FRAME, &first) < 0 ||
      !layout_has(memory_layout(m), M_PAGE_OWNER))
    return false;
  if (n == 0 || n > source_bytes(s) / PAGE_BYTES + SLACK_FRAMES ||
      first % PAGE_BYTES != 0)
    return false;
  model->start = first;
  model->nframes = n;
  return true;
}

/* No table: all is known of a frame is where it is. */
static void note_unknown(struct model *model, struct memory *m) {
  const struct layout *l = memory_layout(m);
  uint64_t text_end = layout_at(l, V_ETEXT) - layout_offset(l);
  uint64_t end = layout_at(l, V_END) - layout_offset(l);

  model->start = source_start(memory_source(m));
  model->nframes = source_bytes(memory_source(m)) / PAGE_BYTES;
  model->frames = must_alloc(model->nframes, sizeof(*model->frames));
  for (uint64_t i = 0; i < model->nframes; i++) {
    uint64_t pa = model->start + i * PAGE_BYTES;

    model->frames[i].owner = OWNER_UNKNOWN;
    model->frames[i].kind = pa < text_end ? CLASS_TEXT
                            : pa < end    ? CLASS_DATA
                                          : CLASS_KERNEL;
  }
}

#define SHAPE_MAX 256 /* bytes of a struct page that is believed */

void frames_read(struct model *model, struct memory *m) {
  struct shape s = shape_of(m);
  unsigned char *table;
  uint64_t va;

  if (s.size == 0 || s.size > SHAPE_MAX || !find_table(model, m, &va)) {
    note_unknown(model, m);
    return;
  }
  model->frames = must_alloc(model->nframes, sizeof(*model->frames));
  table = must_alloc(model->nframes, s.size);
  memory_read(m, va, table, model->nframes * s.size);
  note_frames(model, m, &s, table);
  free(table);
}

/* --- what maps them --- */

void frames_table(struct model *model, uint64_t pa) {
  struct frame_view *f = frames_at(model, pa);

  if (f != NULL && f->owner == OWNER_UNKNOWN)
    f->kind = CLASS_TABLE;
}

void frames_map(struct model *model, uint64_t pa, uint64_t bytes, bool shared) {
  for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
    struct frame_view *f = frames_at(model, pa + at);

    if (f == NULL)
      continue;
    f->maps += f->maps < MAPS_MAX;
    if (f->owner == OWNER_UNKNOWN && f->kind == CLASS_KERNEL)
      f->kind = CLASS_PRIVATE;
    if (f->kind == CLASS_PRIVATE && shared)
      f->kind = CLASS_SHARED;
  }
}

void frames_finish(struct model *model) {
  for (uint64_t i = 0; i < model->nframes; i++)
    if (model->frames[i].kind == CLASS_PRIVATE &&
        frame_common(&model->frames[i]))
      model->frames[i].kind = frame_common_kind(&model->frames[i]);
}
