/*
 * Reader of a flattened device tree (Devicetree Specification 0.4, chapter 5),
 * in place and without allocation. A malformed blob yields errors, never an
 * access outside it.
 */
#ifndef LIB_FDT_H
#define LIB_FDT_H

#include "types.h"

/* A node is the offset of its FDT_BEGIN_NODE token, or -1. */

/* Check a blob: header, version, block bounds. 0 or -EINVAL. */
int fdt_check(const void *blob);

/* The next node in document order after `node` (-1: the root), or -1. *depth
 * is updated if not NULL (root: 0). */
int fdt_next_node(const void *blob, int node, int *depth);

/* A property's bytes, or NULL; *len gets its length. */
const void *fdt_prop(const void *blob, int node, const char *name, int *len);
/* A property as one 32-bit number, or `otherwise`. */
uint fdt_u32(const void *blob, int node, const char *name, uint otherwise);
/* The i-th 32-bit number of a property, or 0; *n gets how many it has. */
uint fdt_cell(const void *blob, int node, const char *name, int i, int *n);
/* A property as one string, or NULL if it is absent or has no final 0. */
const char *fdt_string(const void *blob, int node, const char *name);
/* Does "compatible" list this string? */
bool fdt_compatible(const void *blob, int node, const char *what);
/* The i-th (address, size) pair of "reg", by the parent's #address-cells and
 * #size-cells. 0, or -ENOENT when there is none. */
int fdt_reg(const void *blob, int node, int i, uint64 *addr, uint64 *size);
/* Node by path ("/chosen"), or -1. */
int fdt_path(const void *blob, const char *path);
int fdt_parent(const void *blob, int node);

#endif
