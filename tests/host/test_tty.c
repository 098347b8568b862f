/*
 * The terminal's line discipline: kernel/dev/tty.c, typed at by a test in place
 * of the serial port.
 */
/* sources: tests/host/lock_fakes.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dev/tty.c"

struct cpu cpus[NCPU];

/* --- what tty.c stands on --- */

static char shown[65536]; /* what went to the port */
static size_t nshown;
static size_t port_accepts; /* bytes before the writer is killed */
static struct chardev *console;
static const char *typed_while_asleep;
static int resumed;

void acquiresleep(struct sleeplock *lk) { lk->locked = true; }
void releasesleep(struct sleeplock *lk) { lk->locked = false; }
void initsleeplock(struct sleeplock *lk, const char *name) { lk->name = name; }
void wakeup(struct waitq *q) { (void)q; }

void chardev_register(int major, struct chardev *d) {
  assert_int_equal(major, CONSOLE);
  console = d;
}

static void port_try_write(const char *buf, size_t n) {
  memcpy(shown + nshown, buf, n);
  nshown += n;
}

static size_t port_write(const char *buf, size_t n) {
  n = n < port_accepts ? n : port_accepts;
  port_accepts -= n;
  port_try_write(buf, n);
  return n;
}

static void port_resume_input(void) { resumed++; }

static struct tty_port port = {.write = port_write,
                               .try_write = port_try_write,
                               .resume_input = port_resume_input};

static uint64 now_ns;
static struct timer *timer;

uint64 clock_ns(void) { return now_ns; }

void timer_start(struct timer *t, uint64 deadline_ns) {
  assert_null(timer);
  timer = t;
  t->deadline_ns = deadline_ns;
}

static void type_bytes(const char *s, size_t n) {
  for (size_t i = 0; i < n; i++)
    tty_take((uchar)s[i]);
}

static void type(const char *s) { type_bytes(s, strlen(s)); }

/* The reader sleeps: somebody types, or else kills it. */
int sleep_killable(struct waitq *q, struct spinlock *lk) {
  const char *s = typed_while_asleep;

  (void)q;
  if (s == NULL)
    return -EINTR;
  typed_while_asleep = NULL;
  release(lk);
  type(s);
  acquire(lk);
  return 0;
}

static int listed, interrupted;
static void list(void) { listed++; }
static void interrupt(int pgid) { interrupted = pgid; }

/* --- helpers --- */

static int start(void **state) {
  (void)state;
  tty.done = tty.ready = tty.end = 0;
  tty.mode = TTY_COOKED;
  tty.pgrp = 0;
  memset(shown, 0, sizeof(shown));
  nshown = 0;
  port_accepts = SIZE_MAX;
  typed_while_asleep = NULL;
  listed = interrupted = resumed = 0;
  tty.read_ns = now_ns;
  tty.waiting = false;
  timer = NULL;
  tty_ops = (struct tty_ops){list, interrupt};
  if (console == NULL) {
    tty_init();
    tty_add_port(&port);
  }
  return 0;
}

static void assert_read(size_t n, const char *want) {
  char buf[20000] = "";
  ssize_t got = console->read(console, buf, n);

  assert_int_equal(got, strlen(want));
  assert_memory_equal(buf, want, got);
}

static void assert_shown(const char *want) {
  assert_string_equal(shown, want);
  memset(shown, 0, sizeof(shown));
  nshown = 0;
}

/* --- tests --- */

static void a_line_is_read_once_it_is_complete(void **state) {
  char c;

  (void)state;
  type("ls -l");
  assert_int_equal(console->read(console, &c, 1), -EINTR);
  type("\r");
  assert_shown("ls -l\r\n");
  assert_read(100, "ls -l\n");
}

static void lines_are_read_one_at_a_time(void **state) {
  (void)state;
  type("one\ntwo\n");
  assert_read(100, "one\n");
  assert_read(2, "tw");
  assert_read(2, "o\n");
}

static void a_sleeping_reader_gets_what_comes(void **state) {
  (void)state;
  typed_while_asleep = "late\n";
  assert_read(100, "late\n");
}

