/*
 * Small functions of xv6's library around one or two system calls.
 */
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "user/user.h"

int sleep(int ticks) { return pause(ticks); }

char *sbrk(int n) { return sys_sbrk(n, SBRK_EAGER); }

char *sbrklazy(int n) { return sys_sbrk(n, SBRK_LAZY); }

int stat(const char *path, struct stat *st) {
  int fd = open(path, O_RDONLY);
  int r;

  if (fd < 0)
    return -1;
  r = fstat(fd, st);
  close(fd);
  return r;
}

/* One byte a read: what follows the line is left for whoever reads next. */
char *gets(char *buf, int max) {
  int n = 0;
  char c;

  while (n + 1 < max && read(0, &c, 1) == 1) {
    buf[n++] = c;
    if (c == '\n' || c == '\r')
      break;
  }
  if (max > 0)
    buf[n] = 0;
  return buf;
}

int atoi(const char *s) {
  int n = 0;

  while (*s >= '0' && *s <= '9')
    n = n * 10 + (*s++ - '0');
  return n;
}
