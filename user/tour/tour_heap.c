/* tour_heap: memory is promised at once, and there when it is touched. */
#include "tour.h"

#define PAGES 64

/* Write to all pages, one after the other, and count the page faults. */
static void write_all_pages(volatile char *at) {
  uint before = my_info().faults.total;

  for (int i = 0; i < PAGES; i++)
    at[i * PAGE] = 1;
  say("page faults: %d", (int)(my_info().faults.total - before));
}

int main(void) {
  volatile char *heap, *reserved;

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
  write_all_pages(heap);
  reserved = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (reserved == MAP_FAILED)
    fatal("mmap");
  show("a mapping", reserved);
  step("sbrklazy may promise too much; mmap does not; now write there");
  write_all_pages(reserved);
  step("64 frames came with fewer faults: events shows which");
  return 0;
}