static void erasing(void **state) {
  (void)state;
  type("ab\b\x7f\bc\n");
  assert_shown("ab\b \b\b \bc\r\n");
  assert_read(100, "c\n");
  type("word\x15x\n");
  assert_shown("word\b \b\b \b\b \b\b \bx\r\n");
  assert_read(100, "x\n");
}

static void erasing_stops_at_the_line_before(void **state) {
  (void)state;
  type("a\n\x7f\x15\n");
  assert_read(100, "a\n");
  assert_read(100, "\n");
}

static void erasing_what_takes_two_columns_or_bytes(void **state) {
  (void)state;
  type("\x01\x7f\t\x7f");
  assert_shown("^A\b \b\b \b \b \b");
  type("\xc3\xa9\x7fy\n");
  assert_shown("\xc3\xa9\b \by\r\n");
  assert_read(100, "y\n");
}

static void end_of_file(void **state) {
  (void)state;
  type("\x04");
  assert_read(100, "");
  type("part\x04");
  assert_read(100, "part");
  type("next\n");
  assert_read(100, "next\n");
}

/* A read that ends exactly before the Ctrl-D takes it along, so that the next
 * one does not take it for the end of the file. */
static void end_of_file_after_an_exact_fit(void **state) {
  (void)state;
  type("four\x04more\n");
  assert_read(4, "four");
  assert_read(100, "more\n");
}

static void keys_that_act(void **state) {
  (void)state;
  console->ctl(console, TTY_SETPGRP, 7);
  assert_int_equal(console->ctl(console, TTY_GETPGRP, 0), 7);
  type("a\x10");
  assert_int_equal(listed, 1);
  type("b\x03");
  assert_int_equal(interrupted, 7);
  assert_int_equal(console->ctl(console, TTY_INTERRUPTS, 0), 1);
  assert_shown("ab^C\r\n");
  type("c\n");
  assert_read(100, "c\n");
}

static void no_foreground_group_no_interrupt(void **state) {
  (void)state;
  type("\x03");
  assert_int_equal(interrupted, 0);
}

static void raw_mode(void **state) {
  (void)state;
  type("typed");
  assert_int_equal(console->ctl(console, TTY_SETMODE, 0), 0);
  assert_read(100, "typed");
  nshown = 0;
  memset(shown, 0, sizeof(shown));
  type("\x03\x10\x7f\x04\r");
  assert_read(100, "\x03\x10\x7f\x04\n");
  assert_shown("");
  assert_int_equal(listed + interrupted, 0);
}

/* The shell takes the terminal back between two commands; a Ctrl-C that it did
 * not get to read ends the command, and only what follows it is left. */
static void an_interrupt_that_waited(void **state) {
  int before = console->ctl(console, TTY_INTERRUPTS, 0);

  (void)state;
  console->ctl(console, TTY_SETMODE, 0);
  console->ctl(console, TTY_SETPGRP, 7);
  type("one\n\x03two\n\x03three\n");
  assert_read(2, "on");
  assert_int_equal(interrupted, 0);
  console->ctl(console, TTY_SETMODE, TTY_COOKED);
  assert_int_equal(interrupted, 7);
  assert_int_equal(console->ctl(console, TTY_INTERRUPTS, 0), before + 1);
  assert_shown("^C\r\n");
  assert_read(100, "three\n");
  console->ctl(console, TTY_SETMODE, TTY_COOKED);
  assert_int_equal(console->ctl(console, TTY_INTERRUPTS, 0), before + 1);
}

static void bad_operations_are_refused(void **state) {
  (void)state;
  assert_int_equal(console->ctl(console, TTY_SETMODE, 0x100), -EINVAL);
  assert_int_equal(console->ctl(console, TTY_SETMODE, -1), -EINVAL);
  assert_int_equal(console->ctl(console, TTY_SETPGRP, -1), -EINVAL);
  assert_int_equal(console->ctl(console, 99, 0), -EINVAL);
  assert_int_equal(console->ctl(console, TTY_GETMODE, 0), TTY_COOKED);
}

/* What is too long for a line is dropped, and its newline still ends it. */
static void an_endless_line(void **state) {
  char buf[INPUT];

  (void)state;
  for (int i = 0; i < 3 * INPUT; i++) {
    assert_true(tty_room());
    type("x");
  }
  type("\n");
  assert_int_equal(console->read(console, buf, sizeof(buf)), LINE_MAX);
  assert_int_equal(buf[LINE_MAX - 1], '\n');
}

