/*
 * The kernel command line: a copy of the text, cut into words in place.
 */
#include "lib/cmdline.h"

#include "lib/printf.h"
#include "lib/string.h"

/* Every option that some module of the shared kernel asks for, and its only
 * value, if there is but one. */
static const struct option {
  const char *name;
  const char *value;
} options[] = {
    {"debug", "plant"}, /* debug/plant.c: commit the bugs that tests ask for */
    {"delay", NULL},    /* debug/delay.c: CPUs do nothing for a while */
    {"maxproc", NULL},  /* proc/: processes at most */
    {"panic", "exit"},  /* lib/panic.c: leave the emulator */
    {"selftest", NULL}, /* selftest.c: the fault to commit */
};

/* Set by cmdline_init, constant afterwards. */
static char text[CMDLINE_MAX];
static char *words[WORDS_MAX];
static int nwords;
static const char *const *machine_options;

/* The value in a word if its name is this one, else NULL. */
static const char *value_of(const char *word, const char *name) {
  size_t len = strlen(name);

  if (strncmp(word, name, len) != 0)
    return NULL;
  if (word[len] == '=')
    return word + len + 1;
  return word[len] == 0 ? word + len : NULL;
}

static bool is_of_machine(const char *word) {
  for (const char *const *name = machine_options; *name != NULL; name++)
    if (value_of(word, *name) != NULL)
      return true;
  return false;
}

/* Say what is wrong with a word. */
static void check(const char *word) {
  for (size_t i = 0; i < NELEM(options); i++) {
    const struct option *o = &options[i];
    const char *value = value_of(word, o->name);

    if (value != NULL && o->value != NULL && strcmp(value, o->value) != 0)
      printf("boot: option \"%s\": the only value is \"%s\"\n", word, o->value);
    if (value != NULL)
      return;
  }
  if (!is_of_machine(word))
    printf("boot: unknown option \"%s\"\n", word);
}

static char *next_word(char *p) {
  while (*p == ' ' || *p == '\t')
    p++;
  return p;
}

void cmdline_init(const char *from, const char *const *of_machine) {
  char *p;

  machine_options = of_machine;
  if (strlen(from) >= sizeof(text))
    printf("boot: command line cut off after %d bytes\n", CMDLINE_MAX - 1);
  safestrcpy(text, from, sizeof(text));
  nwords = 0;
  for (p = next_word(text); *p && nwords < WORDS_MAX; p = next_word(p)) {
    words[nwords++] = p;
    while (*p && *p != ' ' && *p != '\t')
      p++;
    if (*p)
      *p++ = 0;
  }
  if (*p)
    printf("boot: only the first %d options are used\n", WORDS_MAX);
  for (int i = 0; i < nwords; i++)
    check(words[i]);
}

/* The last one counts, so that a person can append to what a script gives. */
const char *cmdline_get(const char *name) {
  const char *value = NULL;

  for (int i = 0; i < nwords; i++)
    value = value_of(words[i], name) ? value_of(words[i], name) : value;
  return value;
}

uint64 cmdline_number(const char *name, uint64 otherwise) {
  const char *value = cmdline_get(name);
  uint64 n = 0;

  if (value == NULL)
    return otherwise;
  for (const char *p = value; *p; p++) {
    if (*p < '0' || *p > '9' || n > (~(uint64)0 - 9) / 10)
      value = "";
    n = n * 10 + (*p - '0');
  }
  if (*value)
    return n;
  printf("boot: option \"%s\" needs a number; using %lu\n", name,
         (unsigned long)otherwise);
  return otherwise;
}
