/*
 * init: the first process, and the parent of those whose own has gone. It
 * gives everyone the console as descriptors 0, 1 and 2, keeps a shell running
 * and reaps what it inherits.
 */
#include "user/user.h"

#define CONSOLE_MAJOR 1 /* kernel/dev/chardev.h */
#define RETRY_TICKS TICKS_PER_SECOND

static void open_console(void) {
  if (open("/console", O_RDWR) < 0) {
    mknod("/console", CONSOLE_MAJOR, 0);
    open("/console", O_RDWR);
  }
  dup(0);
  dup(0);
}

static void shell(void) {
  char *argv[] = {"sh", 0};

  setpgid(0, 0);
  exec("/sh", argv);
  fatal("/sh");
}

/* Fork failed. What keeps a process from starting needs time to go away, but
 * not until a child ends, as one may never do so. */
static void cannot_fork(void) {
  warn("cannot start a shell");
  while (waitpid(-1, 0, WNOHANG) > 0)
    ;
  pause(RETRY_TICKS);
}

int main(void) {
  open_console();
  for (;;) {
    int pid = fork();
    int child, status = 0;

    if (pid == 0)
      shell();
    if (pid < 0) {
      cannot_fork();
      continue;
    }
    do {
      child = wait(&status);
    } while (child >= 0 && child != pid);
    if (status != 0)
      pause(RETRY_TICKS); /* lest one that fails at once fill the screen */
  }
}
