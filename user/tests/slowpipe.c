/*
 * slowpipe FILE: make pipes, and be told their descriptors in pages of a private
 * mapping of FILE that are not in memory yet: pipe() then waits for the disk
 * with both ends in its hands. For tests/boot/test_memcheck.py, on a slow disk.
 */
#include "user/user.h"

#define PAGE 4096
#define STEP 8 /* pages, so that none was read ahead */

int main(int argc, char **argv) {
  struct stat st;
  char *p;
  int fd;

  if (argc != 2)
    bad_usage("FILE");
  fd = open(argv[1], O_RDONLY);
  if (fd < 0 || fstat(fd, &st) < 0)
    fatal("%s", argv[1]);
  p = mmap(0, st.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED)
    fatal("mmap");
  for (uint64 at = 0; at < st.size; at += STEP * PAGE)
    if (pipe((int *)(p + at)) < 0)
      fatal("pipe");
  return 0;
}
