/*
 * The kernel's memory. See memory.h.
 *
 * The first step is taken without a table: the kernel's image lies in the direct
 * map, virtual = physical + layout_offset(), and so does the root of its table,
 * to which the variable kernel_pagetable in the image points.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#define CACHED 256 /* translations that are remembered, a power of two */

struct memory {
  struct source *source;
  const struct layout *layout;
  struct geometry geometry;
  uint64_t root;
  struct tally tally;
  const char *unseen;
  char name[64];
  struct {
    bool known;
    uint64_t va, pa; /* of pages */
  } cache[CACHED];
};

struct memory *memory_create(struct source *s, const struct layout *l) {
  struct memory *m = must_alloc(1, sizeof(*m));

  m->source = s;
  m->layout = l;
  m->geometry = (struct geometry){layout_machine(l), layout_machine(l)->levels};
  m->unseen = "";
  return m;
}

void memory_free(struct memory *m) { free(m); }

const char *memory_kernel_name(const struct memory *m) {
  return m->name[0] ? m->name : layout_kernel(m->layout);
}
struct tally *memory_tally(struct memory *m) {
  return &m->tally;
}
struct source *memory_source(const struct memory *m) {
  return m->source;
}
const struct layout *memory_layout(const struct memory *m) { return m->layout; }
struct geometry memory_geometry(const struct memory *m) {
  return m->geometry;
}
uint64_t memory_kernel_root(const struct memory *m) { return m->root; }

/* Little-endian, as both machines and their host. */
static uint64_t number(const unsigned char *p, size_t bytes) {
  uint64_t x = 0;

  for (size_t i = 0; i < bytes; i++)
    x |= (uint64_t)p[i] << 8 * i;
  return x;
}

/* A variable of the image, by the direct map alone. */
static uint64_t early(struct memory *m, enum layout_item v, size_t bytes) {
  unsigned char raw[sizeof(uint64_t)];

  source_read(m->source, layout_at(m->layout, v) - layout_offset(m->layout),
              raw, bytes);
  return number(raw, bytes);
}

static void printable(char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~')
      *text = '?';
}

static void read_name(struct memory *m) {
  size_t n = MIN(layout_size(m->layout, V_NAME), sizeof(m->name) - 1);

  source_read(m->source,
              layout_at(m->layout, V_NAME) - layout_offset(m->layout), m->name,
              n);
  printable(m->name);
}

/* Does the table that was found translate its own pointer to where that is? The
 * table of another kernel, or bytes that are no table, hardly do. */
static bool is_own_table(struct memory *m) {
  uint64_t at = layout_at(m->layout, V_KERNEL_TABLE), pa;

  return m->root % PAGE_BYTES == 0 && memory_translate(m, at, &pa) == 0 &&
         pa == at - layout_offset(m->layout);
}

const char *memory_unseen(const struct memory *m) { return m->unseen; }

int memory_refresh(struct memory *m) {
  const struct machine *machine = m->geometry.machine;
  uint64_t table = early(m, V_KERNEL_TABLE, machine->word_bytes);
  uint64_t levels = machine->levels;

  memset(m->cache, 0, sizeof(m->cache));
  read_name(m);
  if (layout_has(m->layout, V_LEVELS))
    levels = early(m, V_LEVELS, 4);
  if (levels < (uint64_t)machine->levels ||
      levels > (uint64_t)machine->levels_max)
    levels = machine->levels;
  m->geometry.levels = levels;
  m->root = table ? table - layout_offset(m->layout) : 0;
  m->unseen = "";
  if (table == 0)
    m->unseen =
        "This kernel has not started, or this is not its memory: it has "
        "no page table there.";
  else if (!is_own_table(m))
    m->unseen =
        "This is not the memory of this kernel: where its page table "
        "should be is none that has the kernel in it.";
  if (m->unseen[0] == 0)
    return 0;
  m->root = 0;
  memset(m->cache, 0, sizeof(m->cache));
  return -1;
}

int memory_translate(struct memory *m, uint64_t va, uint64_t *pa) {
  uint64_t page = va & ~(uint64_t)(PAGE_BYTES - 1);
  size_t slot = va / PAGE_BYTES % CACHED;
  struct walk w;

  *pa = 0;
  if (!m->cache[slot].known || m->cache[slot].va != page) {
    if (m->root == 0)
      return -1;
    walk_address(m->source, m->geometry, m->root, page, &w);
    if (!w.mapped)
      return -1;
    m->cache[slot].known = true;
    m->cache[slot].va = page;
    m->cache[slot].pa = w.pa;
  }
  *pa = m->cache[slot].pa + va % PAGE_BYTES;
  return 0;
}

int memory_read(struct memory *m, uint64_t va, void *buf, size_t n) {
  for (size_t done = 0; done < n;) {
    size_t part = MIN(n - done, PAGE_BYTES - (va + done) % PAGE_BYTES);
    uint64_t pa;

    if (memory_translate(m, va + done, &pa) < 0 ||
        source_read(m->source, pa, (char *)buf + done, part) < 0) {
      memset(buf, 0, n);
      return -1;
    }
    done += part;
  }
  return 0;
}

int memory_number(struct memory *m, uint64_t va, size_t bytes, uint64_t *out) {
  unsigned char raw[sizeof(uint64_t)];
  int r = bytes <= sizeof(raw) ? memory_read(m, va, raw, bytes) : -1;

  *out = r == 0 ? number(raw, bytes) : 0;
  return r;
}

int memory_pointer(struct memory *m, uint64_t va, uint64_t *out) {
  return memory_number(m, va, m->geometry.machine->word_bytes, out);
}

/* Bytes of a variable or member; a pointer's, if the file does not say. */
static size_t item_bytes(const struct memory *m, enum layout_item item) {
  size_t bytes = layout_size(m->layout, item);

  return bytes ? bytes : (size_t)m->geometry.machine->word_bytes;
}

int memory_variable(struct memory *m, enum layout_item v, uint64_t *out) {
  *out = 0;
  if (!layout_has(m->layout, v))
    return -1;
  return memory_number(m, layout_at(m->layout, v), item_bytes(m, v), out);
}

int memory_member(struct memory *m, uint64_t va, enum layout_item member,
                  uint64_t *out) {
  *out = 0;
  if (!layout_has(m->layout, member))
    return -1;
  return memory_number(m, va + layout_at(m->layout, member),
                       item_bytes(m, member), out);
}

int memory_string(struct memory *m, uint64_t va, char *buf, size_t n) {
  memset(buf, 0, n);
  for (size_t i = 0; i + 1 < n; i++) {
    if (memory_read(m, va + i, &buf[i], 1) < 0) {
      memset(buf, 0, n);
      return -1;
    }
    if (buf[i] == 0)
      break;
  }
  printable(buf);
  return 0;
}

int memory_list(struct memory *m, uint64_t head, int most,
                int (*visit)(void *arg, uint64_t link), void *arg) {
  uint64_t link, before = head, back;
  int r;

  if (memory_member(m, head, M_LIST_NEXT, &link) < 0)
    return -1;
  for (int i = 0; link != head; i++) {
    if (i == most || memory_member(m, link, M_LIST_PREV, &back) < 0 ||
        back != before)
      return -1;
    r = visit(arg, link);
    if (r != 0)
      return r;
    before = link;
    if (memory_member(m, link, M_LIST_NEXT, &link) < 0)
      return -1;
  }
  return 0;
}
