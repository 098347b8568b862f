/*
 * The device tree reader, kernel/lib/fdt.c, on a tree like that of QEMU's
 * "virt" machine and on thousands of damaged ones: those may give any answer,
 * but nothing outside the blob may be read, and every walk must end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fdt.c"

/* --- a writer of blobs --- */

static uchar structure[4096], blob[8192];
static char strings[1024];
static uint nstructure, nstrings;

static void put32(uchar *p, uint x) {
  for (int i = 0; i < 4; i++)
    p[i] = x >> (24 - 8 * i);
}

static void token(uint x) {
  put32(structure + nstructure, x);
  nstructure += 4;
}

static void bytes(const void *p, uint n) {
  memcpy(structure + nstructure, p, n);
  nstructure = (nstructure + n + 3) / 4 * 4;
}

static void begin(const char *name) {
  token(1);
  bytes(name, strlen(name) + 1);
}

static void end(void) { token(2); }

static void prop(const char *name, const void *value, uint n) {
  token(3);
  token(n);
  token(nstrings);
  strcpy(strings + nstrings, name);
  nstrings += strlen(name) + 1;
  bytes(value, n);
}

static void put_cells(const char *name, int n, const uint *values) {
  uchar buf[64];

  for (int i = 0; i < n; i++)
    put32(buf + 4 * i, values[i]);
  prop(name, buf, 4 * n);
}

#define CELLS(name, ...) \
  put_cells(name, sizeof((uint[]){__VA_ARGS__}) / 4, (uint[]){__VA_ARGS__})
#define TEXT(name, value) prop(name, value, sizeof(value))

static void cpu(const char *name, uint id) {
  begin(name);
  TEXT("device_type", "cpu");
  CELLS("reg", id);
  begin("interrupt-controller");
  CELLS("phandle", 5 + id);
  end();
  end();
}

static uint write_tree(void) {
  uint at = 40 + 16;

  memset(structure, 0, sizeof(structure));
  memset(blob, 0, sizeof(blob));
  nstructure = nstrings = 0;
  begin("");
  CELLS("#address-cells", 2);
  CELLS("#size-cells", 2);
  TEXT("model", "test,machine");
  token(4); /* FDT_NOP */
  begin("chosen");
  TEXT("bootargs", "panic=exit");
  end();
  begin("memory@80000000");
  TEXT("device_type", "memory");
  CELLS("reg", 0, 0x80000000, 0, 0x8000000, 1, 0, 2, 3);
  end();
  begin("cpus");
  CELLS("#address-cells", 1);
  CELLS("#size-cells", 0);
  CELLS("timebase-frequency", 10000000);
  cpu("cpu@0", 0);
  cpu("cpu@1", 1);
  end();
  begin("soc");
  CELLS("#address-cells", 2);
  CELLS("#size-cells", 2);
  begin("serial@10000000");
  TEXT("compatible", "vendor,uart\0ns16550a");
  CELLS("reg", 0, 0x10000000, 0, 0x100);
  end();
  end();
  end();
  token(9);
  put32(blob, 0xd00dfeed);
  put32(blob + 8, at);
  memcpy(blob + at, structure, nstructure);
  put32(blob + 36, nstructure);
  at += nstructure;
  put32(blob + 12, at);
  memcpy(blob + at, strings, nstrings);
  put32(blob + 32, nstrings);
  at += nstrings;
  put32(blob + 4, at);
  put32(blob + 16, 40);
  put32(blob + 20, 17);
  put32(blob + 24, 16);
  return at;
}

/* --- whole trees --- */

static void finds_nodes_by_path(void **state) {
  (void)state;
  write_tree();
  assert_int_equal(fdt_check(blob), 0);
  assert_string_equal(node_name(blob, fdt_path(blob, "/")), "");
  assert_string_equal(node_name(blob, fdt_path(blob, "/chosen")), "chosen");
  assert_string_equal(node_name(blob, fdt_path(blob, "/cpus/cpu@1")), "cpu@1");
  assert_string_equal(node_name(blob, fdt_path(blob, "/memory")),
                      "memory@80000000");
  assert_int_equal(fdt_path(blob, "/serial"), -1);
  assert_int_equal(fdt_path(blob, "/chosen/cpus"), -1);
  assert_int_equal(fdt_path(blob, "/cpu"), -1);
}

static void walks_in_document_order(void **state) {
  const char *names[] = {"",
                         "chosen",
                         "memory@80000000",
                         "cpus",
                         "cpu@0",
                         "interrupt-controller",
                         "cpu@1",
                         "interrupt-controller",
                         "soc",
                         "serial@10000000"};
  const int depths[] = {0, 1, 1, 1, 2, 3, 2, 3, 1, 2};
  int depth = 0, node = -1;

  (void)state;
  write_tree();
  for (size_t i = 0; i < NELEM(names); i++) {
    node = fdt_next_node(blob, node, &depth);
    assert_string_equal(node_name(blob, node), names[i]);
    assert_int_equal(depth, depths[i]);
  }
  assert_int_equal(fdt_next_node(blob, node, &depth), -1);
}

