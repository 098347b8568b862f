/*
 * memcheck: does the kernel's account of its memory hold? Every page table,
 * region, cache and free list is walked while the other CPUs stand still
 * (kernel/mm/audit.c). Status 1 if something is wrong, which is then said by
 * frame.
 */
#include "user/user.h"

#define SHOWN 20

/* By enum page_owner. */
static const char *const owners[] = {"free",  "reserved", "image", "kernel",
                                     "slab",  "stack",    "table", "user",
                                     "cache", "pipe",     "zero"};

static const char *owner_name(int owner) {
  int n = sizeof(owners) / sizeof(owners[0]);

  return owner >= 0 && owner < n ? owners[owner] : "no RAM";
}

/* What each kind of fault means; count and found are told after it. */
static const char *const kinds[] = {
    [MEM_COUNT] = "holders: counted and found",
    [MEM_LOST] = "nobody has it: counted and found",
    [MEM_OWNER] = "used as what it is not: owners allowed (bits)",
    [MEM_FREE_USED] = "on a free list, and in use: counted and found",
    [MEM_FREE_TWICE] = "on free lists more than once",
    [MEM_INSIDE] = "inside a block, and in use by itself",
    [MEM_SLAB] = "a page of small objects that is damaged",
    [MEM_SUM] = "pages: counted and found",
    [MEM_NO_REGION] = "an entry where no region is: its rights",
    [MEM_RIGHTS] = "an entry that grants more than its region: rights",
    [MEM_REGIONS] = "a region that overlaps another or is out of order",
    [MEM_SPACE] = "regions, their pages or private pages: counted and found",
    [MEM_BUSY] = "regions that are always being changed",
    [MEM_FILE] = "holders of an open file: counted and found",
};

static void show(const struct memfault *f) {
  if (f->pa)
    printf("frame 0x%llx (%s): ", (unsigned long long)f->pa,
           owner_name(f->owner));
  printf("%s: %u, %u", kinds[f->kind], f->count, f->found);
  if (f->root)
    printf("; in the page table at 0x%llx", (unsigned long long)f->root);
  if (f->root || f->kind == MEM_SUM)
    printf(", va 0x%llx", (unsigned long long)f->va);
  printf("\n");
}

int main(int argc, char **argv) {
  static struct memfault faults[SHOWN];
  struct memcheck sum;
  int n;

  (void)argv;
  if (argc != 1)
    bad_usage("");
  n = memcheck(&sum, faults, SHOWN);
  if (n < 0)
    fatal("memcheck");
  for (int i = 0; i < n && i < SHOWN; i++)
    show(&faults[i]);
  printf("%llu frames: %llu free + %llu used", (unsigned long long)sum.frames,
         (unsigned long long)sum.free, (unsigned long long)sum.used);
  if (sum.moving > 0)
    printf(" + %llu on their way", (unsigned long long)sum.moving);
  printf("\n");
  printf(
      "%llu references, %llu page-table pages, %llu entries in %llu regions "
      "of %llu spaces\n",
      (unsigned long long)sum.references, (unsigned long long)sum.tables,
      (unsigned long long)sum.leaves, (unsigned long long)sum.regions,
      (unsigned long long)sum.spaces);
  if (n == 0)
    printf("memcheck: all is right\n");
  else
    printf("memcheck: %d faults\n", n);
  return n > 0;
}
