/*
 * The terminal's line discipline.
 *
 * Input is one ring with three positions that only grow:
 *
 *      done            ready           end
 *   ----+---------------+---------------+------------------
 *       | may be read   | line being    |  free
 *       |               | edited        |
 *   ----+---------------+---------------+------------------
 *
 * The reader advances `done`; a key appends at `end` or erases back to `ready`
 * at most; newline, Ctrl-D, or any key in raw mode moves `ready` up to `end`.
 * Ctrl-D is kept in the ring: a read stops there and takes it along, and so
 * returns 0 if it stands alone.
 *
 * Ctrl-C ends the foreground group and is counted, both under the lock. So who
 * makes a group the foreground one and then finds the count as it was before
 * knows that a Ctrl-C from there on ends that group: none falls in between. One
 * that was typed while it did not act, and that nobody has read, acts when it
 * does again: the shell switches modes while a person types.
 *
 * When the ring is full the port is asked to hold input back, so that a paste
 * loses nothing, but only as long as somebody reads: a program that computes
 * must not keep a Ctrl-C behind much typing ahead from being seen. Then keys
 * that act do so, and others are dropped with a bell.
 *
 * Output gets a carriage return before each newline. One write at a time
 * passes, so that the lines of two processes do not mix; the file layer cuts
 * one of more than a page in pieces, which may. It goes to each port in turn.
 */
#include "dev/tty.h"

#include "abi/tty.h"
#include "dev/chardev.h"
#include "lib/string.h"
#include "sched/sleep.h"
#include "sched/timer.h"

#define INPUT 8192    /* bytes of the ring, a power of two */
#define LINE_MAX 4096 /* of a line being edited, its newline included */
#define OUTPUT_CHUNK 256
#define PATIENCE_NS 3000000000ULL /* with a reader, before input is dropped */
#define COUNT_MASK 0x7fffffff     /* a result below 0 would be an error */

#define CTRL(c) ((c) - '@')
#define BACKSPACE '\b'
#define DELETE 0x7f
#define END_OF_FILE CTRL('D')

struct tty_ops tty_ops;

static struct {
  struct spinlock lock;
  char ring[INPUT];        /* [lock] */
  uint done, ready, end;   /* [lock] */
  int mode;                /* [lock] TTY_* bits; [a] to read */
  int pgrp;                /* [lock] foreground process group; [a] to read */
  uint interrupts;         /* [lock] Ctrl-C's so far; [a] to read */
  struct waitq readers;    /* wait for done != ready */
  uint64 read_ns;          /* [lock] when somebody last read */
  struct timer patience;   /* lets input go on if nobody reads */
  bool waiting;            /* [lock] the timer runs */
  struct sleeplock writer; /* whose write is under way */
  struct tty_port *ports;  /* [a] a list that only grows, at its head */
} tty = {
    .lock = SPINLOCK("tty"),
    .mode = TTY_COOKED,
    .readers = WAITQ(tty.readers, "tty input"),
};

static bool is_control(int c) { return (c >= 0 && c < ' ') || c == DELETE; }

/* UTF-8: second and later bytes of a character. */
static bool is_continuation(char c) { return (c & 0xc0) == 0x80; }

static struct tty_port *first_port(void) {
  return __atomic_load_n(&tty.ports, __ATOMIC_ACQUIRE);
}

static void show(const char *buf, size_t n) {
  for (struct tty_port *p = first_port(); p; p = p->next)
    p->try_write(buf, n);
}

static void resume_input(void) {
  for (struct tty_port *p = first_port(); p; p = p->next)
    if (p->resume_input)
      p->resume_input();
}

/* What echo shows of a byte, in one column unless it is a control character:
 * those take two. A tab shows as a space, which is easy to erase. */
