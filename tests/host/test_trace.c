/*
 * The trace ring, kernel/sync/trace.c.
 */
/* sources: kernel/sync/trace.c kernel/sync/spinlock.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu.h"
#include "lib/panic.h"
#include "sync/trace.h"
#include "tlb.h"

struct cpu cpus[NCPU];

void tlb_answer(void) { fail(); }
void panic(const char *fmt, ...) {
  (void)fmt;
  abort();
}

static const struct trace_ring *ring = &trace_rings[0];

static void check_record(uint n, int pid, uint kind, vaddr_t a, vaddr_t b) {
  const struct trace_record *r = &ring->records[n % TRACE_RECORDS];

  assert_int_equal(r->pid, pid);
  assert_int_equal(r->kind, kind);
  assert_int_equal(r->a, a);
  assert_int_equal(r->b, b);
}

static void test_record(void **state) {
  uint n = ring->next;

  (void)state;
  cpus[0].pid = 7;
  trace(TRACE_FAULT_COPY, 0x5000, 0x80123000);
  cpus[0].pid = 0;
  trace(TRACE_SHOOTDOWN, 0x1000, 8192);
  assert_int_equal(ring->next, n + 2);
  check_record(n, 7, TRACE_FAULT_COPY, 0x5000, 0x80123000);
  check_record(n + 1, 0, TRACE_SHOOTDOWN, 0x1000, 8192);
  assert_int_equal(cpus[0].noff, 0);
}

/* The ring holds the last ones, also when `next` itself begins anew. */
static void test_wrap(void **state) {
  uint n;

  (void)state;
  trace_rings[0].next = -5U;
  for (n = 0; n < 3 * TRACE_RECORDS; n++)
    trace(TRACE_FORK, n, 0);
  assert_int_equal(ring->next, 3 * TRACE_RECORDS - 5);
  for (n = 2 * TRACE_RECORDS; n < 3 * TRACE_RECORDS; n++)
    check_record(n - 5, 0, TRACE_FORK, n, 0);
}

/* Each CPU has its own: nothing of the above went there. */
static void test_others(void **state) {
  (void)state;
  for (int i = 1; i < NCPU; i++) {
    assert_int_equal(trace_rings[i].next, 0);
    assert_int_equal(trace_rings[i].records[0].kind, TRACE_NONE);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_record),
      cmocka_unit_test(test_wrap),
      cmocka_unit_test(test_others),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
