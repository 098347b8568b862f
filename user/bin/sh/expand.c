/*
 * From a word as written to the arguments it stands for.
 *
 * A word is gone through once. Its quotes vanish, $ is replaced by a value,
 * and a value that does not stand in double quotes is split at blanks: each
 * blank ends the argument that is being put together. An argument exists if it
 * has a character or had quotes, so '' is an argument and an unset $X is none.
 */
#include "sh.h"

struct expansion {
  struct text current; /* the argument that is being put together */
  int exists;
  int split; /* at blanks of values, and into several arguments */
  struct word *first;
  struct word **end;
  int count;
};

static void put(struct expansion *e, const char *s, uint n) {
  text_add(&e->current, s, n);
  e->exists = 1;
}

static void end_argument(struct expansion *e) {
  if (!e->exists)
    return;
  *e->end = arena_alloc(sizeof(**e->end));
  (*e->end)->text = arena_copy(e->current.s, e->current.len);
  e->end = &(*e->end)->next;
  e->count++;
  e->exists = 0;
  text_clear(&e->current);
}

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static void put_value(struct expansion *e, const char *value, int quoted) {
  if (quoted || !e->split) {
    text_add(&e->current, value, strlen(value));
    if (*value)
      e->exists = 1;
    return;
  }
  for (; *value; value++) {
    if (is_blank(*value))
      end_argument(e);
    else
      put(e, value, 1);
  }
}

/* $@ and $*: all arguments. In double quotes "$@" keeps them apart. */
static void put_arguments(struct expansion *e, char which, int quoted) {
  for (int i = 1; i <= shell.argc; i++) {
    put_value(e, shell.args[i], quoted);
    if (quoted)
      e->exists = 1;
    if (i == shell.argc)
      break;
    if (e->split && (which == '@' || !quoted))
      end_argument(e);
    else
      put(e, " ", 1);
  }
}

static void put_number(struct expansion *e, int n, int quoted) {
  char digits[12];

  snprintf(digits, sizeof(digits), "%d", n);
  put_value(e, digits, quoted);
}

/* $0, $1 ...: the argument whose number is the n digits at s, or 0. */
static const char *argument(const char *s, uint n) {
  int i = 0;

  while (n-- > 0 && i <= shell.argc)
    i = i * 10 + (*s++ - '0');
  return i <= shell.argc ? shell.args[i] : 0;
}

/* The parameter with the name of n bytes at s. */
static void put_parameter(struct expansion *e, const char *s, uint n,
                          int quoted) {
  const char *value = 0;

  if (n == 1 && *s == '?')
    put_number(e, shell.status, quoted);
  else if (n == 1 && *s == '$')
    put_number(e, shell.pid, quoted);
  else if (n == 1 && *s == '#')
    put_number(e, shell.argc, quoted);
  else if (n == 1 && *s == '!' && shell.last_job)
    put_number(e, shell.last_job, quoted);
  else if (n == 1 && (*s == '@' || *s == '*'))
    put_arguments(e, *s, quoted);
  else if (*s >= '0' && *s <= '9')
    value = argument(s, n);
  else
    value = var_get(s, n);
  if (value)
    put_value(e, value, quoted);
}

/* The length of the name of a parameter at s, or 0. Digits: ${10}, but $1. */
static uint parameter_length(const char *s, int braces) {
  uint n = name_length(s);

  if (n > 0 || !*s)
    return n;
  if (strchr("?$#!@*", *s))
    return 1;
  while (s[n] >= '0' && s[n] <= '9' && (braces || n == 0))
    n++;
  return n;
}

/* What s, just after a $, names: returns where the word goes on. A $ before
 * anything else is just that. */
static const char *expand_dollar(struct expansion *e, const char *s,
                                 int quoted) {
  int braces = *s == '{';
  const char *name = s + braces;
  uint n = parameter_length(name, braces);

  if (n == 0 || (braces && name[n] != '}')) {
    put(e, "$", 1);
    return s;
  }
  put_parameter(e, name, n, quoted);
  return name + n + braces;
}

static const char *expand_single_quotes(struct expansion *e, const char *s) {
  const char *end = strchr(s, '\'');

  put(e, s, end - s);
  return end + 1;
}

/* s: after the opening quote. A backslash is one but before " \ $ `. */
static const char *expand_double_quotes(struct expansion *e, const char *s) {
  if (s[0] != '$' || s[1] != '@')
    e->exists = 1;
  while (*s != '"') {
    if (s[0] == '\\' && s[1] == '\n') {
      s += 2;
    } else if (s[0] == '\\' && strchr("\"\\$`", s[1])) {
      put(e, s + 1, 1);
      s += 2;
    } else if (s[0] == '$') {
      s = expand_dollar(e, s + 1, 1);
    } else {
      put(e, s++, 1);
    }
  }
  return s + 1;
}

static const char *expand_backslash(struct expansion *e, const char *s) {
  if (!*s)
    return s;
  if (*s != '\n')
    put(e, s, 1);
  return s + 1;
}

static void expand(struct expansion *e, const char *s) {
  while (*s) {
    char c = *s++;

    if (c == '\'')
      s = expand_single_quotes(e, s);
    else if (c == '"')
      s = expand_double_quotes(e, s);
    else if (c == '\\')
      s = expand_backslash(e, s);
    else if (c == '$')
      s = expand_dollar(e, s, 0);
    else
      put(e, s - 1, 1);
  }
}

char *expand_text(const char *word) {
  struct expansion e = {.split = 0};
  char *result;

  text_clear(&e.current);
  expand(&e, word);
  result = arena_copy(e.current.s, e.current.len);
  free(e.current.s);
  return result;
}

char **expand_words(struct word *words, int *count) {
  struct expansion e = {.split = 1};
  char **argv;
  int i = 0;

  e.end = &e.first;
  text_clear(&e.current);
  for (; words; words = words->next) {
    expand(&e, words->text);
    end_argument(&e);
  }
  free(e.current.s);
  argv = arena_alloc((e.count + 1) * sizeof(argv[0]));
  for (struct word *w = e.first; w; w = w->next)
    argv[i++] = w->text;
  *count = e.count;
  return argv;
}
