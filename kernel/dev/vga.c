/*
 * VGA in text mode 3. Registers: IBM "Personal System/2 Hardware Interface
 * Technical Reference", video subsystem.
 *
 * The screen is an array of cells, a character and its colours each, in memory
 * that is slow: each access asks the card, or the emulator. So there are two
 * copies in ordinary memory: `text`, what should be there, and `shown`, what
 * is. Output changes the first; at its end the lines it touched are compared
 * and what differs is written to the card.
 *
 * Bytes go through a small state machine for control sequences (ECMA-48):
 *
 *            ESC            [                  letter
 *   PLAIN ---------> ESC -------> SEQUENCE ---------------> obeyed, or ignored
 *     ^               | other        | digits and ; collect
 *     +---------------+--------------+
 *
 * After a character in the last column the cursor waits there; the next
 * character goes to the next line first. Line editors count on that.
 */
#include "dev/vga.h"

#include "dev/tty.h"
#include "io.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "memlayout.h"
#include "sync/spinlock.h"

#define COLUMNS 80
#define ROWS 25
#define CELL(row, column) ((row)*COLUMNS + (column))

#define COLOURS 0x0700 /* light grey on black */
#define BLANK (COLOURS | ' ')
#define UNKNOWN '?' /* for what is not ASCII */
#define TAB 8

/* The CRT controller, at its colour address: an index and a data port. */
#define CRTC_INDEX P2IO(0x3d4)
#define CRTC_DATA P2IO(0x3d5)
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f

#define ESCAPE 0x1b
#define DELETE 0x7f
#define ARGUMENTS 2      /* of a sequence that are kept */
#define ARGUMENT_MAX 999 /* larger ones count as this */

static struct {
  struct spinlock lock;         /* guards the rest */
  uint16 text[ROWS * COLUMNS];  /* what should be on the screen */
  uint16 shown[ROWS * COLUMNS]; /* what is */
  uint row, column;             /* of the cursor; column COLUMNS: it waits */
  uint first_changed, last_changed; /* rows to compare, none if first > last */
  uint cursor;                      /* where the card has it: a cell */
  enum { PLAIN, ESC, SEQUENCE } state;
  uint argument[ARGUMENTS]; /* of the sequence, 0 if left out */
  uint arguments;           /* the one being read */
} vga = {
    .lock = SPINLOCK("vga"),
};

/* --- the card --- */

static void crtc_write(uint8 index, uint8 x) {
  io_write8(CRTC_INDEX, index);
  io_write8(CRTC_DATA, x);
}

static void move_cursor(uint cell) {
  if (cell == vga.cursor)
    return;
  vga.cursor = cell;
  crtc_write(CRTC_CURSOR_HIGH, cell >> 8);
  crtc_write(CRTC_CURSOR_LOW, (uint8)cell);
}

static void draw(void) {
  volatile uint16 *card = P2V(VGA_TEXT);
  uint end =
      vga.first_changed <= vga.last_changed ? CELL(vga.last_changed + 1, 0) : 0;

  for (uint i = CELL(vga.first_changed, 0); i < end; i++) {
    if (vga.shown[i] == vga.text[i])
      continue;
    card[i] = vga.shown[i] = vga.text[i];
  }
  vga.first_changed = ROWS;
  vga.last_changed = 0;
  move_cursor(CELL(vga.row, MIN(vga.column, COLUMNS - 1U)));
}

/* --- the text --- */

static void changed(uint first, uint last) {
  vga.first_changed = MIN(vga.first_changed, first);
  vga.last_changed = MAX(vga.last_changed, last);
}

/* Blank the cells [from, end). */
static void blank(uint from, uint end) {
  if (from >= end)
    return;
  for (uint i = from; i < end; i++)
    vga.text[i] = BLANK;
  changed(from / COLUMNS, (end - 1) / COLUMNS);
}

static void next_row(void) {
  if (vga.row + 1 < ROWS) {
    vga.row++;
    return;
  }
  memmove(vga.text, vga.text + CELL(1, 0), CELL(ROWS - 1, 0) * sizeof(uint16));
  changed(0, ROWS - 1);
  blank(CELL(ROWS - 1, 0), CELL(ROWS, 0));
}

