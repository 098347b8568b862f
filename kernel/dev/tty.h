/*
 * The console as a terminal: echo, line editing, keys that act. It is the
 * character device CONSOLE. What a person uses it through, a serial line or a
 * screen and a keyboard, are ports below it; all show the same, and any may be
 * typed at.
 */
#ifndef DEV_TTY_H
#define DEV_TTY_H

#include "types.h"

/* Start the terminal. Its ports are added afterwards. */
void tty_init(void);

/* Where output goes. The functions are called without locks of the terminal's
 * but its own spin lock in try_write(). */
struct tty_port {
  /* Queue n bytes; sleeps while there is no room. The bytes queued, fewer only
   * when the thread is being killed. */
  size_t (*write)(const char *buf, size_t n);
  /* Queue n bytes if all of them fit, else drop them. Any context. */
  void (*try_write)(const char *buf, size_t n);
  /* There is room for input again: after tty_room() said no. Or NULL. */
  void (*resume_input)(void);
  struct tty_port *next; /* the terminal's */
};

/* Add a port, for good. */
void tty_add_port(struct tty_port *p);

/* Input, from any port, in interrupt context, without locks. */
bool tty_room(void);  /* would a byte be taken now? */
void tty_take(int c); /* a byte came in */

/* What keys do; proc/ fills this in. Called in interrupt context, without
 * locks. */
struct tty_ops {
  void (*list_processes)(void); /* Ctrl-P */
  void (*interrupt)(int pgid);  /* Ctrl-C: end a process group */
};
extern struct tty_ops tty_ops;

#endif
