/* cat [FILE...]: print files, or fd 0. */
#include "user/user.h"

static char buf[16384];

static int copy(int fd, const char *name) {
  int n;

  while ((n = read(fd, buf, sizeof(buf))) > 0)
    write_all(1, buf, n);
  if (n < 0)
    warn("%s", name);
  return n < 0;
}

int main(int argc, char **argv) {
  int failed = 0;

  if (argc < 2)
    return copy(0, "standard input");
  if (argv[1][0] == '-' && argv[1][1])
    bad_usage("[FILE...]");
  for (int i = 1; i < argc; i++) {
    int fd = strcmp(argv[i], "-") == 0 ? 0 : open(argv[i], O_RDONLY);

    if (fd < 0) {
      warn("%s", argv[i]);
      failed = 1;
      continue;
    }
    failed |= copy(fd, argv[i]);
    if (fd > 0)
      close(fd);
  }
  return failed;
}