static void reads_properties(void **state) {
  int root, uart, len;

  (void)state;
  write_tree();
  root = fdt_path(blob, "/");
  uart = fdt_path(blob, "/soc/serial");
  assert_string_equal(fdt_string(blob, root, "model"), "test,machine");
  assert_null(fdt_string(blob, root, "#size-cells"));
  assert_null(fdt_prop(blob, root, "reg", &len)); /* a child has one */
  assert_int_equal(fdt_u32(blob, root, "#size-cells", 9), 2);
  assert_int_equal(fdt_u32(blob, root, "absent", 9), 9);
  assert_true(fdt_compatible(blob, uart, "ns16550a"));
  assert_true(fdt_compatible(blob, uart, "vendor,uart"));
  assert_false(fdt_compatible(blob, uart, "ns16550"));
  assert_false(fdt_compatible(blob, uart, "16550a"));
  assert_int_equal(fdt_cell(blob, uart, "reg", 1, &len), 0x10000000);
  assert_int_equal(len, 4);
  assert_int_equal(fdt_cell(blob, uart, "reg", 4, &len), 0);
}

static void reg_goes_by_the_parents_cells(void **state) {
  uint64 addr, size;
  int memory, hart;

  (void)state;
  write_tree();
  memory = fdt_path(blob, "/memory");
  hart = fdt_path(blob, "/cpus/cpu@1");
  assert_int_equal(fdt_reg(blob, memory, 0, &addr, &size), 0);
  assert_int_equal(addr, 0x80000000);
  assert_int_equal(size, 0x8000000);
  assert_int_equal(fdt_reg(blob, memory, 1, &addr, &size), 0);
  assert_int_equal(addr, 0x100000000);
  assert_int_equal(size, 0x200000003);
  assert_int_equal(fdt_reg(blob, memory, 2, &addr, &size), -ENOENT);
  assert_int_equal(fdt_reg(blob, memory, -1, &addr, &size), -ENOENT);
  assert_int_equal(fdt_reg(blob, hart, 0, &addr, &size), 0);
  assert_int_equal(addr, 1);
  assert_int_equal(size, 0);
  assert_string_equal(node_name(blob, fdt_parent(blob, hart)), "cpus");
  assert_int_equal(fdt_parent(blob, fdt_path(blob, "/")), -1);
}

/* --- damaged ones --- */

/* Use everything there is of a blob that claims to be well. */
static void explore(const void *b) {
  uint64 addr, size;
  int len, nodes = 0;

  if (fdt_check(b) < 0)
    return;
  for (int n = fdt_next_node(b, -1, NULL); n >= 0;
       n = fdt_next_node(b, n, NULL)) {
    strlen(node_name(b, n));
    fdt_compatible(b, n, "ns16550a");
    fdt_u32(b, n, "phandle", 0);
    fdt_string(b, n, "device_type");
    fdt_cell(b, n, "reg", 1, &len);
    for (int i = 0; i < 4; i++)
      fdt_reg(b, n, i, &addr, &size);
    assert_true(++nodes < 4096);
  }
  fdt_path(b, "/cpus/cpu@1/interrupt-controller");
  fdt_path(b, "/soc/serial");
}

/* A copy of exactly the size that the header claims, as far as there is so
 * much: the sanitizer then sees every access beyond. */
static void explore_copy(uint size) {
  uint claimed = (uint)blob[4] << 24 | blob[5] << 16 | blob[6] << 8 | blob[7];
  uchar *copy;

  if (claimed > size)
    return; /* who gives such a blob lies about memory that is there */
  copy = malloc(claimed < 40 ? 40 : claimed);
  memcpy(copy, blob, claimed < 40 ? 40 : claimed);
  explore(copy);
  free(copy);
}

static void damaged_bytes_do_no_harm(void **state) {
  uint size;

  (void)state;
  srand(1);
  for (int round = 0; round < 20000; round++) {
    size = write_tree();
    for (int i = 0; i <= round % 4; i++)
      blob[rand() % size] = round % 3 ? rand() : rand() % 12;
    explore_copy(size);
  }
}

static void damaged_words_do_no_harm(void **state) {
  const uint values[] = {0,          1,          2,   3,       4,   9,
                         0x7fffffff, 0x80000000, ~0u, ~0u - 3, 4096};
  uint size = write_tree();

  (void)state;
  for (uint at = 0; at < size / 4 * 4; at += 4)
    for (size_t v = 0; v < NELEM(values); v++) {
      size = write_tree();
      put32(blob + at, values[v]);
      explore_copy(size);
    }
}

static void truncated_trees_do_no_harm(void **state) {
  uint size = write_tree();

  (void)state;
  for (uint cut = 0; cut < size; cut++) {
    write_tree();
    put32(blob + 4, cut);
    explore_copy(size);
    write_tree();
    put32(blob + 36, cut); /* the structure block ends within a token */
    explore_copy(size);
  }
}

static void deep_trees_do_no_harm(void **state) {
  (void)state;
  write_tree();
  for (uint i = 0; i + 8 <= nstructure; i += 8) {
    put32(blob + 56 + i, 1);
    put32(blob + 60 + i, 'x' << 24);
  }
  explore_copy(sizeof(blob));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_nodes_by_path),
      cmocka_unit_test(walks_in_document_order),
      cmocka_unit_test(reads_properties),
      cmocka_unit_test(reg_goes_by_the_parents_cells),
      cmocka_unit_test(damaged_bytes_do_no_harm),
      cmocka_unit_test(damaged_words_do_no_harm),
      cmocka_unit_test(truncated_trees_do_no_harm),
      cmocka_unit_test(deep_trees_do_no_harm),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
