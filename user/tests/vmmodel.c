/*
 * vmmodel [-s SEED] [-n OPERATIONS] [-l]: random operations on an address
 * space, compared with a model of what POSIX says they do.
 *
 * The operations go to an arena of pages, at a place of its own; -l makes it
 * large and its steps long, so that superpages come and go. For each page the
 * model knows what is mapped there:
 *
 *   slot[i]: kind, rights, page of the object, and for a private page that was
 *            written, its value
 *   object.value[j]: the value of a page of a file or of shared memory
 *
 * A page's value is a number that stands in two places of it; the rest is not
 * looked at. Whether a page may be read or written is asked of the kernel, by
 * a write to a pipe from there and a read to there, which fail with EFAULT
 * where a load or a store would end the program. (Now and then a child tries
 * that, too.)
 *
 * fork makes a child that goes on with the same model, alone, and hands back
 * what it did to the objects; private memory is its own. So the sequence, and
 * what must come of it, depends on the seed only.
 */
#include "port.h"

#define SMALL_PAGES 96
#define LARGE_PAGES (3 * 1024) /* some superpages of either machine */
#define OBJECT_PAGES 48
#define LARGE_OBJECT_PAGES 64
#define FIRST_WORD 16 /* the two places of a value in a page */
#define SECOND_WORD 4080
#define DEPTH_MAX 3 /* of children's children */
#define PROT_RW (PROT_READ | PROT_WRITE)

enum kind { NOTHING, ANON, SHARED, FILE_PRIVATE, FILE_SHARED, KINDS };

struct slot {
  unsigned char kind;
  unsigned char prot;
  unsigned char own;    /* a private page that was written */
  unsigned short index; /* of the object's page */
  unsigned value;       /* if own */
};

/* The file, and the shared memory. */
struct object {
  unsigned value[LARGE_OBJECT_PAGES];
  unsigned short pages; /* its length now: less when it was truncated */
};

static struct slot slots[LARGE_PAGES];
static struct object file, shared;
static int arena_pages = SMALL_PAGES, object_pages = OBJECT_PAGES;
static int large;

static char *arena;
static int fd, probe[2];
static uint64 state; /* of the random numbers */
static long step;    /* operations so far */
static int depth;    /* 0: not a child */
static const char *doing = "start";
static const char *const path = "vmmodel.tmp";

static void fail(const char *what, int page) {
  printf("vmmodel: step %ld (%s): %s, page %d, pid %d\n", step, doing, what,
         page, getpid());
  exit(1);
}

static void must(int ok, const char *what) {
  if (!ok) {
    printf("vmmodel: error %d\n", lasterr());
    fail(what, -1);
  }
}

/* Pseudo-random numbers, repeatable (xorshift64*, Vigna 2016). */
static unsigned chance(unsigned n) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (unsigned)((state * 2685821657736338717ULL) >> 33) % n;
}

static char *address(int page) { return arena + page * PAGE; }

/* A range of pages: mostly short, and in a large arena often long. */
static int range(int pages, int *n) {
  int first = (int)chance(pages);
  int most = chance(4) == 0 ? pages : large && chance(2) ? pages / 3 : 8;

  if (large && chance(3) == 0)
    first -= first % 512; /* where superpages begin */
  *n = 1 + (int)chance(most);
  if (*n > pages - first)
    *n = pages - first;
  return first;
}

/* --- the model --- */

static struct object *object_of(const struct slot *s) {
  return s->kind == SHARED ? &shared : &file;
}

/* Is the page beyond the end of what it maps? */
static int beyond(const struct slot *s) {
  return s->kind >= FILE_PRIVATE && s->index >= file.pages;
}

static unsigned value_of(const struct slot *s) {
  if (s->own)
    return s->value;
  return s->kind == ANON ? 0 : object_of(s)->value[s->index];
}

static int readable(const struct slot *s) {
  return s->kind != NOTHING && (s->prot & PROT_READ) && !beyond(s);
}

static int writable(const struct slot *s) {
  return readable(s) && (s->prot & PROT_WRITE);
}

static void store(struct slot *s, unsigned value) {
  if (s->kind == SHARED || s->kind == FILE_SHARED) {
    object_of(s)->value[s->index] = value;
  } else {
    s->own = 1;
    s->value = value;
  }
}

/* --- comparing --- */

