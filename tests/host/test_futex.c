/*
 * Futexes, kernel/proc/futex.c: what becomes of a wakeup that meets something else
 * which ends the wait. Where a thread sleeps, or reads the word, the test does what
 * others do meanwhile.
 */
/* sources: kernel/proc/futex.c tests/host/lock_fakes.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proc/proc.h"
#include "vm/usercopy.h"

struct cpu cpus[NCPU];

static struct space space;
static struct proc proc = {.space = &space};
static struct thread thread = {.proc = &proc};
static uint32 word;
static uint64 now_ns;

/* What others do once while the thread waits, and what then becomes of reading, or
 * of sleeping. */
static struct {
  enum moment { BEFORE_READING, AFTER_READING, ASLEEP } when;
  void (*what)(void); /* NULL: it is done */
  int result;
} meanwhile;

#define WORD ((vaddr_t)&word)
#define TIME 4711

/* --- what futex.c stands on --- */

struct thread *mythread(void) {
  return &thread;
}

void acquire_shared(struct rwsleeplock *lk) { lk->sharers++; }
void release_shared(struct rwsleeplock *lk) { lk->sharers--; }

struct region *space_find_locked(struct space *s, vaddr_t va) {
  assert_int_equal(s->lock.sharers, 1);
  (void)va;
  return NULL; /* it counts as private */
}

static int others(enum moment when) {
  void (*what)(void) = meanwhile.what;

  if (what == NULL || meanwhile.when != when)
    return 0;
  meanwhile.what = NULL;
  what();
  return meanwhile.result;
}

int copyin(struct space *s, void *dst, vaddr_t va, size_t n) {
  int r;

  assert_ptr_equal(s, &space);
  r = others(BEFORE_READING);
  memcpy(dst, (void *)va, n);
  return r < 0 ? r : others(AFTER_READING);
}

void waitq_init(struct waitq *q, const char *name) { q->name = name; }

void wakeup(struct waitq *q) { (void)q; }

int sleep_killable(struct waitq *q, struct spinlock *lk) {
  int r;

  (void)q;
  release(lk);
  assert_non_null(meanwhile.what); /* else it sleeps for ever */
  r = others(ASLEEP);
  acquire(lk);
  return r;
}

int sleep_until(struct waitq *q, struct spinlock *lk, uint64 deadline_ns) {
  assert_int_equal(deadline_ns, TIME);
  return sleep_killable(q, lk);
}

uint64 clock_ns(void) { return now_ns; }

/* --- the tests --- */

static void wake_one(void) {
  assert_int_equal(futex_wake(&space, WORD, 1), 1);
  assert_int_equal(futex_wake(&space, WORD, 1), 0); /* it was one */
}

static void change_and_wake(void) {
  word = 2;
  wake_one();
}

static void nothing(void) {}

static void time_passes(void) { now_ns = TIME; }

static void wake_late(void) {
  wake_one();
  time_passes();
}

/* Wait for a word that is 1, until TIME, while others do what they do. */
static int wait_while(void (*what)(void), enum moment when, int then,
                      uint64 until) {
  int r;

  word = 1;
  now_ns = 0;
  meanwhile.what = what;
  meanwhile.when = when;
  meanwhile.result = then;
  r = futex_wait(WORD, 1, until);
  assert_null(meanwhile.what);
  assert_int_equal(futex_wake(&space, WORD, 1), 0); /* it waits no more */
  return r;
}

static void a_wait_ends(void **state) {
  (void)state;
  assert_int_equal(wait_while(wake_one, ASLEEP, 0, FUTEX_FOREVER), 0);
  assert_int_equal(wait_while(nothing, ASLEEP, -EINTR, FUTEX_FOREVER), -EINTR);
  assert_int_equal(wait_while(nothing, ASLEEP, -EINTR, TIME), -EINTR);
  assert_int_equal(wait_while(time_passes, ASLEEP, 0, TIME), -ETIMEDOUT);
  assert_int_equal(wait_while(nothing, AFTER_READING, -EFAULT, TIME), -EFAULT);
  assert_int_equal(futex_wait(WORD, 2, FUTEX_FOREVER), -EAGAIN);
  assert_int_equal(futex_wait(WORD + 1, 1, FUTEX_FOREVER), -EINVAL);
}

/* Who woke it counts on it that it was woken, whatever else came. */
static void a_wakeup_is_told(void **state) {
  (void)state;
  assert_int_equal(wait_while(wake_one, ASLEEP, -EINTR, FUTEX_FOREVER), 0);
  assert_int_equal(wait_while(wake_one, ASLEEP, -EINTR, TIME), 0);
  assert_int_equal(wait_while(wake_late, ASLEEP, 0, TIME), 0);
  assert_int_equal(wait_while(wake_late, AFTER_READING, 0, TIME), 0);
  assert_int_equal(wait_while(wake_one, AFTER_READING, -EFAULT, TIME), 0);
}

/* The word is read just before it changes, or just after. */
static void a_change_is_seen(void **state) {
  (void)state;
  assert_int_equal(wait_while(change_and_wake, AFTER_READING, 0, FUTEX_FOREVER),
                   0);
  assert_int_equal(
      wait_while(change_and_wake, BEFORE_READING, 0, FUTEX_FOREVER), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wait_ends),
      cmocka_unit_test(a_wakeup_is_told),
      cmocka_unit_test(a_change_is_seen),
  };

  futex_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
