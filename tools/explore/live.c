/*
 * See live.h.
 *
 *     memory --- model_take() ---> model ---> hello, state, frames
 *     guest  --- control.c ------> paused, why, waiting, stopped, ended
 *
 * A state is sent only if it differs from the last one. Most spaces do not, so
 * they are compared before anything is made of them, with those of the model
 * before. Each has the number of the state that it changed in, and says how: a
 * reader who has had that state is told its pid alone; one who has had the state
 * before, what has changed; any other, all.
 */
#include "live.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define FRAMES_SEQ_END 8 /* bytes of a frames message that tell nothing new */
#define GONE_AFTER 4     /* readings without the process that is waited for */
#define ALONE_AFTER 8    /* times that nobody followed a machine that runs */

/* What is told of a space of the model. Its numbers are those of states. */
struct space_news {
  char *edit;      /* its message for who has it as it was; NULL: nobody has */
  uint64_t number; /* since when it is as it is, */
  uint64_t since;  /* and since when it was as it was before */
};

struct live {
  json_t *offers; /* names of machines, or NULL */
  struct source *source;
  struct layout *layout;
  struct memory *memory;
  struct model *model;
  struct guest *guest;
  struct console *console;
  struct control *control;
  uint64_t readings;
  bool still;                       /* read since the machine stood still */
  int missed;                       /* readings without that process */
  struct text hello, state, frames; /* the state's without spaces */
  struct space_news *news;          /* of each space of the model */
  size_t nnews;
  struct history *history; /* the newest sample is the state's */
  json_t *counters;        /* the state's in a snapshot, or NULL */
  int alone;               /* times that nobody followed */
};

/* --- texts --- */

/* The text is `bytes` from now on, if that differs behind the first `skip`. Does
 * it? */
static bool renew(struct text *t, char *bytes, size_t n, size_t skip) {
  if (t->bytes != NULL && t->n == n &&
      memcmp(t->bytes + skip, bytes + skip, n - skip) == 0) {
    free(bytes);
    return false;
  }
  free(t->bytes);
  t->bytes = bytes;
  t->n = n;
  t->number++;
  return true;
}

static void renew_json(struct text *t, const json_t *o) {
  char *bytes = json_dumps(o, JSON_COMPACT);

  renew(t, bytes, strlen(bytes), 0);
}

static json_t *event_message(struct stop_event e, bool stopped) {
  json_t *o;
  char va[24];

  if (e.at == NULL)
    return json_null();
  o = json_pack("{s:s, s:i}", "at", e.at, "pid", e.pid);
  snprintf(va, sizeof(va), "0x%llx", (unsigned long long)e.va);
  if (stopped)
    json_object_set_new(o, "cpu", json_integer(e.cpu));
  if (stopped && e.va != 0)
    json_object_set_new(o, "va", json_string(va));
  return o;
}

static void renew_hello(struct live *v) {
  json_t *o = json_hello(v->memory);

  json_object_set_new(o, "control", json_boolean(v->control != NULL));
  json_object_set_new(o, "beside",
                      v->offers ? json_incref(v->offers) : json_array());
  renew_json(&v->hello, o);
  json_decref(o);
}

static void free_news(struct space_news *news, size_t n) {
  for (size_t i = 0; i < n; i++)
    free(news[i].edit);
  free(news);
}

/* Has no other space its pid? In memory that is damaged, or changes, one may. */
static bool is_alone(const struct model *model, size_t i) {
  int pid = model->spaces[i].pid;

  return (i == 0 || model->spaces[i - 1].pid != pid) &&
         (i + 1 == model->nspaces || model->spaces[i + 1].pid != pid);
}

/* Where in the model, from i on, is this process? The number of spaces: nowhere. */
static size_t find_space(const struct model *model, size_t i, int pid) {
  for (; i < model->nspaces && model->spaces[i].pid <= pid; i++)
    if (model->spaces[i].pid == pid && is_alone(model, i))
      return i;
  return model->nspaces;
}

/* Find out how spaces differ from those of the model before, for the state of that
 * number. Is there anything? */
static bool renew_news(struct live *v, const struct model *before,
                       uint64_t number) {
  size_t n = v->model->nspaces, nbefore = before ? before->nspaces : 0, old = 0;
  struct space_news *now = must_alloc(n, sizeof(*now));
  bool differ = n != nbefore;

  for (size_t i = 0; i < n; i++) {
    const struct space_view *s = &v->model->spaces[i];
    size_t at = nbefore;

    while (old < nbefore && before->spaces[old].pid < s->pid)
      old++;
    if (before != NULL && is_alone(v->model, i))
      at = find_space(before, old, s->pid);
    if (at < nbefore && space_same(&before->spaces[at], s)) {
      now[i] = v->news[at];
      v->news[at].edit = NULL;
      continue;
    }
    differ = true;
    now[i].number = number;
    if (at < nbefore) {
      json_t *o = json_space(s, &before->spaces[at]);

      now[i].since = v->news[at].number;
      now[i].edit = json_dumps(o, JSON_COMPACT);
      json_decref(o);
    }
  }
  free_news(v->news, v->nnews);
  v->news = now;
  v->nnews = n;
  return differ;
}

