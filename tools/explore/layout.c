/*
 * What is asked of a kernel's layout, what it means when it is not there, and
 * the text form. Reading ELF files is in dwarf.c.
 *
 * That happens in a process of its own, which hands back the text form: the
 * libraries for ELF and DWARF trust what they read, and a damaged file may crash
 * them or keep them for ever. Then only that process ends.
 *
 *     explore --- fork --> child: libdw reads KERNEL
 *             <-- pipe --- "machine riscv", "item 0x80071610 0x8 kernel_pagetable" ...
 */
#include "layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layout_parts.h"
#include "util.h"

#define READ_SECONDS 20             /* that an ELF file may take */
#define TEXT_MAX (8U * 1024 * 1024) /* of what the child says */
#define LINE_MAX_BYTES 300

const char *const layout_names[LAYOUT_COUNT] = {
#define X(item, name) [item] = name,
    LAYOUT_ITEMS(X)
#undef X
};

const char *const layout_enum_names[LAYOUT_ENUMS] = {
    [E_OWNER] = "page_owner",
    [E_TRACE] = "trace_kind",
    [E_PROC_STATE] = "proc_state",
};

/* What the views need, several things for each, or instead of them some others.
 * Behind the last is 0, V_KERNEL_TABLE, without which no kernel is looked at. */
static const struct need {
  const char *sentence;
  enum layout_item items[8];
  enum layout_item others[8];
} needs[] = {
    {"this kernel has no table of processes that is known here: only the "
     "kernel's own address space is shown",
     {V_PIDS, M_LIST_NEXT, M_PROC_PIDLINK, M_PROC_PID, M_PROC_SPACE,
      M_SPACE_PAGETABLE},
     {V_PROC, T_PROC, M_PROC_PID, M_PROC_PAGETABLE}},
    {"this kernel has no struct region: address spaces are shown from page "
     "tables alone",
     {M_SPACE_REGIONS, M_REGION_LINK, M_REGION_START, M_REGION_END,
      M_REGION_RIGHTS},
     {}},
    {"this kernel has no table of frames: who owns a frame is told from page "
     "tables alone",
     {V_FRAMES, V_NFRAMES, V_FIRST_FRAME, T_PAGE, M_PAGE_OWNER},
     {}},
    {"this kernel does not count page faults",
     {V_FAULTS, T_FAULTS, M_FAULTS_ZERO, M_FAULTS_COPY},
     {}},
    {"this kernel keeps no trace: no events are shown",
     {V_TRACE, T_TRACE_RING, T_TRACE, M_TRACE_TIME, M_TRACE_KIND},
     {}},
};

/* All of them, of which there must be one. */
static bool has_all(const struct layout *l, const enum layout_item *items) {
  bool all = *items != 0;

  for (; *items != 0; items++)
    all = all && layout_has(l, *items);
  return all;
}

static bool need_met(const struct layout *l, const struct need *n) {
  return has_all(l, n->items) || has_all(l, n->others);
}

/* Of the two forms, the one that this kernel begins. */
static void say_lacking(const struct layout *l, const struct need *need,
                        FILE *out) {
  const enum layout_item *items = need->items, other = need->others[0];
  const char *before = " (missing: ";

  if (other != 0 && layout_has(l, other)) {
    items = need->others;
  } else if (other != 0 && !layout_has(l, items[0])) {
    fprintf(out, " (missing: %s, or %s)", layout_names[other],
            layout_names[items[0]]);
    return;
  }
  for (; *items != 0; items++)
    if (!layout_has(l, *items)) {
      fprintf(out, "%s%s", before, layout_names[*items]);
      before = ", ";
    }
  fputc(')', out);
}

char *layout_missing(const struct layout *l, int i) {
  char *text = NULL;
  size_t bytes;
  FILE *out;

  for (size_t n = 0; n < NELEM(needs); n++)
    if (!need_met(l, &needs[n]) && i-- == 0) {
      out = open_memstream(&text, &bytes);
      fputs(needs[n].sentence, out);
      say_lacking(l, &needs[n], out);
      fclose(out);
      return text;
    }
  return NULL;
}