static int kernel_can_read(char *p) {
  char c;
  int n = write(probe[1], p, 1);

  if (n == 1 && read(probe[0], &c, 1) != 1)
    fail("the pipe lost a byte", -1);
  return n == 1;
}

/* Writes the byte that is there already. */
static int kernel_can_write(char *p) {
  char c = 0;

  must(write(probe[1], p, 1) == 1, "probe");
  if (read(probe[0], p, 1) == 1)
    return 1;
  must(read(probe[0], &c, 1) == 1, "probe is still there");
  return 0;
}

static void look(int page) {
  const struct slot *s = &slots[page];
  char *p = address(page);
  unsigned first, second, want;

  if (kernel_can_read(p + FIRST_WORD) != readable(s))
    fail(readable(s) ? "cannot be read" : "can be read", page);
  if (!readable(s))
    return;
  first = *(volatile unsigned *)(p + FIRST_WORD);
  second = *(volatile unsigned *)(p + SECOND_WORD);
  want = value_of(s);
  if (first != want || second != want) {
    printf("vmmodel: kind %d, prot %d, own %d, index %d: %u and %u, not %u\n",
           s->kind, s->prot, s->own, s->index, first, second, want);
    fail("has the wrong value", page);
  }
}

/* Is it protected from writing, too? This may write: the page becomes own. */
static void look_closely(int page) {
  struct slot *s = &slots[page];

  look(page);
  if (!readable(s))
    return;
  if (kernel_can_write(address(page) + FIRST_WORD) != writable(s))
    fail(writable(s) ? "cannot be written" : "can be written", page);
  if (writable(s))
    store(s, value_of(s));
}

/* All pages if they are few, else some. */
static void look_around(void) {
  if (!large || step % 64 == 0) {
    for (int i = 0; i < arena_pages; i++)
      look(i);
    return;
  }
  for (int i = 0; i < 32; i++)
    look((int)chance(arena_pages));
}

static void file_look(int page) {
  unsigned value[2] = {0, 0};

  must(lseek(fd, page * PAGE + FIRST_WORD, SEEK_SET) >= 0, "lseek");
  must(read(fd, &value[0], 4) == 4, "read of the file");
  must(lseek(fd, page * PAGE + SECOND_WORD, SEEK_SET) >= 0, "lseek");
  must(read(fd, &value[1], 4) == 4, "read of the file");
  if (value[0] != file.value[page] || value[1] != file.value[page])
    fail("read() of the file tells something else", page);
}

/* --- the operations --- */

static void map_range(int first, int n, enum kind kind, int prot, int index) {
  static const int flags[KINDS] = {
      [ANON] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
      [SHARED] = MAP_SHARED | MAP_ANONYMOUS,
      [FILE_PRIVATE] = MAP_PRIVATE,
      [FILE_SHARED] = MAP_SHARED};
  char *p = mmap(address(first), n * PAGE, prot, flags[kind] | MAP_FIXED,
                 kind >= FILE_PRIVATE ? fd : -1, index * PAGE);

  must(p == address(first), "mmap");
  for (int i = 0; i < n; i++)
    slots[first + i] =
        (struct slot){.kind = kind, .prot = prot, .index = index + i};
}

static const int rights[] = {PROT_NONE,
                             PROT_READ,
                             PROT_RW,
                             PROT_RW,
                             PROT_RW,
                             PROT_READ | PROT_EXEC,
                             PROT_RW | PROT_EXEC};

static int any_rights(void) { return rights[chance(NELEM(rights))]; }

/* Anonymous memory or the file, in place of whatever is there. Shared
 * memory has no name by which it could be mapped again: see do_share. */
static void do_map(void) {
  static const enum kind kinds[] = {ANON, ANON, FILE_PRIVATE, FILE_SHARED};
  enum kind kind = kinds[chance(NELEM(kinds))];
  int n, first = range(arena_pages, &n), index;

  if (n > object_pages)
    n = object_pages;
  index = kind == ANON ? 0 : (int)chance(object_pages - n + 1);
  map_range(first, n, kind, any_rights(), index);
}

/* Shared anonymous memory is made anew: the old is unmapped wherever it is. Not
 * in a child, for which the parent would then have another one. */
static void do_share(void) {
  int n, first;

  if (depth > 0)
    return;
  for (int i = 0; i < arena_pages; i++)
    if (slots[i].kind == SHARED) {
      must(munmap(address(i), PAGE) == 0, "munmap");
      slots[i].kind = NOTHING;
    }
  memset(shared.value, 0, sizeof(shared.value));
  first = range(arena_pages, &n);
  if (n > object_pages)
    n = object_pages;
  map_range(first, n, SHARED, PROT_RW, 0);
}

