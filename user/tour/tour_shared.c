/* tour_shared: memory that two processes write. */
#include "tour.h"

int main(void) {
  volatile int *word =
      mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int pid, status;

  if (word == MAP_FAILED)
    fatal("mmap");
  *word = 1;
  show("a shared page", word);
  step("now fork, and the child writes 2 to it");
  pid = fork();
  if (pid < 0)
    fatal("fork");
  if (pid == 0) {
    *word = 2;
    step("child: one frame, two processes, both with W");
    exit(0);
  }
  wait(&status);
  printf("[%d] parent reads %d\n", getpid(), *word);
  return 0;
}
