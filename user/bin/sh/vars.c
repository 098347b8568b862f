/* The shell's variables: a list, as there are few. */
#include "sh.h"

struct var {
  struct var *next;
  char *value;
  uint length; /* of the name */
  char name[];
};

static struct var *vars;

static struct var *find(const char *name, uint n) {
  struct var *v = vars;

  while (v && (v->length != n || memcmp(v->name, name, n) != 0))
    v = v->next;
  return v;
}

const char *var_get(const char *name, uint n) {
  struct var *v = find(name, n);

  return v ? v->value : 0;
}

void var_set(const char *name, uint n, const char *value) {
  struct var *v = find(name, n);
  char *copy = strcpy(xmalloc(strlen(value) + 1), value);

  if (!v) {
    v = xmalloc(sizeof(*v) + n);
    v->value = 0;
    v->length = n;
    memmove(v->name, name, n);
    v->next = vars;
    vars = v;
  }
  free(v->value);
  v->value = copy;
}

void var_assign(const char *assignment) {
  uint n = name_length(assignment);

  var_set(assignment, n, expand_text(assignment + n + 1));
}
