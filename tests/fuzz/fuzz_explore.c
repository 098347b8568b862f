/*
 * The explorer with damaged snapshots, and with machines whose memory makes no
 * sense: whatever is there is shown or refused in words. The first byte of an input
 * says what the rest is:
 *
 *   0  a file                  1  what is packed in one
 *   2  changes to the small machine's layout, 4 bytes each: where, a character
 *   3  changes to the small machine, 8 bytes each: where, how many bytes, value
 *   4  the same, where the value is an address or entry that leads into its RAM
 *   5  changes to the text of a history, 4 bytes each: where, a character
 *
 * What could be opened is read, shown as JSON, asked, and kept again.
 */
/* sources: tools/explore/snapshot.c tools/explore/history.c tools/explore/layout.c tools/explore/dwarf.c tools/explore/source.c tools/explore/memory.c tools/explore/walk.c tools/explore/model.c tools/explore/spaces.c tools/explore/frames.c tools/explore/events.c tools/explore/json.c tools/explore/machine.c tools/explore/arch/riscv.c tools/explore/arch/x86.c */
#include <stdlib.h>
#include <zlib.h>

#include "../../tools/explore/json.h"
#include "../../tools/explore/snapshot.h"
#include "../../tools/explore/util.h"
#include "small_machine.h"

#define HEADER_BYTES 20 /* snapshot.h: magic, crc, bytes unpacked */
#define CHANGE_BYTES 8
#define TEXT_CHANGE_BYTES 4
#define RAM_SHOWN_MAX (64ULL << 20) /* more takes long, and shows nothing new */

/* --- a snapshot --- */

static size_t put(unsigned char *to, const void *from, size_t n) {
  memcpy(to, from, n);
  return n;
}

/* All RAM, a layout and a history, as they are in a snapshot; *n bytes, malloc'd. No
 * history: as they were in version 1. */
static unsigned char *content_of(const unsigned char *ram, const char *layout,
                                 size_t layout_bytes, const char *history,
                                 size_t *n) {
  uint32_t samples = history ? sizeof(small_history) - 1 : 0;
  unsigned char *all =
      malloc(64 + layout_bytes + SMALL_PAGES * (8 + 4096) + samples);
  uint32_t version = history ? 2 : 1, length = layout_bytes;
  uint32_t pages = SMALL_PAGES;
  uint64_t start = SMALL_START, bytes = SMALL_BYTES;
  unsigned char *p = all;

  p += put(p, &version, 4);
  p += put(p, &start, 8);
  p += put(p, &bytes, 8);
  p += put(p, &length, 4);
  p += put(p, layout, layout_bytes);
  p += put(p, &pages, 4);
  for (uint64_t i = 0; i < SMALL_PAGES; i++) {
    start = SMALL_PAGE(i);
    p += put(p, &start, 8);
    p += put(p, ram + i * 4096, 4096);
  }
  if (history != NULL) {
    p += put(p, &samples, 4);
    p += put(p, history, samples);
  }
  *n = p - all;
  return all;
}

/* A file with the right checksum of that; malloc'd. */
static unsigned char *pack(const void *content, size_t bytes, size_t *n) {
  uLongf packed = compressBound(bytes);
  unsigned char *file = malloc(HEADER_BYTES + packed);
  uint64_t unpacked = bytes;
  uint32_t crc;

  memcpy(file, "PGWSNAP1", 8);
  memcpy(file + 12, &unpacked, 8);
  compress2(file + HEADER_BYTES, &packed, content, bytes, 1);
  *n = HEADER_BYTES + packed;
  crc = crc32(0, file + 12, *n - 12);
  memcpy(file + 8, &crc, 4);
  return file;
}

/* --- what a reader does with it --- */

static void ask(const struct model *model, struct memory *m, json_t *request) {
  json_t *answer = json_answer(model, m, request);

  json_decref(answer);
  json_decref(request);
}

static void ask_all(const struct model *model, struct memory *m, int pid,
                    uint64_t address) {
  char text[32];

  snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
  ask(model, m, json_pack("{s:s,s:i}", "op", "table", "pid", pid));
  ask(model, m,
      json_pack("{s:s,s:i,s:s}", "op", "table", "pid", pid, "pa", text));
  ask(model, m,
      json_pack("{s:s,s:i,s:s}", "op", "walk", "pid", pid, "va", text));
  ask(model, m, json_pack("{s:s,s:s}", "op", "frame", "pa", text));
}

/* Read and show all that there is. */
static void show(struct source *s, const struct layout *l) {
  struct memory *m = memory_create(s, l);
  struct model *model = model_take(m, 1);
  size_t n;

  json_decref(json_hello(m));
  json_decref(json_state(model, m));
  json_decref(json_spaces(model));
  json_decref(json_events(model, NULL));
  free(json_frames(model, &n));
  for (size_t i = 0; i < MIN(model->nspaces, 4); i++) {
    const struct space_view *v = &model->spaces[i];

    ask_all(model, m, v->pid, v->root);
    if (v->nregions > 0)
      ask_all(model, m, v->pid, v->regions[v->nregions - 1].end - 8);
  }
  model_free(model);
  memory_free(m);
}

