/* See console.h. Byte number k of the output lies at k % OUTPUT_BYTES. */
#include "console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util.h"

#define OUTPUT_BYTES 65536 /* some hundred lines */
#define INPUT_BYTES 65536

struct console {
  int fd;
  uint64_t printed;
  char output[OUTPUT_BYTES];
  char input[INPUT_BYTES];
  size_t typed; /* bytes in `input` */
};

struct console *console_create(int fd) {
  struct console *c = must_alloc(1, sizeof(*c));

  c->fd = fd;
  return c;
}

void console_free(struct console *c) {
  if (c == NULL)
    return;
  close(c->fd);
  free(c);
}

int console_receive(struct console *c) {
  size_t at = c->printed % OUTPUT_BYTES;
  ssize_t got = recv(c->fd, c->output + at, OUTPUT_BYTES - at, MSG_DONTWAIT);

  if (got == 0)
    return -1;
  if (got > 0)
    c->printed += (size_t)got;
  return 0;
}

uint64_t console_printed(const struct console *c) { return c->printed; }

size_t console_read(const struct console *c, uint64_t *at, void *buf,
                    size_t n) {
  char *out = buf;
  size_t done = 0;

  if (c->printed - *at > OUTPUT_BYTES)
    *at = c->printed - OUTPUT_BYTES;
  while (done < n && *at < c->printed) {
    size_t from = *at % OUTPUT_BYTES;
    size_t part = MIN(MIN(n - done, OUTPUT_BYTES - from), c->printed - *at);

    memcpy(out + done, c->output + from, part);
    done += part;
    *at += part;
  }
  return done;
}

bool console_type(struct console *c, const void *bytes, size_t n) {
  if (n > console_room(c))
    return false;
  memcpy(c->input + c->typed, bytes, n);
  c->typed += n;
  return true;
}

size_t console_room(const struct console *c) { return INPUT_BYTES - c->typed; }

bool console_flush(struct console *c) {
  ssize_t sent;

  if (c->typed == 0)
    return false;
  sent = send(c->fd, c->input, c->typed, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR)
    c->typed = 0; /* nobody is there any more */
  if (sent > 0) {
    c->typed -= (size_t)sent;
    memmove(c->input, c->input + sent, c->typed);
  }
  return c->typed > 0;
}
