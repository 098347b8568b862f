/*
 * The messages to the page, as docs/explore.md has them. Addresses are strings
 * ("0x80000000"): JavaScript's numbers end at 2^53.
 */
#ifndef EXPLORE_JSON_H
#define EXPLORE_JSON_H

#include <jansson.h>

#include "model.h"

/* What stays the same: {"type":"hello", ...}. After memory_refresh(). */
json_t *json_hello(struct memory *m);
/* {"type":"state", ...} without "spaces" and "events". "paused" and "why" are
 * false and "", until who knows better sets them. */
json_t *json_state(const struct model *model, const struct memory *m);

/* {"pid":.., "name":.., ...}. had: what the reader has of it, so that of "regions"
 * he is told what differs alone; NULL: nothing. */
json_t *json_space(const struct space_view *s, const struct space_view *had);
/* All of them, whole. */
json_t *json_spaces(const struct model *model);

/* Which events a reader has had: of each CPU those below next[], if any. All of
 * one boot. */
struct seen {
  unsigned boots;
  uint32_t next[TALLY_CPUS];
  bool any[TALLY_CPUS];
};
/* [[ns, cpu, pid, "kind", "a", "b"], ...]: events that are new to the reader, who has them then;
 * NULL: all. */
json_t *json_events(const struct model *model, struct seen *seen);

/*
 * Answer a request of the page that needs only the model and memory: "table",
 * "walk", "frame". Answers carry the request's "id", if it has one; one that
 * makes no sense is answered by {"id":.., "error":".."}. NULL: "op" is none of
 * these, the caller's to answer.
 */
json_t *json_answer(const struct model *model, struct memory *m,
                    const json_t *request);
/* {"id":..}, to which more may be added; without it if the request has none. */
json_t *json_done(const json_t *request);
/* {"id":.., "error":".."} */
json_t *json_error(const json_t *request, const char *error);

/* The frames as a binary message: "FRAM", u32 seq, u32 frames, then runs of u32
 * length, u8 class, u8 order, u16 mappings; all little-endian. The caller frees
 * it; *n bytes. */
unsigned char *json_frames(const struct model *model, size_t *n);

#endif
