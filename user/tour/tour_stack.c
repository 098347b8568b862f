/* tour_stack: the stack fills page by page, down to the guard. */
#include "tour.h"

#define DEEP 1000000 /* pages: more than any stack has */

static int deeper(int depth) {
  volatile char frame[PAGE];

  frame[0] = depth;
  if (depth % 100 == 0)
    show("the stack", frame);
  if (depth < DEEP)
    depth = deeper(depth + 1);
  return depth + frame[0];
}

int main(void) {
  int status, pid;
  volatile char here = 0;

  show("the stack", &here);
  step("one or two pages of it are there; now a child calls without end");
  pid = fork();
  if (pid < 0)
    fatal("fork");
  if (pid == 0)
    exit(deeper(1));
  wait(&status);
  step("the child met the guard: nothing may be there, so it was ended");
  return 0;
}
