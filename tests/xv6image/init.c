/* init: make the console if need be, and run sh on it again and again. */
#include "rt.h"

static char *argv[] = {"sh", 0};

int main(void) {
  if (open("console", RDWR) < 0) {
    mknod("console", 1, 0);
    open("console", RDWR);
  }
  dup(0);
  dup(0);
  for (;;) {
    long pid, ended;

    put(1, "init: starting sh\n");
    pid = fork();
    if (pid < 0) {
      put(1, "init: fork failed\n");
      exit(1);
    }
    if (pid == 0) {
      exec("sh", argv);
      put(1, "init: exec sh failed\n");
      exit(1);
    }
    do
      ended = wait((int *)0);
    while (ended >= 0 && ended != pid);
  }
}
