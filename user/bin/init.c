/*
 * init: the first process, and the parent of those whose own has gone. It
 * gives everyone the console as descriptors 0, 1 and 2, keeps a shell running
 * and reaps what it inherits.
 *
 * The console is the device /console. If that is missing, or is something else,
 * it is made anew, and said so there; without a console nothing could be said, so
 * init ends, with a status that makes the kernel say why the system stops.
 */
#include "user/user.h"

#define CONSOLE_MAJOR 1 /* kernel/dev/chardev.h */
#define CONSOLE "/console"
#define CONSOLE_ASIDE "/console.old" /* what was in its place */
#define CONSOLE_SPARE "/console.new" /* if that cannot be moved */
#define RETRY_TICKS TICKS_PER_SECOND
#define SHORT_NS 1000000000ULL /* who lives less long ended at once */
#define SHORT_MAX 3            /* shells in a row that may, with status 0 */

/* Is there a console at this path? Then it is descriptor 0. */
static int open_console(const char *path) {
  int fd = open(path, O_RDWR);

  if (fd < 0)
    return 0;
  if (ttyctl(fd, TTY_GETMODE, 0) >= 0)
    return 1;
  close(fd);
  return 0;
}

static int make_console(const char *path) {
  mknod(path, CONSOLE_MAJOR, 0);
  return open_console(path);
}

/* There is no console at its place. 0 if none can be had. */
static int mend_console(void) {
  int fd = open(CONSOLE, O_RDONLY);
  int there = fd >= 0 || lasterr() != ENOENT;

  if (fd >= 0)
    close(fd);
  if (there && rename(CONSOLE, CONSOLE_ASIDE) < 0)
    unlink(CONSOLE);
  if (make_console(CONSOLE)) {
    dup(dup(0));
    complain(there ? CONSOLE " was not the console; it is " CONSOLE_ASIDE
                             " now, or gone"
                   : CONSOLE " was missing, and has been made anew");
    return 1;
  }
  if (!make_console(CONSOLE_SPARE))
    return 0;
  dup(dup(0));
  complain(CONSOLE " is not the console, and stays so; " CONSOLE_SPARE " is");
  return 1;
}

static void start_console(void) {
  if (open_console(CONSOLE)) {
    dup(dup(0));
  } else if (!mend_console()) {
    sync();
    exit(STATUS_NO_CONSOLE);
  }
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

/* A shell that lived for `ns` has ended. Lest those that end at once fill the
 * screen, or a CPU, the next one waits. */
static void shell_ended(uint64 ns, int status) {
  static int in_a_row;

  in_a_row = ns < SHORT_NS ? in_a_row + 1 : 0;
  if (in_a_row < (status != 0 ? 1 : SHORT_MAX))
    return;
  complain("the shell ended at once, with status %d; a new one in a second",
           status);
  pause(RETRY_TICKS);
}

int main(void) {
  start_console();
  for (;;) {
    uint64 start = clock();
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
    shell_ended(clock() - start, status);
  }
}
