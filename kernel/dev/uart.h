/*
 * The serial port: a 16550. Bytes only; what they mean is tty.c's affair.
 */
#ifndef DEV_UART_H
#define DEV_UART_H

#include "types.h"

/* Set the port up for polled output; its clock runs at clock_hz. Any time
 * before the rest. */
void uart_init(uint clock_hz);

/* Send one byte, after all that is queued, without interrupts. For messages of
 * the kernel; any context, also after a panic. */
void uart_putc(int c);

/* Turn on interrupts, at a source of irq.h, and make it a port of the
 * terminal. If none comes from there, the clock is used in their place. */
void uart_start(uint irq);

/* The machine's part: access to a register of the port. */
uint8 uart_reg_read(uint reg);
void uart_reg_write(uint reg, uint8 x);

#endif
