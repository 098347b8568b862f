/*
 * The runtime: one instruction a system call, and a few functions on strings.
 *
 * sbrk leaves a value of no meaning where a second argument would be, on
 * purpose: older binaries pass one, and what is there then is whatever was there.
 */
#include "rt.h"

#include "calls.h" /* of the machine */

CALL(fork, 1);
CALL(exit, 2);
CALL(wait, 3);
CALL(pipe, 4);
CALL(read, 5);
CALL(kill, 6);
CALL(exec, 7);
CALL(fstat, 8);
CALL(chdir, 9);
CALL(dup, 10);
CALL(getpid, 11);
CALL(sleep, 13);
CALL(uptime, 14);
CALL(open, 15);
CALL(write, 16);
CALL(mknod, 17);
CALL(unlink, 18);
CALL(link, 19);
CALL(mkdir, 20);
CALL(close, 21);

CALL_WITH_JUNK(sbrk, 12);

int main(int argc, char **argv);

/* Where newer programs begin. Older ones begin in main itself. */
void start(int argc, char **argv) { exit(main(argc, argv)); }

int length(const char *s) {
  int n = 0;

  while (s[n])
    n++;
  return n;
}

int same(const char *a, const char *b) {
  while (*a && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

void put(int fd, const char *s) { write(fd, s, length(s)); }

void put_number(int fd, long n) {
  char digit = (char)('0' + n % 10);

  if (n >= 10)
    put_number(fd, n / 10);
  write(fd, &digit, 1);
}
