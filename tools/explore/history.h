/*
 * What the counters of a machine were of late: a sample for each state that pages
 * were told, about a minute of them. It goes into snapshots, so that their charts
 * are as they were.
 *
 *   {"seq":812,"samples":[{"free":31000,"counters":{"faults":..}}, ...]}
 *
 * seq is the number of the newest state, whose sample is the last one.
 */
#ifndef EXPLORE_HISTORY_H
#define EXPLORE_HISTORY_H

#include <jansson.h>
#include <stdint.h>

#include "source.h"

#define HISTORY_SAMPLES \
  241 /* at most; charts compare 240 with the one before */
#define HISTORY_BYTES (1U << 20) /* of its text, at most */

struct history;

/* Without samples. Never NULL. */
struct history *history_create(void);
void history_free(struct history *h);

/* Add the sample of state `number`, which is {"owners":.., "counters":.., ...}. All
 * others are forgotten if it does not follow them. */
void history_add(struct history *h, uint64_t number, const json_t *state);
void history_forget(struct history *h);

/* Take the newest sample, which there is, out: its number. *counters: its own, for
 * the caller to json_decref(). */
uint64_t history_pop(struct history *h, json_t **counters);

/* For who has had state number `had` and gets the newest: samples between them, the
 * oldest first. Never NULL. */
json_t *history_between(const struct history *h, uint64_t had);

/* As text, which the caller frees; NULL if there are no samples. */
char *history_write(const struct history *h);
/* From n bytes of text, from anywhere; NULL, and why. */
struct history *history_read(const char *text, size_t n, struct trouble *why);

#endif
