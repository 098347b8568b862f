/*
 * The serial port: a 16550. Bytes only; what they mean is tty.c's affair.
 */
#ifndef DEV_UART_H
#define DEV_UART_H

#include "types.h"

/* Set the port up for polled output. Any time before the rest. */
void uart_init(void);

/* Send one byte, after all that is queued, without interrupts. For messages of
 * the kernel; any context, also after a panic. */
void uart_putc(int c);

/* Who gets the input. Both are called in interrupt context, without locks. */
struct uart_input {
  bool (*room)(void);  /* would a byte be taken now? */
  void (*take)(int c); /* a byte came in */
};

/* Turn on interrupts, at a source of irq.h; input goes to `in`. */
void uart_start(uint irq, const struct uart_input *in);

/* There is room again: called after room() said no. */
void uart_input_resume(void);

/* Queue n bytes for output; sleeps while the queue is full. The bytes queued,
 * fewer only when the thread is being killed. */
size_t uart_write(const char *buf, size_t n);

/* Queue n bytes if all of them fit, else drop them. Any context. */
void uart_try_write(const char *buf, size_t n);

/* The machine's part: access to a register of the port. */
uint8 uart_reg_read(uint reg);
void uart_reg_write(uint reg, uint8 x);

#endif
