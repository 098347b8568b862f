/* head [-n LINES] [FILE...]: the first lines of files. */
#include "user/user.h"

#define USAGE "[-n LINES] [FILE...]"
#define DEFAULT_LINES 10

static void copy(int fd, long lines) {
  struct linereader r;
  char *line;
  uint len;

  line_open(&r, fd);
  while (lines-- > 0 && (line = line_next(&r, &len))) {
    line[len] = '\n'; /* where the reader put its 0 */
    write_all(1, line, len + 1);
  }
  line_close(&r);
}

int main(int argc, char **argv) {
  long lines = DEFAULT_LINES;
  int failed = 0, option;

  while ((option = getopt(argc, argv, "n:")) != -1)
    if (option != 'n' || parse_number(optarg, &lines) < 0 || lines < 0)
      bad_usage(USAGE);
  if (optind == argc)
    copy(0, lines);
  for (int i = optind; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);

    if (fd < 0) {
      warn("%s", argv[i]);
      failed = 1;
      continue;
    }
    if (argc - optind > 1)
      printf("==> %s <==\n", argv[i]);
    copy(fd, lines);
    close(fd);
  }
  return failed;
}
