/*
 * Packets are "$text#xx", xx the sum of the text's bytes; each is acknowledged
 * by a '+'. While the machine runs there is nothing to be asked: any byte stops
 * it, which the byte 0x03 is for.
 *
 *            stub_go: vCont;c
 *     stops ------------------> runs --- breakpoint: T05thread:02; ---> stops
 *            <------------------
 *             stub_stop: 0x03, T02thread:01;
 *
 * A breakpoint may be reached while the 0x03 is on its way. Then QEMU ignores
 * the 0x03, and the one answer says which it was.
 */
#include "stub.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

#define STUB_BYTES 16384 /* of a packet; all registers take less than 2000 */
#define PATIENCE_MS 10000
#define INTERRUPT "\x03"
#define SIGNAL_TRAP 5 /* gdb's number for a breakpoint */

struct stub {
  int fd;
  bool runs, gone;
  int signal, cpu; /* of the last stop */
  char in[STUB_BYTES];
  size_t n; /* bytes in `in` */
};

static int64_t now_ms(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int lost(struct stub *s) {
  s->gone = true;
  s->runs = false;
  return -1;
}

static int put(struct stub *s, const char *bytes, size_t n) {
  if (s->gone || send(s->fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
    return lost(s);
  return 0;
}

/* Read what has come; wait for it until the time `until`. -1: nothing came, or
 * QEMU has ended. */
static int fill(struct stub *s, int64_t until) {
  struct pollfd p = {.fd = s->fd, .events = POLLIN};
  int64_t left = until - now_ms();
  ssize_t got;

  if (s->gone || poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
    return -1;
  if (s->n == sizeof(s->in))
    return lost(s); /* no packet of QEMU's is so long */
  got = recv(s->fd, s->in + s->n, sizeof(s->in) - s->n, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  if (got <= 0)
    return lost(s);
  s->n += (size_t)got;
  return 0;
}

static void drop(struct stub *s, size_t n) {
  s->n -= n;
  memmove(s->in, s->in + n, s->n);
}

/* Take the first whole packet out of what has come: its text. The sum is not
 * looked at: a socket loses nothing. False: there is none yet. */
static bool take(struct stub *s, char *text) {
  char *start = memchr(s->in, '$', s->n), *end;
  size_t length;

  if (start == NULL) {
    s->n = 0; /* acknowledgements */
    return false;
  }
  drop(s, (size_t)(start - s->in));
  end = memchr(s->in, '#', s->n);
  if (end == NULL || s->n - (size_t)(end - s->in) < 3)
    return false;
  length = (size_t)(end - s->in) - 1;
  memcpy(text, s->in + 1, length);
  text[length] = 0;
  drop(s, length + 4);
  put(s, "+", 1);
  return true;
}

/* Wait for a packet. */
static int await(struct stub *s, char *text) {
  int64_t until = now_ms() + PATIENCE_MS;

  while (!take(s, text))
    if (fill(s, until) < 0)
      return lost(s);
  return 0;
}

static int command(struct stub *s, const char *text) {
  char packet[64];
  unsigned char sum = 0;
  int n;

  for (const char *p = text; *p; p++)
    sum += (unsigned char)*p;
  n = snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
  return put(s, packet, (size_t)n);
}

/* A command that is answered by OK. */
static int command_ok(struct stub *s, const char *text) {
  char answer[STUB_BYTES];

  if (command(s, text) < 0 || await(s, answer) < 0)
    return -1;
  return strcmp(answer, "OK") == 0 ? 0 : -1;
}

/* "T05thread:02;": 0. Anything else says that QEMU ends. */
static int note_stop(struct stub *s, const char *text) {
  const char *thread = strstr(text, "thread:");
  unsigned signal, id = 1;

  if (sscanf(text, "T%2x", &signal) != 1)
    return lost(s);
  if (thread != NULL)
    sscanf(thread, "thread:%x", &id);
  s->signal = (int)signal;
  s->cpu = (int)id - 1;
  s->runs = false;
  return 0;
}

static int await_stop(struct stub *s) {
  char text[STUB_BYTES];

  return await(s, text) < 0 ? -1 : note_stop(s, text);
}

struct stub *stub_open(int fd) {
  struct stub *s = must_alloc(1, sizeof(*s));

  s->fd = fd;
  s->runs = true;
  if (stub_stop(s) == 0)
    return s;
  stub_close(s);
  return NULL;
}

void stub_close(struct stub *s) {
  if (s == NULL)
    return;
  close(s->fd);
  free(s);
}

bool stub_runs(const struct stub *s) { return s->runs; }

int stub_stop(struct stub *s) {
  if (s->gone)
    return -1;
  if (!s->runs)
    return 0;
  return put(s, INTERRUPT, 1) < 0 ? -1 : await_stop(s);
}

int stub_go(struct stub *s) {
  if (s->runs)
    return 0;
  if (command(s, "vCont;c") < 0)
    return -1;
  s->runs = true;
  return 0;
}

int stub_break(struct stub *s, uint64_t va, bool set) {
  char text[40];

  snprintf(text, sizeof(text), "%c0,%llx,1", set ? 'Z' : 'z',
           (unsigned long long)va);
  return command_ok(s, text);
}

int stub_step(struct stub *s, int cpu) {
  char text[24];

  snprintf(text, sizeof(text), "vCont;s:%x", cpu + 1);
  return command(s, text) < 0 ? -1 : await_stop(s);
}

/* All registers come as hexadecimal digits, each with its lowest byte first. */
int stub_register(struct stub *s, int cpu, int number, int bytes,
                  uint64_t *value) {
  char text[STUB_BYTES];
  size_t at = (size_t)number * bytes * 2;

  *value = 0;
  snprintf(text, sizeof(text), "Hg%x", cpu + 1);
  if (command_ok(s, text) < 0 || command(s, "g") < 0 || await(s, text) < 0)
    return -1;
  if (strlen(text) < at + (size_t)bytes * 2)
    return -1;
  for (int i = 0; i < bytes; i++) {
    unsigned byte;

    if (sscanf(text + at + 2 * i, "%2x", &byte) != 1)
      return -1;
    *value |= (uint64_t)byte << 8 * i;
  }
  return 0;
}

int stub_receive(struct stub *s) {
  char text[STUB_BYTES];

  if (fill(s, 0) < 0 && s->gone)
    return -1;
  if (!take(s, text))
    return 0;
  return note_stop(s, text) < 0 ? -1 : 1;
}

bool stub_at_breakpoint(const struct stub *s) {
  return !s->runs && s->signal == SIGNAL_TRAP;
}

int stub_cpu(const struct stub *s) { return s->cpu; }
