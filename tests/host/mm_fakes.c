#include "mm_fakes.h"

#include "cpu.h"
#include "lib/panic.h"
#include "machine.h"
#include "sync/spinlock.h"
#include "tlb.h"

struct machine machine;
struct cpu cpus[NCPU];
int ncpu = 3;
bool panicked;

/* Blocks of the allocator are aligned from the start of RAM on. */
uchar ram[RAM_PAGES * PGSIZE] __attribute__((aligned(MiB(4))));

/* The end of the kernel's image, for kinit(): not at a page's start. */
asm(".globl end\n.set end, ram + (5 - 1) * 4096 + 100");
_Static_assert(IMAGE_PAGES == 5, "the line above");

/* There is no other CPU that could ask for anything. */
void tlb_answer(void) { fail(); }

uint64 reclaims;

static uint64 shrink(uint64 want) {
  (void)want;
  reclaims++;
  return 0;
}

static struct reclaimer reclaimer = {.name = "test", .shrink = shrink};

void ram_start(uint64 pages) { ram_start_at(0, pages); }

void ram_start_at(uint64 first, uint64 pages) {
  for (int i = 0; i < NCPU; i++)
    cpus[i].id = i;
  machine.ram_start = (paddr_t)ram + first * PGSIZE;
  machine.ram_end = (paddr_t)ram + pages * PGSIZE;
  memset(ram, 0xaa, pages * PGSIZE);
  kinit();
  kalloc_use_lock();
  reclaimer_register(&reclaimer);
}

static void *taken; /* pages, linked through their first words */

void memory_leave(uint64 n) {
  uint64 page_count = pages_owned(PAGE_FREE);
  void *page;

  for (; page_count > n; page_count--) {
    page = kalloc();
    assert_non_null(page);
    *(void **)page = taken;
    taken = page;
  }
}

void memory_return(void) {
  while (taken != NULL) {
    void *next = *(void **)taken;

    kfree(taken);
    taken = next;
  }
}

struct census census_take(void) {
  struct census c;

  for (int i = 0; i < PAGE_OWNERS; i++)
    c.pages[i] = pages_owned(i);
  return c;
}

void check_census(struct census c, const char *file, int line) {
  struct census now = census_take();
  uint64 total = 0;

  for (int i = 0; i < PAGE_OWNERS; i++) {
    total += now.pages[i];
    if (i != PAGE_SLAB && i != PAGE_FREE && now.pages[i] != c.pages[i]) {
      print_error("%s:%d: owner %d has %lu pages, had %lu\n", file, line, i,
                  now.pages[i], c.pages[i]);
      fail();
    }
  }
  _assert_int_equal(total, pages_total(), file, line);
  _assert_int_equal(cpus[0].noff, 0, file, line);
}

jmp_buf panic_jump;
bool panic_expected;
char panic_message[256];

void panic(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  vsnprintf(panic_message, sizeof(panic_message), fmt, ap);
  va_end(ap);
  if (!panic_expected) {
    fprintf(stderr, "panic: %s\n", panic_message);
    abort();
  }
  panic_expected = false;
  longjmp(panic_jump, 1);
}

/* xorshift64, Marsaglia, "Xorshift RNGs", 2003. */
uint64 random_below(uint64 n) {
  static uint64 state = 88172645463325252UL;

  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (state >> 8) % n;
}

void page_mark(void *page, uint64 tag) {
  uint64 *word = page;

  for (uint64 i = 0; i < PGSIZE / sizeof(*word); i++)
    word[i] = (tag << 16) + i + 1;
}

bool page_marked(const void *page, uint64 tag) {
  const uint64 *word = page;

  for (uint64 i = 0; i < PGSIZE / sizeof(*word); i++)
    if (word[i] != (tag << 16) + i + 1)
      return false;
  return true;
}

bool page_zero(const void *page) {
  static const uchar zeros[PGSIZE];

  return memcmp(page, zeros, PGSIZE) == 0;
}
