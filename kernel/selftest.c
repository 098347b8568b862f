/*
 * See selftest.h. Each of these ends in a panic.
 */
#include "selftest.h"

#include "lib/cmdline.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kvm.h"
#include "sync/spinlock.h"
#include "types.h"

/* Recurse until the stack is full: deeper than any stack can be. */
static int overflow_stack(int depth) {
  volatile char frame[256];

  memset((void *)frame, depth, sizeof(frame));
  if (depth < 1000 * 1000)
    depth = overflow_stack(depth + 1);
  return depth + frame[depth % sizeof(frame)];
}

static void test_stack(void) { overflow_stack(0); }

static void test_null(void) { *(volatile int *)0 = 1; }

/* Kernel text must not be writable. */
static void test_text(void) { *(volatile uint *)(vaddr_t)selftest = 0; }

/* Kernel data must not be executable. Where page tables have no bit for that,
 * there is nothing to find out. */
static void test_exec(void) {
  static const uint code[1];

  if (PTE_X == 0)
    panic("selftest: page tables of this machine cannot forbid execution");
  ((void (*)(void))(vaddr_t)code)();
}

static void test_deadlock(void) {
  static struct spinlock lk = SPINLOCK("selftest");

  acquire(&lk);
  acquire(&lk);
}

static void test_panic(void) { panic("selftest: asked for"); }

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"stack", test_stack}, {"null", test_null},         {"text", test_text},
    {"exec", test_exec},   {"deadlock", test_deadlock}, {"panic", test_panic},
};

void selftest(void) {
  const char *name = cmdline_get("selftest");

  if (name == NULL)
    return;
  for (size_t i = 0; i < NELEM(tests); i++) {
    if (strcmp(name, tests[i].name) == 0)
      tests[i].run();
  }
  printf("selftest=%s: there is no such test\n", name);
}
