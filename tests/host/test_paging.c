/*
 * Which page-table format is chosen, kernel/arch/riscv/paging.c, on harts that
 * have three, four or five levels: QEMU's have all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pte.h"

static uint64 satp;
static int hart_levels;

static uint64 hart_r_satp(void) { return satp; }

/* A mode that the hart does not have: the write has no effect (privileged spec
 * 1.12, 4.1.11). With one that it has, the next instruction is fetched through
 * the table: the kernel's place must be in it, at its own address. */
static void hart_w_satp(uint64 x) {
  int levels = (int)(x >> 60) - 8 + 3;

  if (x != 0 && (levels < 3 || levels > hart_levels))
    return;
  if (x != 0) {
    const uint64 *root = (const uint64 *)((x & ((1UL << 44) - 1)) << 12);

    assert_int_equal(KERNBASE >> (12 + 9 * (levels - 1)), 0);
    assert_int_equal(root[0], 0xcf); /* D, A, X, W, R, V; page 0 */
  }
  satp = x;
}

#undef PT_LEVELS
#define PT_LEVELS pt_levels
#define r_satp hart_r_satp
#define w_satp hart_w_satp
#define sfence_vma() ((void)0)
#include "../../kernel/arch/riscv/paging.c"

static const char *option;

const char *cmdline_get(const char *name) {
  assert_string_equal(name, "satp");
  return option;
}

static char printed[200];

#undef vsnprintf
void kernel_printf(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  vsnprintf(printed, sizeof(printed), fmt, ap);
  va_end(ap);
}

static void the_best_that_the_hart_has_is_used(void **state) {
  static const struct {
    const char *asked;
    int has, gets;
    const char *said;
  } cases[] = {
      {NULL, 5, 3, ""},
      {"sv39", 5, 3, ""},
      {"sv48", 5, 4, ""},
      {"sv57", 5, 5, ""},
      {"sv48", 4, 4, ""},
      {"sv57", 4, 4,
       "boot: satp=sv57: the hart does not have it, sv48 is used\n"},
      {"sv57", 3, 3,
       "boot: satp=sv57: the hart does not have it, sv39 is used\n"},
      {"sv48", 3, 3,
       "boot: satp=sv48: the hart does not have it, sv39 is used\n"},
      {"sv47", 5, 3, "boot: satp=sv47: it can be sv39, sv48 or sv57\n"},
      {"", 5, 3, "boot: satp=: it can be sv39, sv48 or sv57\n"},
  };

  (void)state;
  for (uint i = 0; i < NELEM(cases); i++) {
    option = cases[i].asked;
    hart_levels = cases[i].has;
    pt_levels = 3;
    printed[0] = 0;
    paging_choose();
    assert_int_equal(pt_levels, cases[i].gets);
    assert_string_equal(printed, cases[i].said);
    assert_int_equal(satp, 0); /* paging is still off */
  }
}

/* The numbers that follow from it. */
static void addresses_follow(void **state) {
  static const uint64 ends[] = {1UL << 38, 1UL << 47, 1UL << 56};

  (void)state;
  for (pt_levels = 3; pt_levels <= 5; pt_levels++) {
    assert_int_equal(MAXVA, ends[pt_levels - 3]);
    assert_int_equal(TRAMPOLINE, MAXVA - 4096);
    assert_int_equal(MAKE_SATP(0x80001000),
                     (uint64)(5 + pt_levels) << 60 | 0x80001);
    assert_true(USER_END < TRAPFRAME && KSTACK(0) > USER_END);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_best_that_the_hart_has_is_used),
      cmocka_unit_test(addresses_follow),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
