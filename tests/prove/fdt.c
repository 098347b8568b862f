/*
 * The device tree, kernel/lib/fdt.c: whatever the firmware hands over. The blob
 * is any bytes; so most are no tree, and what is found in them is nonsense, but
 * lies inside.
 */
/* sources: tests/prove/strings.c */
#include "prove.h"

#include "../../kernel/lib/fdt.c"

#define STRUCT_BYTES 20 /* a node and a property, or five small tokens */
#define BLOB_BYTES (HDR_SIZE + STRUCT_BYTES)

static uchar blob[BLOB_BYTES] __attribute__((aligned(8)));

/* Any blob that the check lets through and that is not longer than this one. */
static void begin(void) {
  any_bytes(blob);
  assume(fdt_check(blob) == 0 && header(blob, HDR_TOTALSIZE) <= BLOB_BYTES);
}

static uint struct_end(void) {
  return header(blob, HDR_OFF_STRUCT) + header(blob, HDR_SIZE_STRUCT);
}

PROVE(
    check,
    "a header that is accepted is whole, and both blocks lie behind it inside "
    "the blob; only the header is read",
    "none: any header", "quick small --unwind 2") {
  static uchar head[HDR_SIZE] __attribute__((aligned(8)));
  uint64 total;
  int r;

  any_bytes(head);
  r = fdt_check(head);
  claim(r == 0 || r == -EINVAL);
  if (r < 0)
    return;
  total = header(head, HDR_TOTALSIZE);
  claim(total >= HDR_SIZE && total <= BLOB_MAX);
  claim(header(head, HDR_OFF_STRUCT) % TOKEN == 0);
  claim((uint64)header(head, HDR_OFF_STRUCT) + header(head, HDR_SIZE_STRUCT) <=
        total);
  claim((uint64)header(head, HDR_OFF_STRINGS) +
            header(head, HDR_SIZE_STRINGS) <=
        total);
  claim(header(head, HDR_OFF_STRUCT) >= HDR_SIZE);
  claim(header(head, HDR_OFF_STRINGS) >= HDR_SIZE);
  reached(total == BLOB_MAX);
}

PROVE(next_node,
      "any number may be asked about; what is found is the start of a node "
      "behind it, inside the block",
      "any blob of up to 60 bytes, any number for a node",
      "small --unwind 22 --unwindset "
      "fdt_next_node.0:7,fdt_prop.0:7,memcmp.0:4,strlen.0:4") {
  int from = any_int(), depth = any_below(4), old = depth, node;

  begin();
  node = fdt_next_node(blob, from, any_bool() ? &depth : NULL);
  claim(node == -1 || (node > from && node >= 0 && node % TOKEN == 0));
  if (node < 0)
    return;
  claim(header(blob, HDR_OFF_STRUCT) + node + TOKEN < struct_end());
  claim(be32(blob + header(blob, HDR_OFF_STRUCT) + node) == FDT_BEGIN_NODE);
  claim(depth <= old + 1 || from < 0);
  reached(node == 8 && from == 0 && depth == old + 1);
}

PROVE(
    prop,
    "a property that is found lies inside the block with all of its bytes, and "
    "behind its node; numbers and strings in it, too",
    "any blob of up to 60 bytes, any number for a node, a name of 2 bytes",
    "small --unwind 22 --unwindset "
    "fdt_next_node.0:7,fdt_prop.0:7,memcmp.0:4,strlen.0:4") {
  const char name[] = {any_char(), any_char(), '\0'}, *text;
  const uchar *p, *block;
  int node = any_int(), len, n, i = any_int();
  uint number;

  begin();
  block = blob + header(blob, HDR_OFF_STRUCT);
  p = fdt_prop(blob, node, name, &len);
  if (p == NULL)
    return;
  claim(node >= 0 && len >= 0 && p >= block + node + PROP_HEAD + TOKEN);
  claim(p + len <= blob + struct_end());
  reached(len == 0 && node == 0);
  number = fdt_cell(blob, node, name, i, &n);
  claim(n == len / 4);
  claim(number == (i >= 0 && i < n ? be32(p + 4 * i) : 0));
  claim(fdt_u32(blob, node, name, 7) == (len == 4 ? be32(p) : 7));
  text = fdt_string(blob, node, name);
  claim(text == NULL || (text == (const char *)p && text[len - 1] == '\0'));
}
