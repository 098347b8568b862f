/*
 * tail [-n LINES] [FILE...]: the last lines of files.
 *
 * The last lines seen so far are kept in a ring.
 */
#include "user/user.h"

#define USAGE "[-n LINES] [FILE...]"
#define DEFAULT_LINES 10
#define LINES_MAX 100000

struct line {
  char *text;
  uint len;
};

static void keep(struct line *l, const char *text, uint len) {
  free(l->text);
  l->text = xmalloc(len + 1);
  l->len = len;
  memmove(l->text, text, len);
  l->text[len] = '\n';
}

static long long lines = DEFAULT_LINES;
static int titles; /* name each file */

static void copy(int fd, const char *name) {
  struct line *ring = xmalloc(lines * sizeof(ring[0]));
  struct linereader r;
  long long seen = 0;
  char *text;
  uint len;

  if (titles)
    printf("==> %s <==\n", name);
  memset(ring, 0, lines * sizeof(ring[0]));
  line_open(&r, fd);
  while ((text = line_next(&r, &len)))
    if (lines > 0)
      keep(&ring[seen++ % lines], text, len);
  line_close(&r);
  for (long long i = seen > lines ? seen - lines : 0; i < seen; i++) {
    struct line *l = &ring[i % lines];

    write_all(1, l->text, l->len + 1);
    free(l->text);
  }
  free(ring);
}

int main(int argc, char **argv) {
  int option;

  while ((option = getopt(argc, argv, "n:")) != -1)
    if (option != 'n' || parse_number(optarg, &lines) < 0 || lines < 0 ||
        lines > LINES_MAX)
      bad_usage(USAGE);
  titles = argc - optind > 1;
  return each_input(argc, argv, copy);
}
