/*
 * The PS/2 keyboard of a PC, with US keys.
 */
#ifndef DEV_KEYBOARD_H
#define DEV_KEYBOARD_H

#include "types.h"

/* Hand what is typed to the terminal; the keyboard interrupts at a source of
 * irq.h. Says so and does nothing if there is none. */
void keyboard_start(uint irq);

#endif
