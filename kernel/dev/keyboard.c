/*
 * PS/2 keyboard behind an i8042 controller (IBM "Personal System/2 Hardware
 * Interface Technical Reference", keyboard and auxiliary device controller).
 *
 * The controller translates to scan code set 1: a key sends its code when it
 * goes down, and with bit 7 set when it comes up. Keys that later keyboards
 * added send 0xe0 first. A code is looked up in a table, and what a terminal
 * sends for that key goes to the console: one byte, or a sequence such as
 * ESC [ A. Keys are typed by a person: what finds no room is dropped.
 */
#include "dev/keyboard.h"

#include "dev/irq.h"
#include "dev/tty.h"
#include "io.h"
#include "lib/printf.h"
#include "memlayout.h"

#define DATA P2IO(0x60)
#define STATUS P2IO(0x64)  /* read */
#define COMMAND P2IO(0x64) /* write */

#define STATUS_OUTPUT 0x01 /* there is a byte for us */
#define STATUS_INPUT 0x02  /* our last byte is not taken yet */
#define STATUS_MOUSE 0x20  /* the byte is the mouse's */
#define STATUS_NONE 0xff   /* nobody is at that port */

#define READ_CONFIG 0x20
#define WRITE_CONFIG 0x60
#define CONFIG_INTERRUPT 0x01
#define CONFIG_MOUSE_INTERRUPT 0x02
#define CONFIG_DISABLE 0x10 /* the keyboard's clock is off */
#define CONFIG_TRANSLATE 0x40
#define DISABLE_KEYBOARD 0xad
#define ENABLE_KEYBOARD 0xae
#define DISABLE_MOUSE 0xa7

#define POLLS 100000 /* of the status: far longer than the controller takes */

/* Scan codes, set 1. */
#define CODE_UP 0x80 /* the key came up */
#define CODE_CONTROL 0x1d
#define CODE_LEFT_SHIFT 0x2a
#define CODE_RIGHT_SHIFT 0x36
#define CODE_CAPS_LOCK 0x3a
#define CODE_EXTENDED 0xe0
#define CODE_PAUSE 0xe1 /* two codes follow, like Control and Num Lock */
#define CODES 0x54      /* those in the tables */

static const char plain[CODES] =
    "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 "
    "\0\0\0\0\0\0\0\0\0\0\0\0\000789-456+1230.";
static const char shifted[CODES] =
    "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 "
    "\0\0\0\0\0\0\0\0\0\0\0\0\000789-456+1230.";

/* After CODE_EXTENDED; what a terminal sends. */
static const char *const extended[CODES] = {
    [0x1c] = "\r",      /* Enter beside the digits */
    [0x35] = "/",       /* the same */
    [0x47] = "\033[H",  /* Home */
    [0x48] = "\033[A",  /* up */
    [0x49] = "\033[5~", /* page up */
    [0x4b] = "\033[D",  /* left */
    [0x4d] = "\033[C",  /* right */
    [0x4f] = "\033[F",  /* End */
    [0x50] = "\033[B",  /* down */
    [0x51] = "\033[6~", /* page down */
    [0x52] = "\033[2~", /* Insert */
    [0x53] = "\033[3~", /* Delete */
};

/* What is held down, and what came before. Only the interrupt touches it, and
 * that does not come twice at once. */
static struct {
  bool left_shift, right_shift, left_control, right_control;
  bool caps_lock;
  bool extended; /* CODE_EXTENDED came */
  int skip;      /* codes to ignore */
} keys;

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What a key means with Control: letters, and @ [ \ ] ^ _ around them; with 2
 * for @ and so on, as shifted. */
static int with_control(uint code) {
  char c = shifted[code];

  if (plain[code] >= '[' && plain[code] <= ']')
    c = plain[code];
  return (c >= '@' && c <= '_') || c == ' ' ? c & 0x1f : plain[code];
}

/* The byte of a key, or -1 if it has none. */
static int byte_of(uint code) {
  bool shift = keys.left_shift || keys.right_shift;

  if (plain[code] == 0)
    return -1;
  if (keys.left_control || keys.right_control)
    return with_control(code);
  if (keys.caps_lock && is_letter(plain[code]))
    shift = !shift;
  return shift ? shifted[code] : plain[code];
}

static void type(int c) {
  if (tty_room())
    tty_take((uchar)c);
}

/* Shift, Control, Caps Lock. True if the code is one of theirs. */
static bool modify(uint code, bool is_extended, bool down) {
  switch (code) {
    case CODE_CONTROL:
      *(is_extended ? &keys.right_control : &keys.left_control) = down;
      return true;
    case CODE_LEFT_SHIFT: /* extended: around keys that other shifts change */
      if (!is_extended)
        keys.left_shift = down;
      return true;
    case CODE_RIGHT_SHIFT:
      if (!is_extended)
        keys.right_shift = down;
      return true;
    case CODE_CAPS_LOCK:
      keys.caps_lock ^= down;
      return true;
    default:
      return false;
  }
}

static void press(uint code, bool is_extended) {
  int c;

  if (code >= CODES)
    return;
  if (is_extended) {
    for (const char *s = extended[code]; s && *s; s++)
      type(*s);
    return;
  }
  c = byte_of(code);
  if (c >= 0)
    type(c);
}

static void take_code(uint8 code) {
  bool is_extended = keys.extended, down = !(code & CODE_UP);

  if (keys.skip > 0) {
    keys.skip--;
  } else if (code == CODE_EXTENDED) {
    keys.extended = true;
    return;
  } else if (code == CODE_PAUSE) {
    keys.skip = 2;
  } else if (!modify(code & ~CODE_UP, is_extended, down) && down) {
    press(code, is_extended);
  }
  keys.extended = false;
}

static void keyboard_interrupt(void *arg) {
  uint8 status;

  (void)arg;
  while ((status = io_read8(STATUS)) & STATUS_OUTPUT) {
    uint8 code = io_read8(DATA);

    if (!(status & STATUS_MOUSE))
      take_code(code);
  }
}

/* --- the controller --- */

static bool wait_status(uint8 mask, uint8 value) {
  for (int i = 0; i < POLLS; i++)
    if ((io_read8(STATUS) & mask) == value)
      return true;
  return false;
}

static bool send(volatile void *port, uint8 x) {
  if (!wait_status(STATUS_INPUT, 0))
    return false;
  io_write8(port, x);
  return true;
}

/* Drop what was typed before anybody listened. */
static void drain(void) {
  for (int i = 0; i < POLLS && (io_read8(STATUS) & STATUS_OUTPUT); i++)
    io_read8(DATA);
}

static bool configure(void) {
  uint8 config;

  if (!send(COMMAND, DISABLE_KEYBOARD) || !send(COMMAND, DISABLE_MOUSE) ||
      !wait_status(STATUS_INPUT, 0))
    return false;
  drain();
  if (!send(COMMAND, READ_CONFIG) || !wait_status(STATUS_OUTPUT, STATUS_OUTPUT))
    return false;
  config = io_read8(DATA);
  config |= CONFIG_INTERRUPT | CONFIG_TRANSLATE;
  config &= ~(CONFIG_MOUSE_INTERRUPT | CONFIG_DISABLE);
  return send(COMMAND, WRITE_CONFIG) && send(DATA, config) &&
         send(COMMAND, ENABLE_KEYBOARD);
}

void keyboard_start(uint irq) {
  if (io_read8(STATUS) == STATUS_NONE || !configure()) {
    printf("keyboard: there is none\n");
    return;
  }
  irq_register(irq, "keyboard", keyboard_interrupt, NULL);
  drain(); /* while a byte waits, no other interrupts */
}