static void put_character(char c) {
  if (vga.column == COLUMNS) {
    vga.column = 0;
    next_row();
  }
  vga.text[CELL(vga.row, vga.column)] = COLOURS | (uchar)c;
  changed(vga.row, vga.row);
  vga.column++;
}

static void put_plain(uchar c) {
  switch (c) {
    case '\n':
      next_row();
      break;
    case '\r':
      vga.column = 0;
      break;
    case '\b':
      vga.column -= vga.column > 0;
      break;
    case '\t':
      vga.column = MIN((vga.column / TAB + 1) * TAB, COLUMNS - 1U);
      break;
    case ESCAPE:
      vga.state = ESC;
      break;
    default:
      if (c >= ' ' && c < DELETE)
        put_character(c);
      else if (c >= 0xc0) /* UTF-8: the first byte of a character */
        put_character(UNKNOWN);
  }
}

/* --- control sequences --- */

/* Erase from the start to the cursor, from it to the end, or all. */
static void erase(uint how, uint start, uint end) {
  uint cursor = CELL(vga.row, MIN(vga.column, COLUMNS - 1U));

  if (how == 0)
    blank(cursor, end);
  else if (how == 1)
    blank(start, cursor + 1);
  else if (how == 2)
    blank(start, end);
}

static void go_to(uint row, uint column) {
  vga.row = MIN(row, ROWS - 1U);
  vga.column = MIN(column, COLUMNS - 1U);
}

static void obey(char letter) {
  uint n = MAX(vga.argument[0], 1U), m = MAX(vga.argument[1], 1U);
  uint row = vga.row, column = MIN(vga.column, COLUMNS - 1U);

  switch (letter) {
    case 'A':
      go_to(row - MIN(row, n), column);
      break;
    case 'B':
      go_to(row + n, column);
      break;
    case 'C':
      go_to(row, column + n);
      break;
    case 'D':
      go_to(row, column - MIN(column, n));
      break;
    case 'H':
      go_to(n - 1, m - 1);
      break;
    case 'J':
      erase(vga.argument[0], 0, CELL(ROWS, 0));
      break;
    case 'K':
      erase(vga.argument[0], CELL(row, 0), CELL(row + 1, 0));
      break;
  }
}

static void put_sequence(uchar c) {
  uint *argument = &vga.argument[vga.arguments];

  if (c >= '0' && c <= '9') {
    if (vga.arguments < ARGUMENTS)
      *argument = MIN(*argument * 10 + c - '0', (uint)ARGUMENT_MAX);
  } else if (c == ';') {
    vga.arguments += vga.arguments < ARGUMENTS;
  } else if (c >= '@' && c < DELETE) {
    obey(c);
    vga.state = PLAIN;
  } else if (c < ' ') { /* it was cut off */
    vga.state = PLAIN;
    put_plain(c);
  }
}

static void put(uchar c) {
  switch (vga.state) {
    case PLAIN:
      put_plain(c);
      break;
    case ESC:
      vga.state = c == '[' ? SEQUENCE : PLAIN;
      vga.arguments = 0;
      memset(vga.argument, 0, sizeof(vga.argument));
      break;
    case SEQUENCE:
      put_sequence(c);
      break;
  }
}

/* --- output --- */

static void vga_show(const char *buf, size_t n) {
  bool lock = !panicked;

  if (lock)
    acquire(&vga.lock);
  while (n-- > 0)
    put(*buf++);
  draw();
  if (lock)
    release(&vga.lock);
}

static size_t vga_write(const char *buf, size_t n) {
  vga_show(buf, n);
  return n;
}

void vga_putc(int c) { vga_show(&(char){c}, 1); }

void vga_init(void) {
  vga.cursor = ~0U;
  memset(vga.shown, 0xff, sizeof(vga.shown)); /* unlike all of the text */
  vga.first_changed = ROWS;
  vga_show("\x1b[H\x1b[2J", 7);
}

void vga_start(void) {
  static struct tty_port port = {.write = vga_write, .try_write = vga_show};

  tty_add_port(&port);
}