static void renew_state(struct live *v, const struct model *before) {
  const struct control *c = v->control;
  json_t *o = json_state(v->model, v->memory);
  uint64_t next = v->state.number + 1;

  json_object_del(o, "seq"); /* live_state() adds it, and what readers had */
  if (v->counters != NULL)
    json_object_set(o, "counters", v->counters);
  if (c != NULL) {
    json_object_set_new(o, "paused", json_boolean(control_paused(c)));
    json_object_set_new(o, "why", json_string(control_why(c)));
    json_object_set_new(o, "ended", json_boolean(control_ended(c)));
    json_object_set_new(o, "waiting", event_message(control_waiting(c), false));
    json_object_set_new(o, "stopped", event_message(control_stopped(c), true));
  }
  renew_json(&v->state, o);
  if (renew_news(v, before, next))
    v->state.number = next;
  if (before != NULL && before->boots != v->model->boots)
    history_forget(v->history);
  if (v->state.number == next)
    history_add(v->history, next, o);
  json_decref(o);
}

static void renew_frames(struct live *v) {
  size_t n;
  unsigned char *bytes = json_frames(v->model, &n);

  renew(&v->frames, (char *)bytes, n, FRAMES_SEQ_END);
}

/* Write what a reader is told of the model's space i who `had` a state. */
static void put_space(FILE *to, const struct live *v, size_t i, uint64_t had) {
  const struct space_view *s = &v->model->spaces[i];
  const struct space_news *news = &v->news[i];
  json_t *o;

  if (news->number <= had) {
    fprintf(to, "%d", s->pid);
  } else if (news->edit != NULL && news->since <= had) {
    fputs(news->edit, to);
  } else {
    o = json_space(s, NULL);
    json_dumpf(o, to, JSON_COMPACT);
    json_decref(o);
  }
}

char *live_state(const struct live *v, struct seen *seen, uint64_t had,
                 size_t *n) {
  json_t *events = json_events(v->model, seen);
  json_t *samples = history_between(v->history, had);
  char *text = NULL;
  FILE *to = open_memstream(&text, n);

  if (to == NULL)
    abort(); /* as must_alloc() */
  /* between the braces of what is the same for all */
  fprintf(to, "{\"seq\":%llu,%.*s,\"spaces\":[",
          (unsigned long long)v->state.number, (int)v->state.n - 2,
          v->state.bytes + 1);
  for (size_t i = 0; i < v->nnews; i++) {
    if (i > 0)
      putc(',', to);
    put_space(to, v, i, had);
  }
  fputs("],\"events\":", to);
  json_dumpf(events, to, JSON_COMPACT);
  fputs(",\"samples\":", to);
  json_dumpf(samples, to, JSON_COMPACT);
  fputs("}", to);
  fclose(to);
  json_decref(events);
  json_decref(samples);
  return text;
}

const struct text *live_hello(const struct live *v) { return &v->hello; }
uint64_t live_state_number(const struct live *v) { return v->state.number; }
const struct text *live_frames(const struct live *v) { return &v->frames; }

/* --- following the machine --- */

/* The process that is waited for may end before its event comes. A machine that
 * runs is not always read whole, so once is not enough. */
static void look_for_waited(struct live *v) {
  struct stop_event e = control_waiting(v->control);
  bool there = e.pid == ANY_PROCESS || model_space(v->model, e.pid);

  v->missed = e.at == NULL || there ? 0 : v->missed + 1;
  if (v->missed < GONE_AFTER)
    return;
  control_gone(v->control);
  v->missed = 0;
}

void live_refresh(struct live *v, bool watched) {
  bool waiting = false, stands = !source_live(v->source);

  if (v->guest != NULL) {
    if (guest_ended(v->guest) && !control_ended(v->control)) {
      control_end(v->control);
      v->still = false;
    }
    stands = control_paused(v->control);
    waiting = control_waiting(v->control).at != NULL;
  }
  v->alone = watched || waiting || stands ? 0 : v->alone + 1;
  if (v->alone == ALONE_AFTER)
    history_forget(v->history); /* what happens from now on has no samples */
  if ((watched || waiting) && !(v->still && stands)) {
    struct model *before = v->model;

    v->model = model_take(v->memory, ++v->readings);
    if (waiting)
      look_for_waited(v);
    renew_hello(v);
    renew_state(v, before);
    renew_frames(v);
    model_free(before);
    v->still = stands;
  }
}

/* --- from beginning to end --- */

/* The machine stands still until it is connected. */
static int connect_guest(struct live *v, struct trouble *why) {
  struct stub *stub = stub_open(guest_debugger(v->guest));

  v->console = console_create(guest_console(v->guest));
  if (stub == NULL)
    return trouble_say(why, "QEMU has not started");
  v->control = control_create(stub, v->memory);
  return control_continue(v->control, why);
}