static void do_unmap(void) {
  int n, first = range(arena_pages, &n);

  must(munmap(address(first), n * PAGE) == 0, "munmap");
  for (int i = first; i < first + n; i++)
    slots[i].kind = NOTHING;
}

/* Pages from `first` on that are mapped, at most n. */
static int mapped(int first, int n) {
  int i = 0;

  while (i < n && slots[first + i].kind != NOTHING)
    i++;
  return i;
}

static void do_protect(void) {
  int n, first = range(arena_pages, &n), prot = any_rights();

  if (slots[first].kind == NOTHING) {
    must(mprotect(address(first), n * PAGE, prot) == -1 && lasterr() == ENOMEM,
         "mprotect of a hole fails");
    return;
  }
  n = mapped(first, n);
  must(mprotect(address(first), n * PAGE, prot) == 0, "mprotect");
  for (int i = first; i < first + n; i++)
    slots[i].prot = prot;
}

static void do_store(void) {
  int n, first = range(arena_pages, &n);

  for (int i = first; i < first + n; i++) {
    unsigned value = (unsigned)state + i;

    if (!writable(&slots[i]))
      continue;
    *(volatile unsigned *)(address(i) + FIRST_WORD) = value;
    *(volatile unsigned *)(address(i) + SECOND_WORD) = value;
    store(&slots[i], value);
  }
}

static void do_write(void) {
  int page = (int)chance(file.pages ? file.pages : 1);
  unsigned value = chance(1u << 31);

  if (file.pages == 0)
    return;
  must(lseek(fd, page * PAGE + FIRST_WORD, SEEK_SET) >= 0, "lseek");
  must(write(fd, &value, 4) == 4, "write");
  must(lseek(fd, page * PAGE + SECOND_WORD, SEEK_SET) >= 0, "lseek");
  must(write(fd, &value, 4) == 4, "write");
  file.value[page] = value;
}

/* A page of the file is written from the arena, or read to there. */
static void do_copy(void) {
  int page = (int)chance(arena_pages), out = (int)chance(2);
  struct slot *s = &slots[page];
  int index = (int)chance(object_pages);

  if (index >= file.pages || !(out ? readable(s) : writable(s)))
    return;
  must(lseek(fd, index * PAGE, SEEK_SET) >= 0, "lseek");
  if (out) {
    must(write(fd, address(page), PAGE) == (int)PAGE, "write from the arena");
    file.value[index] = value_of(s);
  } else {
    must(read(fd, address(page), PAGE) == (int)PAGE, "read to the arena");
    store(s, file.value[index]);
  }
}

static void do_read(void) {
  for (int i = 0; i < 8 && file.pages > 0; i++)
    file_look((int)chance(file.pages));
}

static void do_truncate(void) {
  int pages = chance(3) ? object_pages : (int)chance(object_pages);

  must(ftruncate(fd, pages * PAGE) == 0, "ftruncate");
  for (int i = file.pages; i < pages; i++)
    file.value[i] = 0;
  file.pages = pages;
  for (int i = 0; i < arena_pages; i++)
    if (beyond(&slots[i]))
      slots[i].own = 0;
}

static void do_sync(void) {
  int n, first = range(arena_pages, &n);

  n = mapped(first, n);
  must(msync(address(first), n * PAGE, chance(2) ? MS_SYNC : MS_ASYNC) == 0,
       "msync");
}

static void do_forget(void) {
  int n, first = range(arena_pages, &n);

  n = mapped(first, n);
  must(madvise(address(first), n * PAGE, MADV_DONTNEED) == 0, "madvise");
  for (int i = first; i < first + n; i++)
    slots[i].own = 0;
}

static void do_look(void) {
  for (int i = 0; i < 16; i++)
    look_closely((int)chance(arena_pages));
}

/* A child breaks a rule, for which it must be ended. */
static void do_trespass(void) {
  int page = (int)chance(arena_pages), pid;
  const struct slot *s = &slots[page];
  int reading = !readable(s);

  if (writable(s))
    return;
  pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0) {
    if (reading)
      (void)*(volatile char *)address(page);
    else
      *(volatile char *)address(page) = 1;
    exit(0);
  }
  if (os_wait(pid) != -1)
    fail(reading ? "a load was let through" : "a store was let through", page);
}

