/* Samples, kept as they are sent and written. See history.h. */
#include "history.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util.h"

#define NUMBER_MAX (1LL << 53) /* above, numbers of JavaScript have gaps */

struct history {
  json_t *samples; /* the oldest first */
  uint64_t number; /* of the newest */
};

/* Takes the samples. */
static struct history *history_of(json_t *samples, uint64_t number) {
  struct history *h = must_alloc(1, sizeof(*h));

  *h = (struct history){samples, number};
  return h;
}

struct history *history_create(void) {
  return history_of(json_array(), 0);
}

void history_free(struct history *h) {
  if (h == NULL)
    return;
  json_decref(h->samples);
  free(h);
}

void history_forget(struct history *h) { json_array_clear(h->samples); }

void history_add(struct history *h, uint64_t number, const json_t *state) {
  json_t *free_frames =
      json_object_get(json_object_get(state, "owners"), "free");
  json_t *sample = json_object();

  if (number != h->number + 1)
    history_forget(h);
  h->number = number;
  json_object_set_new(sample, "free",
                      json_integer(json_integer_value(free_frames)));
  json_object_set(sample, "counters", json_object_get(state, "counters"));
  json_array_append_new(h->samples, sample);
  if (json_array_size(h->samples) > HISTORY_SAMPLES)
    json_array_remove(h->samples, 0);
}

uint64_t history_pop(struct history *h, json_t **counters) {
  size_t last = json_array_size(h->samples) - 1;

  *counters = json_incref(
      json_object_get(json_array_get(h->samples, last), "counters"));
  json_array_remove(h->samples, last);
  return h->number--;
}

json_t *history_between(const struct history *h, uint64_t had) {
  size_t n = json_array_size(h->samples);
  json_t *between = json_array();

  for (size_t i = 0; i + 1 < n; i++)
    if (h->number - (n - 1 - i) > had)
      json_array_append(between, json_array_get(h->samples, i));
  return between;
}

char *history_write(const struct history *h) {
  json_t *o;
  char *text;

  if (json_array_size(h->samples) == 0)
    return NULL;
  o = json_pack("{s:I, s:O}", "seq", (json_int_t)h->number, "samples",
                h->samples);
  text = json_dumps(o, JSON_COMPACT);
  json_decref(o);
  return text;
}

/* --- reading --- */

static bool is_sample(const json_t *sample) {
  json_t *counters = json_object_get(sample, "counters"), *value;
  const char *key;

  if (!json_is_integer(json_object_get(sample, "free")) ||
      !json_is_object(counters))
    return false;
  json_object_foreach(counters, key, value) {
    if (!json_is_integer(value))
      return false;
  }
  return true;
}

/* Is it what history_write() makes? */
static bool is_history(const json_t *o) {
  const json_t *samples = json_object_get(o, "samples");
  json_int_t number = json_integer_value(json_object_get(o, "seq"));
  size_t n = json_array_size(samples);

  for (size_t i = 0; i < n; i++)
    if (!is_sample(json_array_get(samples, i)))
      return false;
  return n > 0 && n <= HISTORY_SAMPLES && number >= (json_int_t)n &&
         number < NUMBER_MAX;
}

struct history *history_read(const char *text, size_t n, struct trouble *why) {
  json_t *o = n <= HISTORY_BYTES ? json_loadb(text, n, 0, NULL) : NULL;
  struct history *h = NULL;

  if (is_history(o))
    h = history_of(json_incref(json_object_get(o, "samples")),
                   (uint64_t)json_integer_value(json_object_get(o, "seq")));
  else
    trouble_say(why, "the snapshot's samples make no sense");
  json_decref(o);
  return h;
}