struct layout *layout_create(void) {
  return must_alloc(1, sizeof(struct layout));
}

void layout_free(struct layout *l) {
  if (l == NULL)
    return;
  for (int e = 0; e < LAYOUT_ENUMS; e++)
    for (int i = 0; i < ENUM_MAX; i++)
      free(l->enums[e][i]);
  for (size_t i = 0; i < l->nsymbols; i++)
    free(l->symbols[i].name);
  free(l->symbols);
  free(l);
}

const struct machine *layout_machine(const struct layout *l) {
  return l->machine;
}
const char *layout_kernel(const struct layout *l) { return l->kernel; }
bool layout_has(const struct layout *l, enum layout_item item) {
  return l->items[item].there;
}
uint64_t layout_at(const struct layout *l, enum layout_item item) {
  return l->items[item].at;
}
uint64_t layout_size(const struct layout *l, enum layout_item item) {
  return l->items[item].size;
}
uint64_t layout_offset(const struct layout *l) { return l->offset; }

const char *layout_enumerator(const struct layout *l, enum layout_enum e,
                              uint64_t value) {
  return value < ENUM_MAX ? l->enums[e][value] : NULL;
}

int layout_enumerators(const struct layout *l, enum layout_enum e) {
  int n = ENUM_MAX;

  while (n > 0 && l->enums[e][n - 1] == NULL)
    n--;
  return n;
}

void layout_set_enumerator(struct layout *l, enum layout_enum e, uint64_t value,
                           const char *name) {
  if (value >= ENUM_MAX)
    return;
  free(l->enums[e][value]);
  l->enums[e][value] = strndup(name, NAME_MAX_BYTES);
}

void layout_add_symbol(struct layout *l, const char *name, uint64_t at) {
  GROW(l->symbols, l->nsymbols);
  l->symbols[l->nsymbols++] =
      (struct symbol){strndup(name, NAME_MAX_BYTES), at};
}

uint64_t layout_symbol(const struct layout *l, const char *name) {
  for (size_t i = 0; i < l->nsymbols; i++)
    if (strcmp(l->symbols[i].name, name) == 0)
      return l->symbols[i].at;
  return 0;
}

/* --- as text --- */

static char *write_text(const struct layout *l, bool symbols) {
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);

  fprintf(f, "machine %s\nkernel %s\noffset 0x%" PRIx64 "\n", l->machine->name,
          l->kernel, l->offset);
  for (int i = 0; i < LAYOUT_COUNT; i++)
    if (l->items[i].there)
      fprintf(f, "item 0x%" PRIx64 " 0x%" PRIx64 " %s\n", l->items[i].at,
              l->items[i].size, layout_names[i]);
  for (int e = 0; e < LAYOUT_ENUMS; e++)
    for (int i = 0; i < ENUM_MAX; i++)
      if (l->enums[e][i] != NULL)
        fprintf(f, "enum %s %d %s\n", layout_enum_names[e], i, l->enums[e][i]);
  for (size_t i = 0; symbols && i < l->nsymbols; i++)
    fprintf(f, "symbol 0x%" PRIx64 " %s\n", l->symbols[i].at,
            l->symbols[i].name);
  fclose(f);
  return text;
}

char *layout_write(const struct layout *l) { return write_text(l, false); }

static bool plain(const char *s) {
  for (; *s; s++)
    if (*s < ' ' || *s > '~')
      return false;
  return true;
}

static void read_item(struct layout *l, const char *name, uint64_t at,
                      uint64_t size) {
  for (int i = 0; i < LAYOUT_COUNT; i++)
    if (strcmp(layout_names[i], name) == 0)
      l->items[i] = (struct item){true, at, size};
}

static void read_enum(struct layout *l, const char *name, unsigned value,
                      const char *enumerator) {
  for (int e = 0; e < LAYOUT_ENUMS; e++)
    if (strcmp(layout_enum_names[e], name) == 0)
      layout_set_enumerator(l, e, value, enumerator);
}

