/* head [-n LINES] [FILE...]: the first lines of files. */
#include "user/user.h"

#define USAGE "[-n LINES] [FILE...]"
#define DEFAULT_LINES 10

static long long lines = DEFAULT_LINES;
static int titles; /* name each file */

static void copy(int fd, const char *name) {
  struct linereader r;
  char *line;
  uint len;

  if (titles)
    printf("==> %s <==\n", name);
  line_open(&r, fd);
  for (long long i = 0; i < lines && (line = line_next(&r, &len)); i++) {
    line[len] = '\n'; /* where the reader put its 0 */
    write_all(1, line, len + 1);
  }
  line_close(&r);
}

int main(int argc, char **argv) {
  int option;

  while ((option = getopt(argc, argv, "n:")) != -1)
    if (option != 'n' || parse_number(optarg, &lines) < 0 || lines < 0)
      bad_usage(USAGE);
  titles = argc - optind > 1;
  return each_input(argc, argv, copy);
}
