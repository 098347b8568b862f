/* tour_super: a superpage comes, and becomes pages. */
#include "tour.h"

#define SIZE (16 << 20)

int main(void) {
  volatile char *at =
      mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  volatile char *middle = at + SIZE / 2;
  int pid, status;

  if (at == MAP_FAILED)
    fatal("mmap");
  show("the middle of 16 MiB", middle);
  step("nothing is there; now write one byte");
  *middle = 1;
  step("one entry a level higher maps all around it; now fork");
  pid = fork();
  if (pid < 0)
    fatal("fork");
  if (pid == 0) {
    step("child: both have the superpage, without W; now it writes");
    *middle = 2;
    step("child: it became a table of pages, of which one was copied");
    exit(0);
  }
  wait(&status);
  return 0;
}