/* With lines waiting, the port is asked to hold more back: nothing is lost. */
static void input_is_held_until_it_is_read(void **state) {
  int sent = 0, got = 0;
  char line[32], want[32];

  (void)state;
  for (; tty_room(); sent++) {
    snprintf(line, sizeof(line), "line %d\n", sent);
    for (char *p = line; *p; p++) {
      if (!tty_room()) { /* as the port does: keep it for later */
        assert_true(console->read(console, want, sizeof(want)) > 0);
        got++;
      }
      tty_take(*p);
    }
  }
  assert_true(sent > INPUT / 12);
  for (; got < sent; got++) {
    snprintf(want, sizeof(want), "line %d\n", got);
    assert_read(sizeof(line), want);
  }
  assert_true(resumed > 0);
}

/* Nobody reads for long: then the port goes on, keys that act are seen, and
 * others are dropped with a bell. */
static void nobody_reads(void **state) {
  struct timer *t;

  (void)state;
  now_ns = tty.read_ns;
  while (tty_room())
    type("0123456789abcde\n");
  assert_non_null(t = timer);
  assert_false(tty_room());
  now_ns = t->deadline_ns;
  timer = NULL;
  resumed = 0;
  t->fire(t);
  assert_int_equal(resumed, 1);
  assert_true(tty_room());
  type("x");
  assert_int_equal(shown[nshown - 1], '\a');
  type("\x03");
  assert_int_equal(tty.done, tty.end);
}

static void the_ring_never_overflows(void **state) {
  char buf[4096];

  (void)state;
  srand(1);
  for (int i = 0; i < 300000; i++) {
    static const char keys[] = "ab\n\n\x04\x7f\x15\t\x03\x10\x1b\xc3\xa9";

    tty_take((uchar)keys[(uint)rand() % (sizeof(keys) - 1)]);
    if (rand() % 1000 == 0)
      console->ctl(console, TTY_SETMODE, rand() % 8);
    if (rand() % 100 == 0)
      console->read(console, buf, rand() % sizeof(buf));
    assert_true(tty.end - tty.done <= INPUT);
    assert_true(tty.end - tty.ready <= tty.end - tty.done);
    nshown = 0;
  }
}

static void output_gets_carriage_returns(void **state) {
  char big[1000], *want = calloc(1, 3000);

  (void)state;
  assert_int_equal(console->write(console, "a\nb\n", 4), 4);
  assert_shown("a\r\nb\r\n");
  memset(big, '\n', sizeof(big));
  assert_int_equal(console->write(console, big, sizeof(big)), sizeof(big));
  for (size_t i = 0; i < sizeof(big); i++)
    strcpy(want + 2 * i, "\r\n");
  assert_shown(want);
  free(want);
}

static void a_killed_writer_comes_back(void **state) {
  char big[2000];

  (void)state;
  memset(big, 'x', sizeof(big));
  port_accepts = 0;
  assert_int_equal(console->write(console, big, sizeof(big)), -EINTR);
  port_accepts = 700;
  assert_in_range(console->write(console, big, sizeof(big)), 1, 700);
  assert_false(tty.writer.locked);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, start)
  const struct CMUnitTest tests[] = {
      TEST(a_line_is_read_once_it_is_complete),
      TEST(lines_are_read_one_at_a_time),
      TEST(a_sleeping_reader_gets_what_comes),
      TEST(erasing),
      TEST(erasing_stops_at_the_line_before),
      TEST(erasing_what_takes_two_columns_or_bytes),
      TEST(end_of_file),
      TEST(end_of_file_after_an_exact_fit),
      TEST(keys_that_act),
      TEST(no_foreground_group_no_interrupt),
      TEST(raw_mode),
      TEST(an_interrupt_that_waited),
      TEST(bad_operations_are_refused),
      TEST(an_endless_line),
      TEST(input_is_held_until_it_is_read),
      TEST(nobody_reads),
      TEST(the_ring_never_overflows),
      TEST(output_gets_carriage_returns),
      TEST(a_killed_writer_comes_back),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
