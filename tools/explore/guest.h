/*
 * A machine in QEMU that was started to be looked at: its RAM is a file without
 * a name, its console and its debugger interface are sockets without one. So
 * there is nothing to clean up, however this program ends; and QEMU is told to
 * end with it.
 */
#ifndef EXPLORE_GUEST_H
#define EXPLORE_GUEST_H

#include "source.h"

struct guest;

/* How much memory "128M" is, in bytes: a number with K, M or G, or of MiB. 0: it
 * makes no sense. */
uint64_t guest_memory(const char *text);

/*
 * Start QEMU: `command` is its command line, NULL at the end, to which the
 * options for the three above are added. The memory begins at physical address
 * `ram_start` and has `bytes` bytes. NULL, and why.
 */
struct guest *guest_start(char *const *command, uint64_t ram_start,
                          uint64_t bytes, struct trouble *why);
/* End QEMU, if it still runs, and wait for it. */
void guest_end(struct guest *g);

/* The caller's from now on. */
struct source *guest_ram(struct guest *g);
int guest_console(struct guest *g);
int guest_debugger(struct guest *g);

/* Has QEMU ended? */
bool guest_ended(struct guest *g);

#endif
