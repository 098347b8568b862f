/*
 * ELF files, kernel/proc/exec.c: whatever a file says, what is mapped and read.
 */
/* sources: tests/prove/strings.c */
#include "prove.h"

#include "../../kernel/proc/exec.c"

#define PAGES_TOTAL 3 /* of the machine: what can be filled at most */

static struct inode file;
static struct space space;
static struct region regions[2];
static vaddr_t loaded; /* end of what was added so far */
static uint added;
static uint64 file_size;
static char page[PGSIZE];
static vaddr_t page_va;
static uint pages_filled;

bool space_exceeds_in_place_of(struct space *s, size_t pages,
                               struct space *old) {
  claim(s == &space && old == NULL);
  claim(pages > 0 && pages <= SPACE_END / PGSIZE);
  return any_bool();
}

void instructions_written(void) {}

int space_add_locked(struct space *s, const struct region *like) {
  claim(s == &space && like->start % PGSIZE == 0 && like->end % PGSIZE == 0);
  claim(like->start >= loaded && like->start < like->end);
  claim(like->end <= SPACE_END);
  if (like->object != NULL) {
    claim(like->object == &file.object);
    /* it begins in the file; a page that is only partly in it ends with zeros */
    claim(like->first * PGSIZE < file_size);
    claim((like->end - like->start) / PGSIZE <=
          (file_size + PGSIZE - 1) / PGSIZE - like->first);
  }
  if (any_bool())
    return -ENOMEM;
  if (added < NELEM(regions))
    regions[added] = *like;
  added++;
  loaded = like->end;
  return 0;
}

struct region *space_find_locked(struct space *s, vaddr_t va) {
  claim(s == &space);
  for (uint i = 0; i < NELEM(regions); i++)
    if (i < added && regions[i].start <= va && va < regions[i].end)
      return &regions[i];
  return NULL;
}

void *uvm_page(struct region *r, vaddr_t va) {
  claim(r != NULL && r->object == NULL);
  claim(va >= r->start && va < r->end && va % PGSIZE == 0);
  page_va = va;
  return pages_filled++ < PAGES_TOTAL && any_bool() ? page : NULL;
}

ssize_t readi(struct inode *ip, struct space *s, vaddr_t dst, uint64 off,
              size_t n) {
  claim(ip == &file && s == NULL);
  claim((char *)dst == page && n <= PGSIZE);
  claim(off <= file_size && n <= file_size - off);
  return any_bool()   ? (ssize_t)n
         : any_bool() ? -EIO
                      : (ssize_t)any_below(n + 1);
}

PROVE(
    segment,
    "what a program header makes is regions behind those before, aligned, "
    "below the end of user memory, that show no more of the file than it has; "
    "nothing is read but bytes of the file into whole pages of those regions",
    "any program header, any file size; three pages of memory",
    "levels --unwind 5") {
  struct image im = {.ip = &file, .space = &space};
  struct proghdr ph;
  vaddr_t before;
  int r;

  any_bytes(&ph);
  file_size = any_uint(); /* what a dinode can say */
  im.size = file_size;
  before = any_below(SPACE_END + 1);
  assume(before % PGSIZE == 0);
  im.end = loaded = before;
  added = 0;
  r = load_segment(&im, &ph);
  claim(r == 0 || r == -ENOEXEC || r == -ENOMEM || r == -EIO);
  claim(im.end >= before && im.end <= SPACE_END && im.end % PGSIZE == 0);
  if (r == 0 && ph.memsz > 0) {
    claim(im.end == loaded && added > 0);
    claim(regions[0].start == ph.vaddr);
    claim(im.end - ph.vaddr >= ph.memsz &&
          im.end - ph.vaddr < ph.memsz + PGSIZE);
    claim(added == 1 || regions[1].start == regions[0].end);
    reached(added == 2 && ph.filesz % PGSIZE && ph.off > PGSIZE);
    reached(added == 1 && regions[0].object == NULL && ph.filesz > PGSIZE);
    reached(im.end == SPACE_END);
  }
}

PROVE(stack,
      "guard and stack are behind the program and end in user memory, or the "
      "program is refused",
      "none: any end of the program, any stack size that a header may ask for",
      "levels quick --unwind 3") {
  struct image im = {.ip = &file, .space = &space};
  struct proghdr ph;
  int r;

  any_bytes(&ph);
  ph.type = ELF_PROG_GNU_STACK;
  im.stack_pages = im.arg_pages = USERSTACK;
  im.end = loaded = any_below(SPACE_END + 1);
  assume(im.end % PGSIZE == 0);
  added = 0;
  r = load_header(&im, &ph);
  claim(r == 0 || r == -ENOEXEC);
  if (r < 0)
    return;
  claim(im.stack_pages > 0 && im.stack_pages <= USERSTACK_MAX);
  claim(im.arg_pages <= im.stack_pages);
  r = add_stack(&im);
  if (r == 0) {
    claim(added == 2 && regions[0].rights == PROT_NONE);
    claim(regions[1].start == regions[0].end && space.brk == regions[1].end);
    claim(space.brk <= SPACE_END);
    reached(space.brk == SPACE_END);
  }
  reached(r == -ENOEXEC);
}