/* A line that nobody knows is skipped: it is of another version. */
static void read_line(struct layout *l, const char *line) {
  char name[100], enumerator[100];
  uint64_t at, size;
  unsigned value;

  if (sscanf(line, "machine %99s", name) == 1)
    l->machine = machine_named(name);
  else if (strncmp(line, "kernel ", 7) == 0)
    snprintf(l->kernel, sizeof(l->kernel), "%.*s", NAME_MAX_BYTES, line + 7);
  else if (sscanf(line, "offset %" SCNx64, &at) == 1)
    l->offset = at;
  else if (sscanf(line, "item %" SCNx64 " %" SCNx64 " %99[^\n]", &at, &size,
                  name) == 3)
    read_item(l, name, at, size);
  else if (sscanf(line, "enum %99s %u %99s", name, &value, enumerator) == 3)
    read_enum(l, name, value, enumerator);
  else if (sscanf(line, "symbol %" SCNx64 " %99s", &at, name) == 2)
    layout_add_symbol(l, name, at);
}

struct layout *layout_read_text(const char *text, size_t n,
                                struct trouble *why) {
  struct layout *l = layout_create();
  const char *end = text + n;

  while (text < end) {
    const char *newline = memchr(text, '\n', end - text);
    size_t bytes = (newline ? newline : end) - text;
    char line[LINE_MAX_BYTES];

    snprintf(line, sizeof(line), "%.*s", (int)MIN(bytes, sizeof(line) - 1),
             text);
    if (plain(line))
      read_line(l, line);
    text += bytes + 1;
  }
  if (l->machine != NULL && layout_has(l, V_KERNEL_TABLE))
    return l;
  trouble_say(why,
              "its layout names no machine that is known here, or no "
              "kernel page table");
  layout_free(l);
  return NULL;
}

/* --- the process that reads ELF files --- */

/* First byte of what the child says. */
#define SAYS_LAYOUT 'L'
#define SAYS_TROUBLE 'T'

static void child(const char *path, int fd) {
  struct trouble why;
  struct layout *l;
  FILE *out = fdopen(fd, "w");

  alarm(READ_SECONDS);
  l = layout_from_elf(path, &why);
  if (l != NULL) {
    char *text = write_text(l, true);

    fprintf(out, "%c%s", SAYS_LAYOUT, text);
    free(text);
    layout_free(l);
  } else {
    fprintf(out, "%c%s", SAYS_TROUBLE, why.text);
  }
  fclose(out);
}

/* All that comes from the pipe, *n bytes and a 0. */
static char *read_all(int fd, size_t *n) {
  char *text = must_alloc(1, TEXT_MAX + 1);
  ssize_t got;

  *n = 0;
  while ((got = read(fd, text + *n, TEXT_MAX - *n)) > 0 ||
         (got < 0 && errno == EINTR))
    *n += got > 0 ? got : 0;
  text[*n] = 0;
  return text;
}

static struct layout *parse(const char *path, char *text, size_t n, int status,
                            struct trouble *why) {
  struct trouble inner;
  struct layout *l = NULL;

  if (n > 0 && text[0] == SAYS_TROUBLE)
    trouble_say(why, "%s: %.150s", path, text + 1);
  else if (status != 0 || n == 0)
    trouble_say(why, "%s: this ELF file is damaged", path);
  else if ((l = layout_read_text(text + 1, n - 1, &inner)) == NULL)
    trouble_say(why, "%s: %.150s", path, inner.text);
  return l;
}

struct layout *layout_read_elf(const char *path, struct trouble *why) {
  struct layout *l;
  int fds[2], status = -1;
  size_t n;
  char *text;
  pid_t pid;

  fflush(NULL);
  if (pipe(fds) < 0 || (pid = fork()) < 0) {
    trouble_say(why, "%s: %s", path, strerror(errno));
    return NULL;
  }
  if (pid == 0) {
    close(fds[0]);
    child(path, fds[1]);
    _exit(0);
  }
  close(fds[1]);
  text = read_all(fds[0], &n);
  close(fds[0]);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  l = parse(path, text, n, status, why);
  free(text);
  return l;
}
