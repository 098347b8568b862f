/*
 * The flattened device tree: a header, a block of strings (property names), and
 * a block of big-endian 32-bit tokens that spell the tree depth first:
 *
 *   BEGIN_NODE "name\0" { PROP len nameoff bytes }* { child nodes }* END_NODE
 *
 * each padded to four bytes. There is no index: to find something is to walk the
 * tokens from the start. Everything goes through tag_at(), which measures one
 * token and checks that all of it lies in the block; the rest of the file
 * only sees tokens that are whole.
 */
#include "lib/fdt.h"

#include "lib/string.h"

/* Header: offsets of its fields (Devicetree Specification 0.4, 5.2). */
#define FDT_MAGIC 0xd00dfeed
#define HDR_MAGIC 0
#define HDR_TOTALSIZE 4
#define HDR_OFF_STRUCT 8
#define HDR_OFF_STRINGS 12
#define HDR_VERSION 20
#define HDR_LAST_COMP_VERSION 24
#define HDR_SIZE_STRINGS 32
#define HDR_SIZE_STRUCT 36
#define HDR_SIZE 40
#define VERSION 17 /* the only one in use since 2007 */

/* Tokens (5.4.1). */
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4
#define FDT_END 9

#define TOKEN 4      /* bytes of a token */
#define PROP_HEAD 12 /* token, length, name offset */
/* No device tree is as large; what claims to be is not one. */
#define BLOB_MAX (16 * 1024 * 1024)
#define DEPTH_MAX 32 /* of nodes, root included */

/* Defaults where a parent does not say (2.3.5). */
#define ADDRESS_CELLS 2
#define SIZE_CELLS 1

