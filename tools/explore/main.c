/*
 * explore: look into the memory of a machine that runs in QEMU, or of a snapshot.
 *
 *   explore SNAPSHOT                         a page for the browser
 *   explore --live KERNEL RAM                the same of a running machine
 *   explore --qemu KERNEL MEMORY QEMU...     start that machine with QEMU, which
 *                                            can then be stopped and typed to
 *   explore --json SNAPSHOT                  all that is known, as JSON, once
 *   explore --json --live KERNEL RAM         the same of a running machine
 *   explore --ask SNAPSHOT                   answer requests from standard input,
 *   explore --ask --live KERNEL RAM          one a line, of one moment
 *   explore --snapshot FILE --live KERNEL RAM   keep a moment
 *
 * KERNEL is the kernel's ELF file, RAM the file that QEMU keeps the memory in,
 * MEMORY how much that is. The page's address is printed; --port N before the
 * first three says on which port, --beside FOLDER what else can be started
 * beside that machine (offer.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "server.h"
#include "snapshot.h"
#include "util.h"

#define LINE_BYTES 4096 /* of a request */

static const char usage[] =
    "usage: explore [--port N] SNAPSHOT\n"
    "       explore [--port N] --live KERNEL RAM\n"
    "       explore [--port N] [--beside FOLDER] --qemu KERNEL MEMORY "
    "QEMU-COMMAND...\n"
    "       explore --json|--ask SNAPSHOT\n"
    "       explore --json|--ask --live KERNEL RAM\n"
    "       explore --snapshot FILE --live KERNEL RAM\n";

static int fail(const struct trouble *why) {
  fprintf(stderr, "explore: %s\n", why->text);
  return 1;
}

static void print(json_t *message) {
  json_dumpf(message, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(message);
}

static void answer_line(const struct model *model, struct memory *m,
                        const char *line) {
  json_t *request = json_loads(line, 0, NULL);
  json_t *answer = request ? json_answer(model, m, request) : NULL;

  if (answer == NULL)
    answer = json_error(request, request ? "no such operation" : "no JSON");
  print(answer);
  fflush(stdout);
  json_decref(request);
}

/* Print what there is, and answer requests if asked to. */
static void show(struct source *s, const struct layout *l, bool ask) {
  struct memory *m = memory_create(s, l);
  struct model *model = model_take(m, 1);
  char line[LINE_BYTES];
  json_t *state;

  if (!ask) {
    print(json_hello(m));
    state = json_state(model, m);
    json_object_set_new(state, "spaces", json_spaces(model));
    json_object_set_new(state, "events", json_events(model, NULL));
    print(state);
  }
  while (ask && fgets(line, sizeof(line), stdin) != NULL)
    answer_line(model, m, line);
  model_free(model);
  memory_free(m);
}

static int keep(struct source *s, const struct layout *l, const char *path,
                struct trouble *why) {
  size_t n;
  unsigned char *bytes = snapshot_take(s, l, NULL, &n, why);
  FILE *f = bytes ? fopen(path, "wb") : NULL;
  bool written;

  if (f == NULL)
    return bytes ? trouble_say(why, "%s: cannot be written", path) : -1;
  written = fwrite(bytes, 1, n, f) == n;
  written = fclose(f) == 0 && written;
  free(bytes);
  return written ? 0 : trouble_say(why, "%s: cannot be written", path);
}

static int open_live(const char *kernel, const char *ram, struct snapshot *k,
                     struct trouble *why) {
  k->layout = layout_read_elf(kernel, why);
  if (k->layout == NULL)
    return -1;
  k->source = source_open_ram(ram, layout_machine(k->layout)->ram_start, why);
  return k->source != NULL ? 0 : -1;
}

/* --- the page --- */

/* Open it in a browser, if there is somebody who would see that. */
static void open_browser(const char *address) {
  pid_t pid;

  if (getenv("CI") || getenv("SSH_CONNECTION") ||
      !(getenv("DISPLAY") || getenv("WAYLAND_DISPLAY")))
    return;
  pid = fork();
  if (pid == 0 && fork() == 0) {
    freopen("/dev/null", "w", stdout);
    freopen("/dev/null", "w", stderr);
    execlp("xdg-open", "xdg-open", address, (char *)NULL);
  }
  if (pid == 0)
    _exit(0);
  if (pid > 0)
    waitpid(pid, NULL, 0);
}

static void started(const char *address) {
  printf("%s\n", address);
  fflush(stdout);
  open_browser(address);
}

/* Takes what is looked at; NULL: there is nothing, and why is known. */
static int serve(struct live *v, const char *offers, int port,
                 struct trouble *why) {
  int r = v != NULL ? server_run(v, offers, port, started, why) : -1;

  live_free(v);
  return r;
}

/* --- the command line --- */

static bool is(const char *word, const char *option) {
  return word != NULL && strcmp(word, option) == 0;
}

/* Open what the words say, n of them: a running machine, or a snapshot. What is in
 * *k then is to be closed, whatever comes of it. */
static int open_source(int n, char **words, struct snapshot *k,
                       struct trouble *why) {
  *k = (struct snapshot){0};
  if (n == 3 && is(words[0], "--live"))
    return open_live(words[1], words[2], k, why);
  if (n == 1 && words[0][0] != '-')
    return snapshot_open_file(words[0], k, why);
  fputs(usage, stderr);
  exit(2);
}

/* A number of a port, or 0: any. */
static int port_number(const char *word, struct trouble *why) {
  char *end;
  long port = word ? strtol(word, &end, 10) : -1;

  if (port < 0 || port > 65535 || *end != 0 || end == word)
    return trouble_say(why, "--port takes a number, 0 to 65535");
  return (int)port;
}

/* Look once. */
static int look(int n, char **words, struct trouble *why) {
  const char *file = is(words[0], "--snapshot") && n > 1 ? words[1] : NULL;
  int begin = file ? 2 : 1, r;
  struct snapshot k;

  if (file != NULL && !is(words[begin], "--live"))
    n = 0; /* a snapshot of a snapshot */
  r = open_source(n - begin, words + begin, &k, why);
  if (r == 0 && file != NULL)
    r = keep(k.source, k.layout, file, why);
  else if (r == 0)
    show(k.source, k.layout, is(words[0], "--ask"));
  snapshot_close(&k);
  return r;
}

static int page(int n, char **words, struct trouble *why) {
  struct snapshot k;
  const char *offers = NULL;
  int port = 0;

  if (n > 0 && is(words[0], "--port")) {
    port = port_number(words[1], why);
    n -= 2;
    words += 2;
  }
  if (port < 0)
    return -1;
  if (n > 1 && is(words[0], "--beside")) {
    offers = words[1];
    n -= 2;
    words += 2;
  }
  if (n > 3 && is(words[0], "--qemu"))
    return serve(live_start(words + 1, why), offers, port, why);
  if (offers != NULL)
    n = 0; /* nothing can be started beside a snapshot */
  if (open_source(n, words, &k, why) < 0) {
    snapshot_close(&k);
    return -1;
  }
  return serve(live_create(&k, NULL, why), offers, port, why);
}

int main(int argc, char **argv) {
  const char *command = argv[1];
  struct trouble why;
  int r;

  if (is(command, "--json") || is(command, "--ask") ||
      is(command, "--snapshot"))
    r = look(argc - 1, argv + 1, &why);
  else
    r = page(argc - 1, argv + 1, &why);
  return r < 0 ? fail(&why) : 0;
}
