/*
 * One thread, one loop: libwebsockets' own. It also watches the guest's two
 * sockets, and calls tick() four times a second.
 *
 * There may be a second machine beside the first. Pages that follow it have
 * connections of their own, and it ends when nobody does any more.
 *
 *     console socket --> console.c's ring --> each console page, from where it is
 *     debugger socket -> live_receive()
 *     tick() ----------> live_refresh() ----> each state page, if there is news
 *
 * What a page has not read yet is not kept for it: it gets the newest state once
 * it has taken the last one. Of answers a few are kept; who asks on without
 * reading them is not listened to until he does. So no page makes this process
 * grow, or keeps another page from being served.
 */
#include "server.h"

#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "page.h"
#include "util.h"

#define TOKEN_BYTES 16
#define TOKEN_LETTERS (2 * TOKEN_BYTES)
#define TICK_US 250000
#define SHARE \
  10 /* of a CPU's time: reading the memory takes no more than 1/SHARE */
#define CLIENTS_MAX 16 /* websockets */
#define STRANGERS_MAX \
  64 /* connections that have not shown the token; more than a browser's */
#define ANSWERS_MAX 8 /* that wait for a page that does not read */
#define REQUEST_BYTES 4096
#define RECEIVE_BYTES 4096
#define SEND_BYTES 16384 /* of a file or of the console, at once */
#define PATH_BYTES 256
#define HEADERS_BYTES 2048
#define BESIDE "beside/" /* before the names of the second machine's sockets */

/* A message that waits to be sent; LWS_PRE bytes of room are before it. */
struct message {
  unsigned char *room;
  size_t n;
  bool binary;
};

/* A machine that is followed. */
struct side {
  struct live *live;    /* NULL: there is none now */
  unsigned long number; /* it rises when the machine is another one */
  struct lws *console, *debugger;
};

/* A connection; libwebsockets allocates it, zeros. */
struct client {
  enum { LOADS, FOLLOWS, TYPES, GUEST_CONSOLE, GUEST_DEBUGGER } kind;
  struct client *next;
  struct lws *wsi;
  struct side *side;    /* whose machine, */
  unsigned long number; /* and which of them; not of LOADS */
  /* LOADS: what of which file */
  const struct page_file *file;
  size_t sent;
  /* FOLLOWS: the numbers of what it has had */
  uint64_t hello, state, frames;
  struct seen seen;
  char request[REQUEST_BYTES];
  size_t request_bytes;
  bool too_long;
  struct message answers[ANSWERS_MAX + 1]; /* a snapshot's are two */
  size_t nanswers;
  /* TYPES: how far it has read */
  uint64_t printed;
};

static struct server {
  struct side first, beside;
  const char *offers;
  struct lws_context *context;
  struct lws_vhost *host;
  struct client *clients;               /* websockets */
  struct lws *strangers[STRANGERS_MAX]; /* the oldest first */
  size_t nstrangers;
  lws_sorted_usec_list_t timer;
  char token[TOKEN_LETTERS + 1];
  int port;
} server;

static volatile sig_atomic_t ended;

/* --- who may ask for what --- */

/* Takes as long wherever they differ. */
static bool is_token(const char *text) {
  unsigned differ = 0;

  for (int i = 0; i < TOKEN_LETTERS; i++) {
    if (text[i] == 0)
      return false;
    differ |= (unsigned)(text[i] ^ server.token[i]);
  }
  return differ == 0;
}

/* A header is missing (if it may be), or is one of this server's names behind
 * `prefix`. A page of another site could have a name of its own lead here. */
static bool names_us(struct lws *wsi, enum lws_token_indexes header,
                     const char *prefix, bool may_miss) {
  static const char *const names[] = {"127.0.0.1", "localhost"};
  char got[PATH_BYTES], want[PATH_BYTES];

  if (lws_hdr_total_length(wsi, header) == 0)
    return may_miss;
  if (lws_hdr_copy(wsi, got, sizeof(got), header) < 0)
    return false;
  for (size_t i = 0; i < NELEM(names); i++) {
    snprintf(want, sizeof(want), "%s%s:%d", prefix, names[i], server.port);
    if (strcmp(got, want) == 0)
      return true;
  }
  return false;
}

