/*
 * The console as a terminal: echo, line editing, keys that act. It is the
 * character device CONSOLE; the serial port is below it.
 */
#ifndef DEV_TTY_H
#define DEV_TTY_H

#include "types.h"

/* Start the terminal on a serial port that interrupts at a source of irq.h. */
void tty_init(uint irq);

/* What keys do; proc/ fills this in. Called in interrupt context, without
 * locks. */
struct tty_ops {
  void (*list_processes)(void); /* Ctrl-P */
  void (*interrupt)(int pgid);  /* Ctrl-C: end a process group */
};
extern struct tty_ops tty_ops;

#endif