static void echo(int c) {
  char text[2] = {'^', c ^ '@'};

  if (!(tty.mode & TTY_ECHO))
    return;
  if (c == '\n')
    show("\r\n", 2);
  else if (is_control(c) && c != '\t')
    show(text, 2);
  else
    show(c == '\t' ? " " : (char[]){c}, 1);
}

/* Take back the last character of the line being edited. */
static void erase(void) {
  char c;

  do
    c = tty.ring[--tty.end % INPUT];
  while (is_continuation(c) && tty.end != tty.ready);
  if (!(tty.mode & TTY_ECHO))
    return;
  show("\b \b", 3);
  if (is_control(c) && c != '\t')
    show("\b \b", 3);
}

static void make_ready(void) {
  tty.ready = tty.end;
  wakeup(&tty.readers);
}

static void append(int c) { tty.ring[tty.end++ % INPUT] = c; }

/* One byte is kept free for the newline or Ctrl-D that ends a line. */
static bool has_room(void) {
  return tty.end - tty.done < INPUT - 1 &&
         (!(tty.mode & TTY_CANON) || tty.end - tty.ready < LINE_MAX - 1);
}

/* Tell that a key was dropped. */
static void bell(void) {
  if (tty.mode & TTY_ECHO)
    show("\a", 1);
}

static void edit(int c) {
  switch (c) {
    case BACKSPACE:
    case DELETE:
      if (tty.end != tty.ready)
        erase();
      break;
    case CTRL('U'):
      while (tty.end != tty.ready)
        erase();
      break;
    case '\n':
    case END_OF_FILE:
      if (tty.end - tty.done == INPUT) {
        bell();
        break;
      }
      if (c == '\n')
        echo(c);
      append(c);
      make_ready();
      break;
    default:
      if (has_room()) {
        append(c);
        echo(c);
      } else {
        bell();
      }
  }
}

static void raw(int c) {
  if (!has_room()) {
    bell();
    return;
  }
  append(c);
  echo(c);
  make_ready();
}

/* Ctrl-C: forget what was typed before position `after`, and end the
 * foreground group. tty.lock held; released for a while. */
static void interrupt_keep(uint after) {
  int pgrp = tty.pgrp;

  tty.done = after;
  echo(CTRL('C'));
  echo('\n');
  tty.interrupts++;
  release(&tty.lock);
  if (tty_ops.interrupt && pgrp)
    tty_ops.interrupt(pgrp);
  acquire(&tty.lock);
}

/* Keys that act at once. True if c was one. */
static bool act(int c) {
  if (c == CTRL('P')) {
    release(&tty.lock);
    if (tty_ops.list_processes)
      tty_ops.list_processes();
    acquire(&tty.lock);
    return true;
  }
  if (c != CTRL('C'))
    return false;
  tty.ready = tty.end;
  interrupt_keep(tty.end);
  return true;
}

/* Let the last Ctrl-C that may be read act. What follows it stays. tty.lock
 * held; released for a while. */
static void act_late(void) {
  for (uint after = tty.ready; after != tty.done; after--) {
    if (tty.ring[(after - 1) % INPUT] == CTRL('C')) {
      interrupt_keep(after);
      return;
    }
  }
}

void tty_take(int c) {
  acquire(&tty.lock);
  if (!(tty.mode & TTY_SIGNAL) || !act(c)) {
    if (c == '\r') /* what the Enter key sends, in all modes */
      c = '\n';
    if (tty.mode & TTY_CANON)
      edit(c);
    else
      raw(c);
  }
  release(&tty.lock);
}

static void patience_ends(struct timer *t) {
  (void)t;
  acquire(&tty.lock);
  tty.waiting = false;
  release(&tty.lock);
  resume_input();
}

/* Input is held up only if a reader can make room, and has of late: what is too
 * much for one line is dropped. */