/* What the request is for, behind the token: an HTTP status, and if that is 200,
 * the name. */
static int asked_for(struct lws *wsi, char name[PATH_BYTES]) {
  char path[PATH_BYTES];

  if (!names_us(wsi, WSI_TOKEN_HOST, "", false))
    return HTTP_STATUS_FORBIDDEN;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0)
    return HTTP_STATUS_METHOD_NOT_ALLOWED;
  if (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) < 0 ||
      path[0] != '/' || !is_token(path + 1) || path[1 + TOKEN_LETTERS] != '/')
    return HTTP_STATUS_NOT_FOUND;
  snprintf(name, PATH_BYTES, "%s", path + 1 + TOKEN_LETTERS + 1);
  return HTTP_STATUS_OK;
}

/* --- strangers --- */

/* It has shown the token, or is closed. */
static void no_stranger(const struct lws *wsi) {
  for (size_t i = 0; i < server.nstrangers; i++)
    if (server.strangers[i] == wsi) {
      server.nstrangers--;
      memmove(server.strangers + i, server.strangers + i + 1,
              (server.nstrangers - i) * sizeof(server.strangers[0]));
      return;
    }
}

/* A connection has come. Whoever knows no token may leave many open, until
 * libwebsockets' limits of time end them: the oldest makes room, so that there is
 * a socket for who knows it. */
static void meet_stranger(struct lws *wsi) {
  struct lws *oldest = server.strangers[0];

  if (server.nstrangers == STRANGERS_MAX) {
    no_stranger(oldest);
    lws_set_timeout(oldest, PENDING_TIMEOUT_USER_REASON_BASE,
                    LWS_TO_KILL_ASYNC);
  }
  server.strangers[server.nstrangers++] = wsi;
}

/* --- files --- */

static const struct page_file *find_file(const char *name) {
  if (*name == 0)
    name = "index.html";
  for (const struct page_file *f = page_files; f->name != NULL; f++)
    if (strcmp(f->name, name) == 0)
      return f;
  return NULL;
}

static int add_header(struct lws *wsi, const char *name, const char *value,
                      unsigned char **p, unsigned char *end) {
  return lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                     (const unsigned char *)value,
                                     (int)strlen(value), p, end);
}

/* The page gets nothing from elsewhere, is shown in no frame of another, and
 * tells nobody its address, which has the token. xterm.js needs inline styles. */
static int add_headers(struct lws *wsi, unsigned char **p, unsigned char *end) {
  char policy[400];

  snprintf(policy, sizeof(policy),
           "default-src 'none'; script-src 'self'; "
           "style-src 'self' 'unsafe-inline'; font-src 'self'; "
           "img-src 'self' data: blob:; "
           "connect-src 'self' ws://127.0.0.1:%d ws://localhost:%d; "
           "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
           server.port, server.port);
  return add_header(wsi, "content-security-policy:", policy, p, end) ||
         add_header(wsi, "referrer-policy:", "no-referrer", p, end) ||
         add_header(wsi, "x-content-type-options:", "nosniff", p, end) ||
         add_header(wsi, "cross-origin-resource-policy:", "same-origin", p,
                    end) ||
         add_header(wsi, "cache-control:", "no-store", p, end);
}