static uint be32(const uchar *p) {
  return (uint)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint header(const void *blob, uint field) {
  return be32((const uchar *)blob + field);
}

static bool inside(uint offset, uint size, uint total) {
  return offset >= HDR_SIZE && offset <= total && size <= total - offset;
}

int fdt_check(const void *blob) {
  uint total;

  if ((unsigned long)blob % TOKEN != 0 || header(blob, HDR_MAGIC) != FDT_MAGIC)
    return -EINVAL;
  total = header(blob, HDR_TOTALSIZE);
  if (total < HDR_SIZE || total > BLOB_MAX ||
      header(blob, HDR_VERSION) < VERSION ||
      header(blob, HDR_LAST_COMP_VERSION) > VERSION)
    return -EINVAL;
  if (header(blob, HDR_OFF_STRUCT) % TOKEN != 0 ||
      !inside(header(blob, HDR_OFF_STRUCT), header(blob, HDR_SIZE_STRUCT),
              total) ||
      !inside(header(blob, HDR_OFF_STRINGS), header(blob, HDR_SIZE_STRINGS),
              total))
    return -EINVAL;
  return 0;
}

/* A token: what it is and where the next one starts. */
struct tag {
  uint token;
  int next;
};

/*
 * The token at an offset of the structure block. False at its end, or if what
 * is there is no token or not wholly inside the block.
 */
static bool tag_at(const void *blob, int offset, struct tag *t) {
  const uchar *p = (const uchar *)blob + header(blob, HDR_OFF_STRUCT);
  uint size = header(blob, HDR_SIZE_STRUCT);
  uint left, len = 0;

  if (offset < 0 || offset % TOKEN != 0 || (uint)offset + TOKEN > size)
    return false;
  p += offset;
  left = size - offset;
  t->token = be32(p);
  switch (t->token) {
    case FDT_BEGIN_NODE:
      len = strnlen((const char *)p + TOKEN, left - TOKEN) + 1;
      break;
    case FDT_PROP:
      if (left < PROP_HEAD)
        return false;
      len = be32(p + TOKEN);
      if (len > left - PROP_HEAD)
        return false;
      len += PROP_HEAD - TOKEN;
      break;
    case FDT_END_NODE:
    case FDT_NOP:
      break;
    default:
      return false;
  }
  if (len > left - TOKEN)
    return false;
  t->next = offset + TOKEN + (len + TOKEN - 1) / TOKEN * TOKEN;
  return true;
}

int fdt_next_node(const void *blob, int node, int *depth) {
  struct tag t;
  int at = 0, level = 0;

  if (node >= 0) {
    if (!tag_at(blob, node, &t) || t.token != FDT_BEGIN_NODE)
      return -1;
    at = t.next;
    level = depth ? *depth + 1 : 1;
  }
  for (; tag_at(blob, at, &t); at = t.next) {
    if (t.token == FDT_END_NODE)
      level--;
    if (t.token != FDT_BEGIN_NODE)
      continue;
    if (depth)
      *depth = level;
    return at;
  }
  return -1;
}

static const char *node_name(const void *blob, int node) {
  struct tag t;

  if (!tag_at(blob, node, &t) || t.token != FDT_BEGIN_NODE)
    return "";
  return (const char *)blob + header(blob, HDR_OFF_STRUCT) + node + TOKEN;
}

/* Does the strings block have this name at an offset? */
static bool string_is(const void *blob, uint offset, const char *name) {
  uint size = header(blob, HDR_SIZE_STRINGS);
  size_t len = strlen(name) + 1;

  return offset < size && len <= size - offset &&
         memcmp((const char *)blob + header(blob, HDR_OFF_STRINGS) + offset,
                name, len) == 0;
}

const void *fdt_prop(const void *blob, int node, const char *name, int *len) {
  const uchar *p;
  struct tag t;
  int at;

  if (!tag_at(blob, node, &t) || t.token != FDT_BEGIN_NODE)
    return NULL;
  for (at = t.next; tag_at(blob, at, &t); at = t.next) {
    if (t.token == FDT_NOP)
      continue;
    if (t.token != FDT_PROP)
      return NULL;
    p = (const uchar *)blob + header(blob, HDR_OFF_STRUCT) + at;
    if (!string_is(blob, be32(p + 2 * TOKEN), name))
      continue;
    if (len)
      *len = be32(p + TOKEN);
    return p + PROP_HEAD;
  }
  return NULL;
}

uint fdt_u32(const void *blob, int node, const char *name, uint otherwise) {
  int len;
  const void *p = fdt_prop(blob, node, name, &len);

  return p && len == sizeof(uint32) ? be32(p) : otherwise;
}

uint fdt_cell(const void *blob, int node, const char *name, int i, int *n) {
  int len = 0;
  const uchar *p = fdt_prop(blob, node, name, &len);

  *n = len / sizeof(uint32);
  return i >= 0 && i < *n ? be32(p + i * sizeof(uint32)) : 0;
}

const char *fdt_string(const void *blob, int node, const char *name) {
  int len;
  const char *s = fdt_prop(blob, node, name, &len);

  return s && len > 0 && s[len - 1] == 0 ? s : NULL;
}

bool fdt_compatible(const void *blob, int node, const char *what) {
  size_t n = strlen(what) + 1;
  int len;
  const char *s = fdt_prop(blob, node, "compatible", &len);
  const char *end = s ? s + len : NULL;

  while (s && s < end) {
    if ((size_t)(end - s) >= n && memcmp(s, what, n) == 0)
      return true;
    s += strnlen(s, end - s) + 1;
  }
  return false;
}

int fdt_parent(const void *blob, int node) {
  int path[DEPTH_MAX] = {-1};
  int depth = 0;

  for (int n = fdt_next_node(blob, -1, &depth); n >= 0;
       n = fdt_next_node(blob, n, &depth)) {
    if (depth < 0 || depth >= DEPTH_MAX)
      return -1;
    if (n == node)
      return depth == 0 ? -1 : path[depth - 1];
    path[depth] = n;
  }
  return -1;
}

/* A number of one or two cells; more cannot be an address of ours. */
static uint64 cells(const uchar *p, uint n) {
  return n == 0 ? 0 : n == 1 ? be32(p) : (uint64)be32(p) << 32 | be32(p + 4);
}

int fdt_reg(const void *blob, int node, int i, uint64 *addr, uint64 *size) {
  int parent = fdt_parent(blob, node);
  uint na = fdt_u32(blob, parent, "#address-cells", ADDRESS_CELLS);
  uint ns = fdt_u32(blob, parent, "#size-cells", SIZE_CELLS);
  uint pair = (na + ns) * sizeof(uint32);
  int len;
  const uchar *p = fdt_prop(blob, node, "reg", &len);

  if (p == NULL || i < 0 || na == 0 || na > 2 || ns > 2 ||
      (uint)len / pair <= (uint)i)
    return -ENOENT;
  p += i * pair;
  *addr = cells(p, na);
  *size = cells(p + na * sizeof(uint32), ns);
  return 0;
}

/* Is this a node's name, with or without its "@address"? */
static bool name_is(const char *name, const char *want, size_t len) {
  return strncmp(name, want, len) == 0 && (name[len] == 0 || name[len] == '@');
}

int fdt_path(const void *blob, const char *path) {
  int depth = 0, want = 0, node = fdt_next_node(blob, -1, &depth);
  size_t len;

  while (node >= 0) {
    while (*path == '/')
      path++;
    if (*path == 0)
      return node;
    for (len = 0; path[len] && path[len] != '/'; len++)
      ;
    want++;
    do
      node = fdt_next_node(blob, node, &depth);
    while (node >= 0 && depth >= want &&
           !(depth == want && name_is(node_name(blob, node), path, len)));
    if (depth < want)
      return -1;
    path += len;
  }
  return -1;
}