/* What was shown can be kept, and the file be opened; its history is the same. */
static void keep(const struct snapshot *k) {
  struct snapshot again;
  struct trouble why;
  size_t n;
  unsigned char *file =
      snapshot_take(k->source, k->layout, k->history, &n, &why);
  char *was, *is;

  if (file == NULL || snapshot_open(file, n, &again, &why) < 0 ||
      !again.history != !k->history)
    abort();
  free(file);
  if (k->history != NULL) {
    was = history_write(k->history);
    is = history_write(again.history);
    if (strcmp(was, is) != 0)
      abort();
    free(was);
    free(is);
  }
  snapshot_close(&again);
}

/* As of a state that goes on from it. */
static void follow(struct history *h) {
  json_t *counters, *state;
  uint64_t number = history_pop(h, &counters);

  state = json_pack("{s:{s:i},s:o}", "owners", "free", 1, "counters", counters);
  history_add(h, number, state);
  json_decref(history_between(h, 0));
  json_decref(history_between(h, number));
  json_decref(state);
}

static void open_file(const unsigned char *file, size_t n) {
  struct snapshot k;
  struct trouble why = {""};

  if (snapshot_open(file, n, &k, &why) < 0) {
    if (why.text[0] == 0)
      abort(); /* refused without a word */
    return;
  }
  if (source_bytes(k.source) <= RAM_SHOWN_MAX) {
    show(k.source, k.layout);
    keep(&k);
  }
  if (k.history != NULL)
    follow(k.history);
  snapshot_close(&k);
}

static void open_content(const void *content, size_t bytes) {
  size_t n;
  unsigned char *file = pack(content, bytes, &n);

  open_file(file, n);
  free(file);
}

/* --- inputs --- */

/* Something that leads into RAM, by 4 bytes. */
static uint64_t leading(const unsigned char *c) {
  uint64_t page = SMALL_PAGE(c[0] % SMALL_PAGES);

  switch (c[1] % 4) {
    case 0:
      return page + 8 * c[2];
    case 1:
      return SMALL_PTE(page, 1); /* a table */
    case 2:
      return SMALL_PTE(page, c[2] | 1);
    default:
      return (uint64_t)c[2] << 12 | c[3]; /* a user's address, a number */
  }
}

static void change(unsigned char *ram, const unsigned char *c, int kind) {
  uint64_t at = (c[0] | c[1] << 8 | c[2] << 16) % (SMALL_BYTES - 8);
  uint64_t value = 0;

  /* most of it is empty: what is used lies below */
  if (c[3] & 1)
    at = at % 0x40 * 8 + (at >> 8) % 17 * 4096;
  memcpy(&value, c + 4, 4);
  if (c[3] & 2)
    value = (uint64_t)(int32_t)value; /* the highest addresses, too */
  if (kind == 4)
    value = leading(c + 4);
  memcpy(ram + at, &value, 1 << c[3] / 64);
}

static void change_text(char *text, size_t n, const unsigned char *c) {
  text[(c[0] | c[1] << 8) % n] =
      c[3] & 3 ? "0123456789abcdef"[c[2] % 16] : c[2];
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n) {
  static unsigned char ram[SMALL_BYTES];
  char layout[sizeof(small_layout)], history[sizeof(small_history)];
  unsigned char *content;
  size_t size;
  int kind;

  if (n == 0)
    return 0;
  kind = *bytes++ % 6;
  n--;
  small_make(ram);
  if (kind == 0) {
    open_file(bytes, n);
    return 0;
  }
  if (kind == 1) {
    open_content(bytes, n);
    return 0;
  }
  memcpy(layout, small_layout, sizeof(layout));
  memcpy(history, small_history, sizeof(history));
  for (; (kind == 2 || kind == 5) && n >= TEXT_CHANGE_BYTES;
       n -= TEXT_CHANGE_BYTES) {
    if (kind == 2)
      change_text(layout, sizeof(layout) - 1, bytes);
    else
      change_text(history, sizeof(history) - 1, bytes);
    bytes += TEXT_CHANGE_BYTES;
  }
  for (; (kind == 3 || kind == 4) && n >= CHANGE_BYTES; n -= CHANGE_BYTES) {
    change(ram, bytes, kind);
    bytes += CHANGE_BYTES;
  }
  content = content_of(ram, layout, sizeof(layout) - 1,
                       kind == 5 ? history : NULL, &size);
  open_content(content, size);
  free(content);
  return 0;
}
