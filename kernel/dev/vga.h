/*
 * The screen of a PC: 80 by 25 characters, as the firmware leaves it. It
 * understands the control sequences that this system's programs use.
 */
#ifndef DEV_VGA_H
#define DEV_VGA_H

#include "types.h"

/* Clear the screen. Any time before the rest. */
void vga_init(void);

/* Show one byte. For messages of the kernel; any context, also after a
 * panic. */
void vga_putc(int c);

/* Make it a port of the terminal. */
void vga_start(void);

#endif
