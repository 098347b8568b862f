/*
 * explore: look into the memory of a machine that runs in QEMU, or of a snapshot.
 *
 *   explore --json SNAPSHOT                  all that is known, as JSON, once
 *   explore --json --live KERNEL RAM         the same of a running machine
 *   explore --ask SNAPSHOT                   answer requests from standard input,
 *   explore --ask --live KERNEL RAM          one a line, of one moment
 *   explore --snapshot FILE --live KERNEL RAM   keep a moment
 *
 * KERNEL is the kernel's ELF file, RAM the file that QEMU keeps the memory in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "snapshot.h"
#include "util.h"

#define LINE_BYTES 4096 /* of a request */

static const char usage[] =
    "usage: explore --json|--ask SNAPSHOT\n"
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

  if (!ask) {
    print(json_hello(m));
    print(json_state(model, m, 0));
  }
  while (ask && fgets(line, sizeof(line), stdin) != NULL)
    answer_line(model, m, line);
  model_free(model);
  memory_free(m);
}

static int keep(struct source *s, const struct layout *l, const char *path,
                struct trouble *why) {
  size_t n;
  unsigned char *bytes = snapshot_take(s, l, &n, why);
  FILE *f = bytes ? fopen(path, "wb") : NULL;
  bool written;

  if (f == NULL)
    return bytes ? trouble_say(why, "%s: cannot be written", path) : -1;
  written = fwrite(bytes, 1, n, f) == n;
  written = fclose(f) == 0 && written;
  free(bytes);
  return written ? 0 : trouble_say(why, "%s: cannot be written", path);
}

static int open_live(const char *kernel, const char *ram, struct source **s,
                     struct layout **l, struct trouble *why) {
  *l = layout_read_elf(kernel, why);
  if (*l == NULL)
    return -1;
  *s = source_open_ram(ram, layout_machine(*l)->ram_start, why);
  return *s != NULL ? 0 : -1;
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "", *file = NULL;
  bool ask = strcmp(command, "--ask") == 0;
  struct source *s = NULL;
  struct layout *l = NULL;
  struct trouble why;
  int at = 2, r;

  if (strcmp(command, "--snapshot") == 0)
    file = argv[at++];
  else if (!ask && strcmp(command, "--json") != 0)
    at = argc;
  if (argc - at == 3 && strcmp(argv[at], "--live") == 0) {
    r = open_live(argv[at + 1], argv[at + 2], &s, &l, &why);
  } else if (argc - at == 1 && file == NULL) {
    r = snapshot_open_file(argv[at], &s, &l, &why);
  } else {
    fputs(usage, stderr);
    return 2;
  }
  if (r == 0 && file != NULL)
    r = keep(s, l, file, &why);
  else if (r == 0)
    show(s, l, ask);
  source_close(s);
  layout_free(l);
  return r < 0 ? fail(&why) : 0;
}