static void run(long steps);

static void send(int out, const void *p, int n) {
  for (const char *at = p; n > 0;) {
    int part = write(out, at, n);

    must(part > 0, "write to the parent");
    at += part;
    n -= part;
  }
}

static void receive(int in, void *p, int n) {
  for (char *at = p; n > 0;) {
    int part = read(in, at, n);

    must(part > 0, "the child ended early");
    at += part;
    n -= part;
  }
}

static void do_fork(void) {
  long steps = 1 + chance(large ? 10 : 30);
  int ends[2], pid;

  if (depth >= DEPTH_MAX)
    return;
  must(pipe(ends) == 0, "pipe");
  pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0) {
    close(ends[0]);
    depth++;
    run(steps);
    send(ends[1], &file, sizeof(file));
    send(ends[1], &shared, sizeof(shared));
    exit(0);
  }
  close(ends[1]);
  receive(ends[0], &file, sizeof(file));
  receive(ends[0], &shared, sizeof(shared));
  must(os_wait(pid) == 0, "the child");
  close(ends[0]);
  /* It cut the file, and let it grow again perhaps: which of our private
   * pages that cost, it alone knows. They are made anew. */
  for (int i = 0; i < arena_pages; i++)
    if (slots[i].kind == FILE_PRIVATE)
      map_range(i, 1, FILE_PRIVATE, slots[i].prot, slots[i].index);
}

static const struct {
  const char *name;
  void (*run)(void);
  unsigned weight;
} operations[] = {
    {"mmap", do_map, 10},        {"munmap", do_unmap, 6},
    {"mprotect", do_protect, 8}, {"store", do_store, 14},
    {"write", do_write, 5},      {"copy", do_copy, 5},
    {"read", do_read, 3},        {"ftruncate", do_truncate, 2},
    {"msync", do_sync, 2},       {"madvise", do_forget, 3},
    {"look", do_look, 6},        {"trespass", do_trespass, 1},
    {"share", do_share, 1},      {"fork", do_fork, 2},
};

static void one_step(void) {
  unsigned total = 0, at;

  for (unsigned i = 0; i < NELEM(operations); i++)
    total += operations[i].weight;
  at = chance(total);
  for (unsigned i = 0; i < NELEM(operations); i++) {
    if (at < operations[i].weight) {
      doing = operations[i].name;
      operations[i].run();
      return;
    }
    at -= operations[i].weight;
  }
}

static void run(long steps) {
  for (long i = 0; i < steps; i++) {
    step++;
    one_step();
    look_around();
  }
  for (int i = 0; i < arena_pages; i++)
    look(i);
}

/* An arena that nobody else will be given, empty. */
static void set_up(void) {
  fd = open(path, O_CREATE | O_RDWR | O_TRUNC);
  must(fd >= 0, "open");
  must(ftruncate(fd, object_pages * PAGE) == 0, "ftruncate");
  file.pages = object_pages;
  must(pipe(probe) == 0, "pipe");
  arena = mmap(0, (arena_pages + 1024) * PAGE, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  must(arena != MAP_FAILED, "mmap");
  /* its start as superpages have it */
  arena += (1024 - (addr)arena / PAGE % 1024) * PAGE;
  for (int i = 0; i < arena_pages; i++)
    must(munmap(address(i), PAGE) == 0, "munmap");
}

static int usage(void) {
  printf("usage: vmmodel [-s SEED] [-n OPERATIONS] [-l]\n");
  return 2;
}

int main(int argc, char **argv) {
  long operations_wanted = 2000, seed = 1;

  os_start();
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "-l") == 0)
      large = 1;
    else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc)
      seed = atoi(argv[++i]);
    else if (strcmp(argv[i], "-n") == 0 && i + 1 < argc)
      operations_wanted = atoi(argv[++i]);
    else
      return usage();
  }
  if (large) {
    arena_pages = LARGE_PAGES;
    object_pages = LARGE_OBJECT_PAGES;
  }
  state = seed * 0x9e3779b97f4a7c15ULL + 1;
  set_up();
  run(operations_wanted);
  must(munmap(arena, arena_pages * PAGE) == 0, "munmap");
  close(fd);
  unlink(path);
  must(os_memcheck() == 0, "memcheck");
  printf("vmmodel OK (seed %ld)\n", seed);
  return 0;
}