bool tty_room(void) {
  bool room, wait;
  uint64 until;

  acquire(&tty.lock);
  until = tty.read_ns + PATIENCE_NS;
  room = has_room() || tty.done == tty.ready || clock_ns() >= until;
  wait = !room && !tty.waiting;
  tty.waiting |= wait;
  release(&tty.lock);
  if (wait)
    timer_start(&tty.patience, until);
  return room;
}

/* Move up to n ready bytes to buf, in canonical mode of one line at most. */
static size_t take_ready(char *buf, size_t n) {
  bool canon = tty.mode & TTY_CANON;
  size_t i = 0;
  char c;

  while (tty.done != tty.ready) {
    c = tty.ring[tty.done % INPUT];
    if (canon && c == END_OF_FILE) {
      tty.done++;
      break;
    }
    if (i == n)
      break;
    tty.done++;
    buf[i++] = c;
    if (canon && c == '\n')
      break;
  }
  return i;
}

static ssize_t tty_read(struct chardev *d, void *buf, size_t n) {
  ssize_t got;

  (void)d;
  if (n == 0)
    return 0;
  acquire(&tty.lock);
  while (tty.done == tty.ready) {
    int err = sleep_killable(&tty.readers, &tty.lock);

    if (err < 0) {
      release(&tty.lock);
      return err;
    }
  }
  got = take_ready(buf, n);
  tty.read_ns = clock_ns();
  release(&tty.lock);
  resume_input();
  return got;
}

/* Send a stretch of at most OUTPUT_CHUNK bytes; false if it was cut short. */
static bool send(const char *p, size_t n) {
  char out[2 * OUTPUT_CHUNK];
  size_t len = 0;
  bool whole = true;

  while (n-- > 0) {
    if (*p == '\n')
      out[len++] = '\r';
    out[len++] = *p++;
  }
  for (struct tty_port *port = first_port(); port; port = port->next)
    whole &= port->write(out, len) == len;
  return whole;
}

static ssize_t tty_write(struct chardev *d, const void *buf, size_t n) {
  size_t done = 0, now;

  (void)d;
  acquiresleep(&tty.writer);
  while (done < n) {
    now = MIN(n - done, (size_t)OUTPUT_CHUNK);
    if (!send((const char *)buf + done, now))
      break;
    done += now;
  }
  releasesleep(&tty.writer);
  return done == 0 && n > 0 ? -EINTR : (ssize_t)done;
}

static int set_mode(int mode) {
  if (mode & ~TTY_COOKED)
    return -EINVAL;
  acquire(&tty.lock);
  tty.mode = mode;
  if (!(mode & TTY_CANON) && tty.end != tty.ready)
    make_ready(); /* nobody edits that line any more */
  if (mode & TTY_SIGNAL)
    act_late();
  release(&tty.lock);
  resume_input();
  return 0;
}

static int set_pgrp(int pgrp) {
  if (pgrp < 0)
    return -EINVAL;
  acquire(&tty.lock);
  tty.pgrp = pgrp;
  release(&tty.lock);
  return 0;
}

static int tty_ctl(struct chardev *d, int op, int arg) {
  (void)d;
  switch (op) {
    case TTY_GETMODE:
      return tty.mode;
    case TTY_SETMODE:
      return set_mode(arg);
    case TTY_GETPGRP:
      return tty.pgrp;
    case TTY_SETPGRP:
      return set_pgrp(arg);
    case TTY_INTERRUPTS:
      return tty.interrupts & COUNT_MASK;
    default:
      return -EINVAL;
  }
}

void tty_init(void) {
  static struct chardev console = {
      .name = "console", .read = tty_read, .write = tty_write, .ctl = tty_ctl};

  initsleeplock(&tty.writer, "tty writer");
  tty.patience.fire = patience_ends;
  chardev_register(CONSOLE, &console);
}

void tty_add_port(struct tty_port *p) {
  acquire(&tty.lock);
  p->next = tty.ports;
  __atomic_store_n(&tty.ports, p, __ATOMIC_RELEASE);
  release(&tty.lock);
}
