/*
 * Copies across the border, kernel/vm/usercopy.c: which bytes are touched. The
 * page table and the fault path are stubs that may say anything, but that an
 * address which is no user's leads nowhere.
 */
#include "prove.h"

static size_t kernel_bytes; /* of the kernel's buffer */
static size_t copied;       /* so far, from its start on */
static vaddr_t user_start;
static bool writing; /* to the user */
static int off;      /* interrupts */

static char kernel_buffer[4096 + 200];
static char frame[4096];

static void *copy(void *dst, const void *src, size_t n);

#define memmove(dst, src, n) copy(dst, src, n)
#define memcpy(dst, src, n) copy(dst, src, n)
#undef P2V
#include "pte.h"
#undef P2V
#define P2V(pa) ((void *)(frame + (pa) % PGSIZE))
#define LIB_STRING_H /* its functions are those above */

static size_t strnlen(const char *s, size_t max) {
  size_t n = any_below(max + 1);

  claim(__CPROVER_r_ok(s, max));
  return n;
}

#include "../../kernel/vm/usercopy.c"

static struct space space;
static bool found; /* walkaddr() has just found a page */

void push_off(void) { off++; }

void pop_off(void) {
  off--;
  found = false;
}

paddr_t walkaddr(pagetable_t pagetable, vaddr_t va, uint access) {
  claim(pagetable == space.pagetable && off == 1);
  claim(access == (writing ? PROT_WRITE : PROT_READ));
  claim(va == user_start + copied);
  if (va >= USER_END || any_bool())
    return 0;
  found = true;
  return PGSIZE + va % PGSIZE;
}

static uint faults;

int fault_resolve(struct space *s, vaddr_t va, uint access) {
  claim(s == &space && off == 0);
  claim(access == (writing ? PROT_WRITE : PROT_READ));
  claim(va == user_start + copied);
  if (va >= USER_END || faults == 1 || any_bool())
    return -EFAULT;
  faults++;
  return 0;
}

/* Only between kernel and a page that was just found, and each byte once. */
static void *copy(void *dst, const void *src, size_t n) {
  const char *user = writing ? dst : src, *kernel = writing ? src : dst;

  claim(found && off == 1);
  claim(__CPROVER_same_object(user, frame));
  claim(__CPROVER_POINTER_OFFSET(user) == (user_start + copied) % PGSIZE);
  claim(__CPROVER_POINTER_OFFSET(user) + n <= PGSIZE);
  claim(kernel == kernel_buffer + copied);
  claim(n <= kernel_bytes - copied);
  copied += n;
  return dst;
}

static void begin(bool out) {
  writing = out;
  off = 0;
  faults = 0;
  copied = 0;
  found = false;
  user_start = any_size();
  kernel_bytes = any_below(sizeof(kernel_buffer) + 1);
}

static void check(int r) {
  claim(r == (copied == kernel_bytes ? 0 : -EFAULT));
  claim(off == 0);
  if (r == 0 && kernel_bytes > 0)
    claim(user_start < USER_END && kernel_bytes <= USER_END - user_start);
  reached(r == 0 && kernel_bytes > PGSIZE + 1 && faults == 1);
  reached(r < 0 && copied == PGSIZE);
}

PROVE(
    copyout,
    "copyout reads each byte of the buffer once, into pages that walkaddr "
    "has just allowed to write, with interrupts off; 0 is returned when all "
    "was copied, and never for a range that leaves user memory",
    "any user address; lengths up to 4296, so up to three pages; up to 1 page "
    "that is missing at first",
    "--unwind 5 --unwindset copyout.0:3") {
  begin(true);
  check(copyout(&space, user_start, kernel_buffer, kernel_bytes));
}

PROVE(copyin,
      "copyin writes each byte of the buffer once, and no other, from pages "
      "that walkaddr has just allowed to read; otherwise the same",
      "the same", "--unwind 5 --unwindset copyin.0:3") {
  begin(false);
  check(copyin(&space, kernel_buffer, user_start, kernel_bytes));
}

PROVE(copyinstr,
      "copyinstr writes no more than the buffer has, ends it with a 0, and "
      "says how long it is",
      "any user address; buffers up to 4296 bytes, so up to three pages; up to "
      "1 page "
      "that is missing at first",
      "--unwind 4 --unwindset copyinstr.0:5") {
  int r;

  begin(false);
  kernel_buffer[sizeof(kernel_buffer) - 1] = 1;
  r = copyinstr(&space, kernel_buffer, user_start, kernel_bytes);
  claim(off == 0);
  if (r >= 0) {
    claim((size_t)r == copied && copied < kernel_bytes);
    claim(kernel_buffer[r] == 0);
    reached(r > PGSIZE && faults == 1);
  } else {
    claim(r == -EFAULT || (r == -ENAMETOOLONG && copied == kernel_bytes));
  }
  reached(r == -ENAMETOOLONG && kernel_bytes > PGSIZE);
}
