/* touch FILE...: make files that are not there. There are no file times. */
#include "user/user.h"

int main(int argc, char **argv) {
  int failed = 0;

  if (argc < 2)
    bad_usage("FILE...");
  for (int i = 1; i < argc; i++) {
    struct stat st;
    int fd = open(argv[i], O_RDONLY | O_CREATE);

    if (fd >= 0) {
      close(fd);
    } else {
      int reason = lasterr();

      if (stat(argv[i], &st) == 0)
        continue; /* a directory: it is there, but cannot be opened so */
      complain("%s: %s", argv[i], strerror(reason));
      failed = 1;
    }
  }
  return failed;
}
