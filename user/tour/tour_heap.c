/* tour_heap: memory is promised at once, and there when it is touched. */
#include "tour.h"

#define PAGES 64

int main(void) {
  volatile char *heap;

  step("now ask for 64 pages");
  heap = sbrklazy(PAGES * PAGE);
  if (heap == SBRK_ERROR)
    fatal("sbrk");
  show("the heap", heap);
  step("a region, and no page of it; now read one");
  printf("it reads %d\n", heap[0]);
  step("the page of zeros, which all share, without W; now write it");
  heap[0] = 1;
  step("a frame of its own; now write all pages, one after the other");
  for (int i = 0; i < PAGES; i++)
    heap[i * PAGE] = 1;
  step("64 frames came with fewer faults: events shows which");
  return 0;
}