/* A snapshot's state is the newest of its history, with its number and counters:
 * some are counted while a machine is followed. */
static void recall(struct live *v, struct history *h) {
  uint64_t number = history_pop(h, &v->counters);

  v->history = h;
  v->state.number = number - 1;
}

struct live *live_create(const struct snapshot *k, struct guest *g,
                         struct trouble *why) {
  struct live *v = must_alloc(1, sizeof(*v));

  v->source = k->source;
  v->layout = k->layout;
  v->memory = memory_create(k->source, k->layout);
  v->guest = g;
  if (k->history != NULL)
    recall(v, k->history);
  else
    v->history = history_create();
  if (g != NULL && connect_guest(v, why) < 0) {
    live_free(v);
    return NULL;
  }
  live_refresh(v, true);
  return v;
}

struct live *live_start(char *const *words, struct trouble *why) {
  struct layout *l = layout_read_elf(words[0], why);
  uint64_t bytes = guest_memory(words[1]);
  struct guest *g = NULL;

  if (l == NULL)
    return NULL;
  if (bytes == 0)
    trouble_say(why, "%s: not an amount of memory", words[1]);
  else
    g = guest_start(words + 2, layout_machine(l)->ram_start, bytes, why);
  if (g == NULL) {
    layout_free(l);
    return NULL;
  }
  return live_create(&(struct snapshot){guest_ram(g), l, NULL}, g, why);
}

void live_offer(struct live *v, json_t *names) {
  json_decref(v->offers);
  v->offers = names;
  renew_hello(v);
}

void live_free(struct live *v) {
  if (v == NULL)
    return;
  guest_end(v->guest);
  control_free(v->control);
  console_free(v->console);
  model_free(v->model);
  memory_free(v->memory);
  source_close(v->source);
  layout_free(v->layout);
  json_decref(v->offers);
  history_free(v->history);
  json_decref(v->counters);
  free(v->hello.bytes);
  free(v->state.bytes);
  free_news(v->news, v->nnews);
  free(v->frames.bytes);
  free(v);
}

struct guest *live_guest(struct live *v) {
  return v->guest;
}
struct console *live_console(struct live *v) {
  return v->console;
}

bool live_receive(struct live *v) {
  if (control_receive(v->control)) {
    v->still = false;
    live_refresh(v, true);
  }
  return !control_ended(v->control);
}

/* --- requests --- */

static json_t *outcome(const json_t *request, int r,
                       const struct trouble *why) {
  return r < 0 ? json_error(request, why->text) : json_done(request);
}

static json_t *answer_stop(struct live *v, const json_t *request) {
  const char *at = json_string_value(json_object_get(request, "at"));
  const json_t *pid = json_object_get(request, "pid");
  json_int_t number = json_is_integer(pid) ? json_integer_value(pid) : -1;
  struct trouble why;

  if (at == NULL)
    return json_error(request, "stop at what?");
  if (number < 0 || number > INT_MAX ||
      (number != ANY_PROCESS && model_space(v->model, (int)number) == NULL))
    return json_error(request, "no such process");
  v->missed = 0;
  return outcome(request, control_stop_at(v->control, at, (int)number, &why),
                 &why);
}

/* Of one moment: the machine stands still meanwhile, if it can be made to. */
static json_t *answer_snapshot(struct live *v, const json_t *request,
                               unsigned char **file, size_t *n) {
  struct trouble why;
  json_t *o;

  if (v->control != NULL && control_freeze(v->control, &why) < 0)
    return json_error(request, why.text);
  live_refresh(v, true); /* so that the newest sample is of that moment */
  *file = snapshot_take(v->source, v->layout, v->history, n, &why);
  if (v->control != NULL)
    control_thaw(v->control);
  if (*file == NULL)
    return json_error(request, why.text);
  o = json_done(request);
  json_object_set_new(o, "bytes", json_integer((json_int_t)*n));
  return o;
}

json_t *live_answer(struct live *v, const json_t *request, unsigned char **file,
                    size_t *n) {
  const char *op = json_string_value(json_object_get(request, "op"));
  struct trouble why;
  json_t *o;

  *file = NULL;
  if (op == NULL)
    return json_error(request, "no operation");
  if (strcmp(op, "snapshot") == 0)
    return answer_snapshot(v, request, file, n);
  o = json_answer(v->model, v->memory, request);
  if (o != NULL)
    return o;
  if (strcmp(op, "pause") != 0 && strcmp(op, "continue") != 0 &&
      strcmp(op, "stop") != 0)
    return json_error(request, "no such operation");
  if (v->control == NULL)
    return json_error(request, "this machine cannot be stopped from here");
  if (strcmp(op, "pause") == 0)
    o = outcome(request, control_pause(v->control, &why), &why);
  else if (strcmp(op, "continue") == 0)
    o = outcome(request, control_continue(v->control, &why), &why);
  else
    o = answer_stop(v, request);
  v->still = false;
  live_refresh(v, true);
  return o;
}
