/*
 * The device tree reader, kernel/lib/fdt.c. The first byte says whether the rest is
 * a whole blob, or its two blocks, for which a sound header is written here.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fdt.c"

#define NODES_MAX \
  100000 /* more than fit into an input: it would go in circles */

static void put32(uchar *p, uint x) {
  for (int i = 0; i < 4; i++)
    p[i] = x >> (24 - 8 * i);
}

static size_t names; /* bytes of them, read */

/* Use everything there is of a blob that claims to be well. */
static void explore(const void *blob) {
  uint64 addr, size;
  int len, nodes = 0, depth = 0;

  if (fdt_check(blob) < 0)
    return;
  for (int n = fdt_next_node(blob, -1, &depth); n >= 0;
       n = fdt_next_node(blob, n, &depth)) {
    names += strlen(node_name(blob, n));
    fdt_compatible(blob, n, "ns16550a");
    fdt_u32(blob, n, "phandle", 0);
    fdt_string(blob, n, "device_type");
    for (int i = 0; i < 4; i++) {
      fdt_cell(blob, n, "interrupts-extended", i, &len);
      fdt_reg(blob, n, i, &addr, &size);
    }
    if (++nodes > NODES_MAX)
      abort();
  }
  fdt_path(blob, "/");
  fdt_path(blob, "/cpus/cpu@1/interrupt-controller");
  fdt_path(blob, "/chosen");
}

static void write_header(uchar *blob, uint n, uint structure) {
  put32(blob + HDR_MAGIC, FDT_MAGIC);
  put32(blob + HDR_TOTALSIZE, HDR_SIZE + n);
  put32(blob + HDR_OFF_STRUCT, HDR_SIZE);
  put32(blob + HDR_SIZE_STRUCT, structure);
  put32(blob + HDR_OFF_STRINGS, HDR_SIZE + structure);
  put32(blob + HDR_SIZE_STRINGS, n - structure);
  put32(blob + HDR_VERSION, VERSION);
  put32(blob + HDR_LAST_COMP_VERSION, VERSION - 1);
}

/* A copy of exactly the size that the header claims, as far as there is so much:
 * the sanitizer then sees every access beyond. */
static void explore_raw(const uchar *bytes, size_t n) {
  uint claimed;
  uchar *copy;

  if (n < HDR_SIZE)
    return;
  claimed = be32(bytes + HDR_TOTALSIZE);
  if (claimed > n)
    return; /* who gives such a blob lies about memory that is there */
  if (claimed < HDR_SIZE)
    claimed = HDR_SIZE;
  copy = malloc(claimed);
  memcpy(copy, bytes, claimed);
  explore(copy);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uchar *bytes, size_t n) {
  uchar *blob;
  uint structure;

  if (n < 4 || bytes[0] & 1) {
    explore_raw(bytes + (n > 0), n - (n > 0));
    return 0;
  }
  structure = 4 * (bytes[1] | bytes[2] << 8);
  bytes += 3;
  n -= 3;
  structure = structure <= n ? structure : n;
  blob = calloc(1, HDR_SIZE + n);
  memcpy(blob + HDR_SIZE, bytes, n);
  write_header(blob, n, structure);
  explore(blob);
  free(blob);
  return 0;
}
