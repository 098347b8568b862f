/*
 * What the pages are told: the texts of docs/explore.md, made anew when there is
 * something new. Of a machine that was started here, of one that somebody else
 * runs, or of a snapshot; only the first can be stopped and typed to.
 */
#ifndef EXPLORE_LIVE_H
#define EXPLORE_LIVE_H

#include <jansson.h>

#include "console.h"
#include "control.h"
#include "guest.h"
#include "json.h"
#include "snapshot.h"

struct live;

/* Start a machine: `words` are the kernel's ELF file, how much memory it has
 * ("128M"), and QEMU's command line, NULL at the end. NULL, and why. */
struct live *live_start(char *const *words, struct trouble *why);
/* Of what was opened; the guest is NULL if it was not started here. Takes what it is
 * given. NULL, and why: QEMU ended at once. */
struct live *live_create(const struct snapshot *k, struct guest *g,
                         struct trouble *why);
/* Ends the guest, too. */
void live_free(struct live *v);

/* Say in hello which machines can be started beside this one: an array, taken. */
void live_offer(struct live *v, json_t *names);

/* Both NULL if the guest was not started here. */
struct guest *live_guest(struct live *v);
struct console *live_console(struct live *v);

/* The debugger's socket can be read. False: it is closed. */
bool live_receive(struct live *v);

/* Note what happened since, and if `watched`, look into the memory, unless it
 * cannot have changed. */
void live_refresh(struct live *v, bool watched);

/* Texts; the numbers rise when they change. They are valid until the next
 * live_refresh(). */
struct text {
  char *bytes;
  size_t n;
  uint64_t number;
};
const struct text *live_hello(const struct live *v);
/* {"type":"state", ...} for a reader, with events that are new to him, and of
 * spaces what is not as it was in the state that he `had` (its number; 0: none), and
 * samples of the states since; *n bytes, which the caller frees. */
char *live_state(const struct live *v, struct seen *seen, uint64_t had,
                 size_t *n);
/* The number that the state has. */
uint64_t live_state_number(const struct live *v);
const struct text *live_frames(const struct live *v);

/* Answer a request, whatever it is. Never NULL. For "snapshot" it is
 * {"id":.., "bytes":n} and the file's bytes are in *file, which the caller frees;
 * else *file is NULL. */
json_t *live_answer(struct live *v, const json_t *request, unsigned char **file,
                    size_t *n);

#endif
