/* tour_fork: after fork both have the same frame, until one writes. */
#include "tour.h"

static volatile char page[PAGE] __attribute__((aligned(PAGE)));

static void child(void) {
  step("child: its page is the parent's frame, without W; now it writes");
  page[0] = 'c';
  step("child: a frame of its own, a copy; the parent's is still 'p'");
  exit(0);
}

int main(void) {
  int pid, status;

  page[0] = 'p';
  show("a page of data", page);
  step("the page has a frame; now fork");
  pid = fork();
  if (pid < 0)
    fatal("fork");
  if (pid == 0)
    child();
  wait(&status);
  printf("[%d] parent reads '%c'; it now writes\n", getpid(), page[0]);
  page[0] = 'q';
  step("the parent was alone again: W came back, no copy was made");
  return 0;
}
