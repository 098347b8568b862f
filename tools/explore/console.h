/*
 * The guest's console: what it printed last, for any number of readers, each at
 * its own place; and what was typed and not taken yet.
 *
 * Memory is bounded both ways. A reader that is too slow misses what was
 * overwritten; who types faster than the guest reads has to wait.
 */
#ifndef EXPLORE_CONSOLE_H
#define EXPLORE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console;

/* Over a connected socket, which is closed with it. Never NULL. */
struct console *console_create(int fd);
void console_free(struct console *c);

/* The socket can be read: take what has come. -1: it is closed. */
int console_receive(struct console *c);
/* Bytes that the guest has printed so far. */
uint64_t console_printed(const struct console *c);
/* Copy what was printed from byte *at on, n bytes at most; *at moves on, past
 * what is gone for good. Returns how many were copied. */
size_t console_read(const struct console *c, uint64_t *at, void *buf, size_t n);

/* Type n bytes: false if there is no room for them, and none was taken. */
bool console_type(struct console *c, const void *bytes, size_t n);
/* Bytes that can be typed now. */
size_t console_room(const struct console *c);
/* Send on what was typed, as far as the guest takes it. True: some is left, so
 * call it again when the socket can be written to. */
bool console_flush(struct console *c);

#endif
