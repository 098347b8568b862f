/* See offer.h. */
#include "offer.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define WORDS_MAX 200
#define WORDS_LEAST 3 /* kernel, memory, QEMU */

static int visible(const struct dirent *e) { return e->d_name[0] != '.'; }

json_t *offer_names(const char *folder) {
  json_t *names = json_array();
  struct dirent **entries;
  int n = folder ? scandir(folder, &entries, visible, alphasort) : -1;

  for (int i = 0; i < n; i++) {
    json_array_append_new(names, json_string(entries[i]->d_name));
    free(entries[i]);
  }
  if (n >= 0)
    free(entries);
  return names;
}

static char **read_words(const char *path, struct trouble *why) {
  char **words = must_alloc(WORDS_MAX + 1, sizeof(*words)), *line = NULL;
  size_t room = 0, n = 0;
  ssize_t got;
  FILE *f = fopen(path, "r");

  if (f == NULL) {
    trouble_say(why, "%s: %s", path, strerror(errno));
    free(words);
    return NULL;
  }
  while (n < WORDS_MAX && (got = getline(&line, &room, f)) > 0) {
    line[strcspn(line, "\n")] = 0;
    words[n++] = strdup(line);
  }
  free(line);
  fclose(f);
  if (n >= WORDS_LEAST)
    return words;
  trouble_say(why, "%s: this describes no machine", path);
  offer_free(words);
  return NULL;
}

/* Of the names in the folder alone: another could lead out of it. */
char **offer_words(const char *folder, const char *name, struct trouble *why) {
  json_t *names = offer_names(folder);
  char path[PATH_MAX];
  bool there = false;

  for (size_t i = 0; i < json_array_size(names); i++)
    if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
      there = true;
  json_decref(names);
  if (!there) {
    trouble_say(why, "no machine of that name can be started");
    return NULL;
  }
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  return read_words(path, why);
}

void offer_free(char **words) {
  for (char **w = words; w != NULL && *w != NULL; w++)
    free(*w);
  free(words);
}
