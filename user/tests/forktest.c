/*
 * forktest: fork until no more processes can be made, and see that it is an
 * error, not an end; all children can be waited for, and no more than those.
 *
 * A small program of its own, because what stops fork should be the limit on
 * processes rather than the memory that they take.
 */
#include "kernel/types.h"

#include "user/user.h"

static void fail(const char *what) {
  fprintf(2, "forktest: %s (error %d)\n", what, lasterr());
  exit(1);
}

/* A child: lives until the parent closes its end of the pipe. */
static void child(const int *fd) {
  char c;

  close(fd[1]);
  read(fd[0], &c, 1);
  exit(0);
}

/* Fork until it fails; how many children there are. */
static uint fork_all(const int *fd, uint limit) {
  uint n;

  for (n = 0; n <= limit; n++) {
    int pid = fork();

    if (pid < 0)
      return n;
    if (pid == 0)
      child(fd);
  }
  fail("more processes than the limit");
  return 0;
}

static void wait_all(uint n) {
  for (; n > 0; n--)
    if (wait(0) < 0)
      fail("wait stopped early");
  if (wait(0) != -1)
    fail("wait got too many");
}

int main(int argc, char **argv) {
  struct sysinfo before;
  int fd[2];
  uint n;

  (void)argv;
  if (argc != 1)
    bad_usage("");
  if (sysinfo(&before) < 0 || pipe(fd) < 0)
    fail("cannot start");
  n = fork_all(fd, before.processes_max);
  int why = lasterr();
  close(fd[0]);
  close(fd[1]);
  wait_all(n);
  if (why != EAGAIN && why != ENOMEM)
    fail("fork failed for another reason");
  if (why == EAGAIN && n != before.processes_max - before.processes)
    fail("the limit is not where sysinfo() says");
  printf("%d processes at a time: %s\n", (int)(n + before.processes),
         why == EAGAIN ? "the limit" : "no more memory");
  printf("fork test OK\n");
  return 0;
}
