/* Operations of ttyctl(fd, op, arg); ENOTTY if fd is not a terminal. */
#ifndef ABI_TTY_H
#define ABI_TTY_H

#define TTY_GETMODE 1    /* returns the mode bits */
#define TTY_SETMODE 2    /* arg: mode bits */
#define TTY_GETPGRP 3    /* returns the foreground process group */
#define TTY_SETPGRP 4    /* arg: process group that Ctrl-C ends; 0: none */
#define TTY_INTERRUPTS 5 /* returns how many times Ctrl-C acted, at least 0 */

/* Mode bits. Without TTY_CANON a read returns as soon as one byte is there. */
#define TTY_CANON 1  /* line editing; read returns whole lines */
#define TTY_ECHO 2   /* echo what is typed */
#define TTY_SIGNAL 4 /* Ctrl-C and Ctrl-P act rather than being read */
#define TTY_COOKED (TTY_CANON | TTY_ECHO | TTY_SIGNAL)

/* Exit status of a process that Ctrl-C or kill() ended. */
#define STATUS_KILLED (-1)

#endif
