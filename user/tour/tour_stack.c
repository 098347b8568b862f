/* tour_stack: the stack fills page by page, a step for each, down to the guard. */
#include "tour.h"

#define STEPS 4
#define DEEP 1000000 /* pages: more than any stack has */

/* A call with a page of variables of its own. */
static int deeper(int depth) {
  volatile char frame[PAGE];

  frame[0] = depth;
  if (depth <= STEPS) {
    show("the stack", frame);
    step(depth < STEPS ? "child: a page more; now call once more"
                       : "child: now call without end");
  }
  if (depth < DEEP)
    depth = deeper(depth + 1);
  return depth + frame[0];
}

int main(void) {
  int status, pid;
  volatile char here = 0;

  show("the stack", &here);
  step("one or two pages of it are there; now a child calls itself");
  pid = fork();
  if (pid < 0)
    fatal("fork");
  if (pid == 0)
    exit(deeper(1));
  wait(&status);
  step("the child met the guard: nothing may be there, so it was ended");
  return 0;
}
