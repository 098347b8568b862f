#include "rt.h"

static char buf[512];

int main(int argc, char **argv) {
  for (int i = 1; i == 1 || i < argc; i++) {
    int fd = argc > 1 ? open(argv[i], RDONLY) : 0;
    int n;

    if (fd < 0) {
      put(2, "cat: cannot open\n");
      exit(1);
    }
    while ((n = read(fd, buf, sizeof(buf))) > 0)
      write(1, buf, n);
    close(fd);
  }
  exit(0);
}