/* An answer without content. */
static int refuse(struct lws *wsi, int status) {
  unsigned char room[LWS_PRE + HEADERS_BYTES], *start = room + LWS_PRE;
  unsigned char *p = start, *end = room + sizeof(room);

  if (lws_add_http_common_headers(wsi, (unsigned)status, NULL, 0, &p, end) ||
      lws_finalize_write_http_header(wsi, start, &p, end))
    return -1;
  return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int http_begin(struct lws *wsi, struct client *c) {
  unsigned char room[LWS_PRE + HEADERS_BYTES], *start = room + LWS_PRE;
  unsigned char *p = start, *end = room + sizeof(room);
  char name[PATH_BYTES];
  int status = asked_for(wsi, name);

  if (status == HTTP_STATUS_OK)
    no_stranger(wsi);
  c->sent = 0;
  c->file = status == HTTP_STATUS_OK ? find_file(name) : NULL;
  if (c->file == NULL)
    return refuse(wsi,
                  status == HTTP_STATUS_OK ? HTTP_STATUS_NOT_FOUND : status);
  if (lws_add_http_common_headers(
          wsi, HTTP_STATUS_OK, c->file->type,
          (lws_filepos_t)(c->file->end - c->file->bytes), &p, end) ||
      add_headers(wsi, &p, end) ||
      lws_finalize_write_http_header(wsi, start, &p, end))
    return -1;
  lws_callback_on_writable(wsi);
  return 0;
}

static int http_go_on(struct lws *wsi, struct client *c) {
  unsigned char room[LWS_PRE + SEND_BYTES];
  size_t all, part;

  if (c->file == NULL)
    return 0;
  all = (size_t)(c->file->end - c->file->bytes);
  part = MIN(all - c->sent, SEND_BYTES);
  memcpy(room + LWS_PRE, c->file->bytes + c->sent, part);
  c->sent += part;
  if (lws_write(wsi, room + LWS_PRE, part,
                c->sent == all ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
    return -1;
  if (c->sent == all) {
    c->file = NULL;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
  }
  lws_callback_on_writable(wsi);
  return 0;
}

/* --- websockets come and go --- */

static size_t client_count(void) {
  size_t n = 0;

  for (struct client *c = server.clients; c != NULL; c = c->next)
    n++;
  return n;
}

/* What a websocket by that name is: FOLLOWS, TYPES, or -1: there is none; and of
 * which machine. */
static int kind_named(const char *name, struct side **of) {
  size_t skip = sizeof(BESIDE) - 1;

  *of = strncmp(name, BESIDE, skip) == 0 ? &server.beside : &server.first;
  if ((*of)->live == NULL)
    return -1;
  if (*of == &server.beside)
    name += skip;
  if (strcmp(name, "state") == 0)
    return FOLLOWS;
  return strcmp(name, "console") == 0 && live_console((*of)->live) ? TYPES : -1;
}

/* 0: the connection may become a websocket. Else it was refused. */
static int upgrade(struct lws *wsi, const char *to) {
  char name[PATH_BYTES];
  int status = asked_for(wsi, name);
  struct side *of;

  if (status == HTTP_STATUS_OK &&
      (strcmp(to, "websocket") != 0 || kind_named(name, &of) < 0))
    status = HTTP_STATUS_NOT_FOUND;
  if (status == HTTP_STATUS_OK &&
      (!names_us(wsi, WSI_TOKEN_ORIGIN, "http://", true) ||
       client_count() >= CLIENTS_MAX))
    status = HTTP_STATUS_FORBIDDEN;
  if (status == HTTP_STATUS_OK)
    return 0;
  return refuse(wsi, status) < 0 ? -1 : 1;
}

/* It becomes one, and has memory of its own now. */
static int begin(struct lws *wsi, struct client *c) {
  char name[PATH_BYTES];
  int status = asked_for(wsi, name), kind;

  if (status != HTTP_STATUS_OK || (kind = kind_named(name, &c->side)) < 0)
    return -1;
  no_stranger(wsi);
  c->kind = kind;
  c->number = c->side->number;
  return 0;
}

/* Is its machine not there any more? */
static bool stale(const struct client *c) {
  return c->side->live == NULL || c->number != c->side->number;
}

/* Is anybody following? */
static bool watched(const struct side *s) {
  for (struct client *c = server.clients; c != NULL; c = c->next)
    if (c->kind == FOLLOWS && c->side == s && !stale(c))
      return true;
  return false;
}

/* Is there something to tell, if only that it is over? */
static bool has_news(const struct client *c) {
  struct live *v = c->side->live;

  if (stale(c))
    return true;
  if (c->kind == TYPES)
    return console_printed(live_console(v)) > c->printed;
  return c->hello != live_hello(v)->number ||
         c->state != live_state_number(v) ||
         c->frames != live_frames(v)->number || c->nanswers > 0;
}

static void wake(void) {
  for (struct client *c = server.clients; c != NULL; c = c->next)
    if (has_news(c))
      lws_callback_on_writable(c->wsi);
}

/* End the second machine; those who follow it are told by has_news(). */
static void end_beside(void) {
  struct live *v = server.beside.live;

  if (v == NULL)
    return;
  server.beside.live = NULL;
  server.beside.number++;
  live_free(v);
  wake();
}

static void join(struct lws *wsi, struct client *c) {
  bool first = !watched(c->side);

  c->wsi = wsi;
  c->next = server.clients;
  server.clients = c;
  if (first && c->kind == FOLLOWS && !stale(c))
    live_refresh(c->side->live, true);
  wake();
}

static void leave(struct client *c) {
  for (struct client **p = &server.clients; *p != NULL; p = &(*p)->next)
    if (*p == c) {
      *p = c->next;
      break;
    }
  while (c->nanswers > 0)
    free(c->answers[--c->nanswers].room);
  if (c->side == &server.beside && !stale(c) && !watched(c->side))
    end_beside();
}

/* A socket that is watched; it is closed elsewhere. */
static struct lws *watch(struct side *s, int fd, int kind) {
  struct client *c;
  struct lws *wsi = lws_adopt_descriptor_vhost(
      server.host, LWS_ADOPT_RAW_FILE_DESC,
      (lws_sock_file_fd_type){.filefd = dup(fd)}, "explore", NULL);

  if (wsi == NULL)
    return NULL;
  c = lws_wsi_user(wsi);
  c->kind = kind;
  c->side = s;
  c->number = s->number;
  return wsi;
}

/* If it was started here, its console and its debugger are listened to. */
static void watch_guest(struct side *s) {
  struct guest *g = live_guest(s->live);

  if (g == NULL)
    return;
  s->console = watch(s, guest_console(g), GUEST_CONSOLE);
  s->debugger = watch(s, guest_debugger(g), GUEST_DEBUGGER);
}

/* --- the page follows --- */

static int send_text(struct lws *wsi, const char *text, size_t n, bool binary) {
  unsigned char *room = must_alloc(1, LWS_PRE + n);
  int r;

  memcpy(room + LWS_PRE, text, n);
  r = lws_write(wsi, room + LWS_PRE, n,
                binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
  free(room);
  return r < 0 ? -1 : 0;
}

static int send_answer(struct client *c) {
  struct message m = c->answers[0];
  int r = lws_write(c->wsi, m.room + LWS_PRE, m.n,
                    m.binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);

  free(m.room);
  c->nanswers--;
  memmove(c->answers, c->answers + 1, c->nanswers * sizeof(c->answers[0]));
  if (c->nanswers < ANSWERS_MAX)
    lws_rx_flow_control(c->wsi, 1);
  return r < 0 ? -1 : 0;
}

static int send_state(struct client *c) {
  size_t n;
  char *text = live_state(c->side->live, &c->seen, c->state, &n);
  int r = send_text(c->wsi, text, n, false);

  c->state = live_state_number(c->side->live);
  free(text);
  return r;
}

/* Send one message, and come again if there are more. */
static int follow(struct client *c) {
  const struct text *hello = live_hello(c->side->live);
  const struct text *frames = live_frames(c->side->live);
  int r = 0;

  if (c->hello != hello->number) {
    c->hello = hello->number;
    r = send_text(c->wsi, hello->bytes, hello->n, false);
  } else if (c->state != live_state_number(c->side->live)) {
    r = send_state(c); /* before the answer to what has changed it */
  } else if (c->nanswers > 0) {
    r = send_answer(c);
  } else if (c->frames != frames->number) {
    c->frames = frames->number;
    r = send_text(c->wsi, frames->bytes, frames->n, true);
  }
  if (has_news(c))
    lws_callback_on_writable(c->wsi);
  return r;
}

static void queue(struct client *c, const void *start, size_t n0,
                  const void *bytes, size_t n) {
  struct message *m = &c->answers[c->nanswers++];

  *m = (struct message){must_alloc(1, LWS_PRE + n0 + n), n0 + n, n0 > 0};
  memcpy(m->room + LWS_PRE, start, n0);
  memcpy(m->room + LWS_PRE + n0, bytes, n);
  lws_callback_on_writable(c->wsi);
  if (c->nanswers >= ANSWERS_MAX)
    lws_rx_flow_control(c->wsi, 0);
}

/* 0, or -1 and why. There is none. */
static int start_beside(const char *name, struct trouble *why) {
  char **words = offer_words(server.offers, name, why);

  if (words != NULL)
    server.beside.live = live_start(words, why);
  offer_free(words);
  if (server.beside.live == NULL)
    return -1;
  watch_guest(&server.beside);
  return 0;
}

/* Start a machine beside the first, in place of one that is there, or end that. */
static json_t *answer_beside(const json_t *request) {
  const char *name = json_string_value(json_object_get(request, "name"));
  struct trouble why;

  end_beside();
  if (name != NULL && start_beside(name, &why) < 0)
    return json_error(request, why.text);
  return json_done(request);
}

static bool is_beside(const struct client *c, const json_t *request) {
  const char *op = json_string_value(json_object_get(request, "op"));

  return op != NULL && strcmp(op, "beside") == 0 && c->side == &server.first;
}

static json_t *answer(const struct client *c, unsigned char **file, size_t *n) {
  json_t *request, *o;

  *file = NULL;
  if (c->too_long)
    return json_error(NULL, "the request is too long");
  request = json_loadb(c->request, c->request_bytes, 0, NULL);
  if (request == NULL)
    return json_error(NULL, "no JSON");
  o = is_beside(c, request) ? answer_beside(request)
                            : live_answer(c->side->live, request, file, n);
  json_decref(request);
  return o;
}

/* A part of a request has come. */
static int receive_request(struct client *c, const void *bytes, size_t n) {
  unsigned char *file;
  size_t file_bytes;
  json_t *o;
  char *text;

  if (c->nanswers >= ANSWERS_MAX)
    return -1; /* he was not to be heard */
  if (n > REQUEST_BYTES - c->request_bytes)
    c->too_long = true;
  if (!c->too_long) {
    memcpy(c->request + c->request_bytes, bytes, n);
    c->request_bytes += n;
  }
  if (!lws_is_final_fragment(c->wsi))
    return 0;
  o = answer(c, &file, &file_bytes);
  text = json_dumps(o, JSON_COMPACT);
  queue(c, "", 0, text, strlen(text));
  if (file != NULL)
    queue(c, "SNAP", 4, file, file_bytes);
  free(file);
  free(text);
  json_decref(o);
  c->request_bytes = 0;
  c->too_long = false;
  wake(); /* others, if the machine was stopped */
  return 0;
}

/* --- the console --- */

static int show_console(struct client *c) {
  unsigned char room[LWS_PRE + SEND_BYTES];
  size_t n = console_read(live_console(c->side->live), &c->printed,
                          room + LWS_PRE, SEND_BYTES);

  if (n > 0 && lws_write(c->wsi, room + LWS_PRE, n, LWS_WRITE_BINARY) < 0)
    return -1;
  if (has_news(c))
    lws_callback_on_writable(c->wsi);
  return 0;
}

/* Listen to those who type, or not, as there is room. */
static void let_type(const struct side *s) {
  bool room =
      console_room(live_console(s->live)) >= CLIENTS_MAX * RECEIVE_BYTES;

  for (struct client *c = server.clients; c != NULL; c = c->next)
    if (c->kind == TYPES && c->side == s)
      lws_rx_flow_control(c->wsi, room);
}

static void flush_typed(const struct side *s) {
  if (console_flush(live_console(s->live)) && s->console != NULL)
    lws_callback_on_writable(s->console);
  let_type(s);
}

/* --- the guest --- */

static int guest_console_ready(const struct side *s) {
  int r = console_receive(live_console(s->live));

  wake();
  return r;
}

static int guest_debugger_ready(const struct side *s) {
  bool open = live_receive(s->live);

  wake();
  return open ? 0 : -1;
}

/* --- events --- */

static int receive(struct client *c, const void *bytes, size_t n) {
  if (c->kind == FOLLOWS)
    return receive_request(c, bytes, n);
  if (!console_type(live_console(c->side->live), bytes, n))
    return -1; /* he was not to be heard */
  flush_typed(c->side);
  return 0;
}

/* A guest's socket is closed; another one's may be there already. */
static void forget(struct side *s, const struct lws *wsi) {
  if (wsi == s->console)
    s->console = NULL;
  if (wsi == s->debugger)
    s->debugger = NULL;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t len) {
  struct client *c = user;

  switch (reason) {
    case LWS_CALLBACK_HTTP:
      return http_begin(wsi, c);
    case LWS_CALLBACK_HTTP_WRITEABLE:
      return http_go_on(wsi, c);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
      meet_stranger(wsi);
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      no_stranger(wsi);
      return 0;
    case LWS_CALLBACK_RAW_ADOPT: /* CONNECT: nothing here is for that */
      return -1;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return upgrade(wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
      return begin(wsi, c);
    case LWS_CALLBACK_ESTABLISHED:
      join(wsi, c);
      return 0;
    case LWS_CALLBACK_CLOSED:
      leave(c);
      return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      if (stale(c))
        return -1;
      return c->kind == TYPES ? show_console(c) : follow(c);
    case LWS_CALLBACK_RECEIVE:
      return stale(c) ? -1 : receive(c, in, len);
    case LWS_CALLBACK_RAW_RX_FILE:
      if (stale(c))
        return -1;
      return c->kind == GUEST_CONSOLE ? guest_console_ready(c->side)
                                      : guest_debugger_ready(c->side);
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
      if (stale(c))
        return -1;
      flush_typed(c->side);
      return 0;
    case LWS_CALLBACK_RAW_CLOSE_FILE:
      forget(&server.first, wsi);
      forget(&server.beside, wsi);
      return 0;
    default:
      return 0;
  }
}

static double cpu_seconds(void) {
  struct timespec t;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Look at the machine. If that takes long, it is done less often. */
static void tick(lws_sorted_usec_list_t *timer) {
  double before = cpu_seconds(), took;

  live_refresh(server.first.live, watched(&server.first));
  if (server.beside.live != NULL)
    live_refresh(server.beside.live, watched(&server.beside));
  wake();
  took = cpu_seconds() - before;
  lws_sul_schedule(
      server.context, 0, timer, tick,
      (lws_usec_t)(took * SHARE * 1e6 > TICK_US ? took * SHARE * 1e6
                                                : TICK_US));
}

/* --- from beginning to end --- */

static void end(int signal) {
  (void)signal;
  ended = 1;
  lws_cancel_service(server.context);
}

static int make_token(struct trouble *why) {
  unsigned char raw[TOKEN_BYTES];

  if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
    return trouble_say(why, "no random numbers");
  for (int i = 0; i < TOKEN_BYTES; i++)
    snprintf(server.token + 2 * i, 3, "%02x", raw[i]);
  return 0;
}

static int listen_on(int port, struct trouble *why) {
  static const struct lws_protocols protocols[] = {
      {.name = "explore",
       .callback = callback,
       .per_session_data_size = sizeof(struct client),
       .rx_buffer_size = RECEIVE_BYTES},
      {0}};
  struct lws_context_creation_info info = {
      .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                 LWS_SERVER_OPTION_DISABLE_IPV6 |
                 LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
      .port = port,
      .iface = "127.0.0.1",
      .protocols = protocols};

  lws_set_log_level(0, NULL);
  server.context = lws_create_context(&info);
  if (server.context != NULL)
    server.host = lws_create_vhost(server.context, &info);
  if (server.host == NULL)
    return trouble_say(why, "port %d of 127.0.0.1 cannot be listened on", port);
  server.port = lws_get_vhost_listen_port(server.host);
  return 0;
}

static void catch_signals(void) {
  struct sigaction act = {.sa_handler = end};

  sigaction(SIGINT, &act, NULL);
  sigaction(SIGTERM, &act, NULL);
  sigaction(SIGHUP, &act, NULL);
  signal(SIGPIPE, SIG_IGN);
}

int server_run(struct live *v, const char *offers, int port,
               void (*started)(const char *address), struct trouble *why) {
  char address[PATH_BYTES];
  int r;

  server.first.live = v;
  server.offers = offers;
  live_offer(v, offer_names(offers));
  r = make_token(why);
  if (r == 0)
    r = listen_on(port, why);
  if (r == 0) {
    catch_signals();
    watch_guest(&server.first);
    tick(&server.timer);
    snprintf(address, sizeof(address), "http://127.0.0.1:%d/%s/", server.port,
             server.token);
    started(address);
    while (!ended && lws_service(server.context, 0) >= 0)
      ;
  }
  live_free(server.beside.live);
  server.beside.live = NULL;
  if (server.context != NULL)
    lws_context_destroy(server.context);
  return r;
}
