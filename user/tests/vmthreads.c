/*
 * vmthreads [-s SEED] [-n ROUNDS] [-t THREADS]: threads that share an address
 * space map, unmap, protect, write and fork at once, on all processors.
 *
 * What would go wrong if the kernel did: a processor that still has an old
 * translation writes into a page that belongs to somebody else by now; two that
 * fault at the same place give it two pages, and one write is lost; a child sees
 * what its parent wrote later. So all memory that the threads use holds something
 * that can be checked:
 *
 *   own       what one thread maps for itself: filled with its own pattern
 *   slots     pages with a lock each: filled with the pattern of who wrote last;
 *             who forks holds all locks, so that the child knows what it must see
 *   common    pages without locks, which others throw away (madvise) or replace
 *             (mmap at the same place) at any time: each thread has words there,
 *             which hold what it wrote last, or 0
 *   large     the same, in memory that superpages serve until somebody splits
 *             them
 *   file      a mapped file: each thread has words there, which read() and
 *             write() must see, too
 */
#include "user/thread.h"
#include "user/user.h"

#include "abi/mman.h"

#define PAGE 4096
#define THREADS_MAX 16
#define SLOTS 8
#define COMMON 16          /* pages */
#define LARGE (8u << 20)   /* bytes; room for a superpage of any machine */
#define LARGE_STEP 0x10000 /* bytes between the words that are used there */
#define FILE_PAGES 4
#define OWN_MAX 24 /* pages */
#define WORDS (PAGE / sizeof(uint))
#define FILE_NAME "vmthreads.tmp"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static uint rounds = 300, nthreads = 5;
static uint64 seed = 1;

static struct slot {
  struct mutex lock;
  uint stamp; /* [lock] pattern of its page */
  uint *page;
} slots[SLOTS];

static volatile uint *common, *large;
static volatile uint *file_map;

struct worker {
  uint id; /* from 1 on */
  uint64 random;
  uint last; /* the last value written to a word of ours */
  int fd;    /* of the file, its own */
};

/* Straight to the descriptor: printf() may be locked by a thread that a child
 * does not have. */
static void failed(const char *what) {
  write(1, "vmthreads: ", 11);
  write(1, what, strlen(what));
  write(1, "\n", 1);
  exit(1);
}

#define CHECK(cond) ((cond) ? (void)0 : failed("not so: " #cond))

/* xorshift64*, Vigna 2016. */
static uint rnd(uint64 *state, uint below) {
  uint64 x = *state;

  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return (uint)((x * 2685821657736338717ULL) >> 33) % below;
}

static uint pattern(uint stamp, uint i) { return stamp * 2654435761u + i; }

static void fill(uint *p, uint words, uint stamp) {
  for (uint i = 0; i < words; i++)
    p[i] = pattern(stamp, i);
}

static int filled(const uint *p, uint words, uint stamp) {
  for (uint i = 0; i < words; i++)
    if (p[i] != pattern(stamp, i))
      return 0;
  return 1;
}

static int all_zero(const uint *p, uint words) {
  for (uint i = 0; i < words; i++)
    if (p[i] != 0)
      return 0;
  return 1;
}

static void *map(uint pages) {
  void *p = mmap(0, pages * PAGE, RW, ANON, -1, 0);

  CHECK(p != MAP_FAILED);
  return p;
}

/* --- what a thread does --- */

/* A hole is cut out of memory of our own, and a part may not be written: what
 * is left keeps its content. */
static void use_own(struct worker *w) {
  uint pages = 3 + rnd(&w->random, OWN_MAX - 2),
       stamp = rnd(&w->random, 1 << 30);
  uint hole = 1 + rnd(&w->random, pages - 2);
  char *p = map(pages);

  CHECK(all_zero((uint *)p, pages * WORDS));
  fill((uint *)p, pages * WORDS, stamp);
  CHECK(mprotect(p, hole * PAGE, PROT_READ) == 0);
  CHECK(filled((uint *)p, pages * WORDS, stamp));
  CHECK(munmap(p + hole * PAGE, PAGE) == 0);
  CHECK(mprotect(p, PAGE, RW) == 0);
  *(uint *)p = pattern(stamp, 0);
  CHECK(filled((uint *)p, hole * WORDS, stamp));
  for (uint i = (hole + 1) * WORDS; i < pages * WORDS; i++)
    CHECK(((uint *)p)[i] == pattern(stamp, i));
  CHECK(munmap(p, hole * PAGE) == 0); /* the hole may be another's by now */
  CHECK(munmap(p + (hole + 1) * PAGE, (pages - hole - 1) * PAGE) == 0);
}

static void use_slot(struct worker *w) {
  struct slot *s = &slots[rnd(&w->random, SLOTS)];

  mutex_lock(&s->lock);
  CHECK(filled(s->page, WORDS, s->stamp));
  s->stamp = w->id << 24 | rnd(&w->random, 1 << 24);
  fill(s->page, WORDS, s->stamp);
  mutex_unlock(&s->lock);
}

/* Another place for a slot's content. */
static void move_slot(struct worker *w) {
  struct slot *s = &slots[rnd(&w->random, SLOTS)];
  uint *to = map(1);

  mutex_lock(&s->lock);
  memcpy(to, s->page, PAGE);
  CHECK(munmap(s->page, PAGE) == 0);
  s->page = to;
  mutex_unlock(&s->lock);
}

static void write_common(struct worker *w) {
  for (uint i = 0; i < 8; i++) {
    uint page = rnd(&w->random, COMMON);
    volatile uint *word =
        common + page * WORDS + rnd(&w->random, 32) * THREADS_MAX + w->id - 1;
    uint seen;

    *word = ++w->last;
    seen = *word;
    CHECK(seen == w->last || seen == 0);
  }
}

/* Pages of the common memory are zeros again, one way or another. */
static void throw_away(struct worker *w) {
  uint page = rnd(&w->random, COMMON);
  uint n = 1 + rnd(&w->random, COMMON - page);
  char *at = (char *)common + page * PAGE;

  if (rnd(&w->random, 2))
    CHECK(madvise(at, n * PAGE, MADV_DONTNEED) == 0);
  else
    CHECK(mmap(at, n * PAGE, RW, ANON | MAP_FIXED, -1, 0) == at);
}

/* A thread's word in one of the steps of the large memory. */
static volatile uint *large_word(struct worker *w) {
  uint step = rnd(&w->random, LARGE / LARGE_STEP);

  return large + step * (LARGE_STEP / sizeof(uint)) + w->id - 1;
}

static void write_large(struct worker *w) {
  for (uint i = 0; i < 8; i++) {
    volatile uint *word = large_word(w);
    uint seen = *word;

    CHECK(seen <= w->last); /* a counter of ours, so never more */
    *word = ++w->last;
    seen = *word;
    CHECK(seen == w->last || seen == 0);
  }
}

/* A part of a superpage goes, or all of the memory, for a new one. */
static void split_large(struct worker *w) {
  uint pages = LARGE / PAGE, page = rnd(&w->random, pages);
  char *at = (char *)large + page * PAGE;
  uint n = 1 + rnd(&w->random, 20);

  if (n > pages - page)
    n = pages - page;
  switch (rnd(&w->random, 3)) {
    case 0:
      CHECK(madvise(at, n * PAGE, MADV_DONTNEED) == 0);
      break;
    case 1:
      CHECK(mmap(at, n * PAGE, RW, ANON | MAP_FIXED, -1, 0) == at);
      break;
    default:
      CHECK(mmap((void *)large, LARGE, RW, ANON | MAP_FIXED, -1, 0) == large);
  }
}

/* System calls write there, too. */
static void read_into_common(struct worker *w) {
  char *at = (char *)common + rnd(&w->random, COMMON - 1) * PAGE + PAGE / 2;
  char buf[64];
  int fd[2];

  memset(buf, 0, sizeof(buf)); /* words of others must stay theirs, or 0 */
  if (pipe(fd) < 0)
    return;
  CHECK(write(fd[1], buf, sizeof(buf)) == sizeof(buf));
  CHECK(read(fd[0], at + PAGE / 2 - sizeof(buf) / 2, sizeof(buf)) ==
        sizeof(buf));
  close(fd[0]);
  close(fd[1]);
}

/* Read and write the mapped file both ways. */
static void use_file(struct worker *w) {
  uint at = rnd(&w->random, FILE_PAGES * WORDS / THREADS_MAX) * THREADS_MAX +
            w->id - 1;
  uint got = 0;

  file_map[at] = ++w->last;
  CHECK(lseek(w->fd, at * sizeof(uint), SEEK_SET) >= 0);
  CHECK(read(w->fd, &got, sizeof(got)) == sizeof(got));
  CHECK(got == w->last);
  got = ++w->last;
  CHECK(lseek(w->fd, at * sizeof(uint), SEEK_SET) >= 0);
  CHECK(write(w->fd, &got, sizeof(got)) == sizeof(got));
  CHECK(file_map[at] == w->last);
}

static void use_heap(struct worker *w) {
  uint n = 1 + rnd(&w->random, 30000);
  uint *p = malloc(n * sizeof(uint));

  CHECK(p != 0);
  fill(p, n, w->id);
  yield();
  CHECK(filled(p, n, w->id));
  free(p);
}

/* In the child: all slots are as they were, whatever the other threads of the
 * parent write; and what is written here is nobody else's. */
static void be_child(void) {
  uint *p;

  for (uint i = 0; i < SLOTS; i++)
    CHECK(filled(slots[i].page, WORDS, slots[i].stamp));
  for (uint i = 0; i < SLOTS; i++)
    fill(slots[i].page, WORDS, ~slots[i].stamp);
  p = map(4);
  CHECK(all_zero(p, 4 * WORDS));
  for (uint i = 0; i < SLOTS; i++)
    CHECK(filled(slots[i].page, WORDS, ~slots[i].stamp));
  for (uint i = 0; i < COMMON * WORDS; i++)
    common[i] = ~0u; /* the parent would notice */
  for (uint i = 0; i < LARGE; i += LARGE_STEP)
    large[i / sizeof(uint)] = ~0u;
  exit(0);
}

static void use_child(struct worker *w) {
  int pid, status = -1;

  (void)w;
  for (uint i = 0; i < SLOTS; i++)
    mutex_lock(&slots[i].lock);
  pid = fork();
  if (pid == 0)
    be_child();
  for (uint i = 0; i < SLOTS; i++)
    mutex_unlock(&slots[i].lock);
  if (pid < 0)
    return; /* too many, or no memory: no harm is done */
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

static int work(void *arg) {
  static void (*const ops[])(struct worker * w) = {
      use_own,      use_slot,   use_slot,         move_slot,
      write_common, throw_away, read_into_common, use_file,
      use_heap,     use_child,  write_large,      split_large};
  struct worker *w = arg;

  for (uint i = 0; i < rounds; i++)
    ops[rnd(&w->random, sizeof(ops) / sizeof(ops[0]))](w);
  return 0;
}

/* --- all together --- */

static void quarrel(void) {
  static struct worker workers[THREADS_MAX];
  struct thread *t[THREADS_MAX];
  int fd = open(FILE_NAME, O_CREATE | O_TRUNC | O_RDWR);

  CHECK(fd >= 0 && ftruncate(fd, FILE_PAGES * PAGE) == 0);
  common = map(COMMON);
  large = map(LARGE / PAGE);
  file_map = mmap(0, FILE_PAGES * PAGE, RW, MAP_SHARED, fd, 0);
  CHECK(file_map != MAP_FAILED);
  for (uint i = 0; i < SLOTS; i++) {
    slots[i].page = map(1);
    fill(slots[i].page, WORDS, slots[i].stamp = i);
  }
  for (uint i = 0; i < nthreads; i++) {
    workers[i] = (struct worker){.id = i + 1, .random = seed * 1000 + i + 1};
    workers[i].fd = open(FILE_NAME, O_RDWR);
    CHECK(workers[i].fd >= 0);
  }
  for (uint i = 0; i < nthreads; i++)
    CHECK((t[i] = thread_create(work, &workers[i])) != 0);
  for (uint i = 0; i < nthreads; i++)
    CHECK(thread_join(t[i]) == 0);
  for (uint i = 0; i < SLOTS; i++)
    CHECK(filled(slots[i].page, WORDS, slots[i].stamp));
  for (uint i = 0; i < nthreads; i++)
    close(workers[i].fd);
  close(fd);
  unlink(FILE_NAME);
}

/* --- what the others must notice at once --- */

static volatile uint *target;
static volatile uint writing;

static int write_for_ever(void *arg) {
  uint n = (uint)(unsigned long)arg;

  for (;;) {
    target[n]++;
    writing = 1;
  }
  return 0;
}

/* Once mprotect() or munmap() has returned nobody writes any more: the next
 * page that is mapped, which is likely to be that very frame, stays 0. The
 * writer is killed for it, and all of us. */
static void take_away(void *arg) {
  uint before, *fresh = map(8);

  target = map(1);
  for (unsigned long n = 0; n < 3; n++)
    CHECK(thread_create(write_for_ever, (void *)n) != 0);
  while (!writing)
    yield();
  if (arg) {
    CHECK(munmap((void *)target, PAGE) == 0);
    for (uint i = 0; i < 8; i++)
      fresh[i * WORDS + 3] = 1; /* now there are frames */
    for (uint k = 0; k < 2000; k++)
      for (uint i = 0; i < 8 * WORDS; i += WORDS)
        CHECK(fresh[i] == 0 && fresh[i + 1] == 0 && fresh[i + 2] == 0);
  } else {
    CHECK(mprotect((void *)target, PAGE, PROT_READ) == 0);
    before = target[0] + target[1] + target[2];
    for (uint k = 0; k < 20000; k++)
      CHECK(target[0] + target[1] + target[2] == before);
  }
  for (;;)
    pause(1);
}

static void must_be_killed(void *arg) {
  int status = 0, pid = fork();

  CHECK(pid >= 0);
  if (pid == 0)
    take_away(arg);
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(status == STATUS_KILLED);
}

/* The same, where nobody is killed: what is thrown away comes back as zeros,
 * while others write there, and the frames become pages of ours. */
static int throw_for_ever(void *arg) {
  for (uint i = 0; i < rounds / 2; i++) {
    uint *p;

    CHECK(madvise((void *)target, PAGE, MADV_DONTNEED) == 0);
    p = map(2);
    p[WORDS - 1] = p[2 * WORDS - 1] = 1;
    for (uint k = 0; k < 50; k++)
      CHECK(all_zero(p, 16) && all_zero(p + WORDS, 16));
    CHECK(munmap(p, 2 * PAGE) == 0);
  }
  (void)arg;
  exit(0);
}

static void reuse(void) {
  int status = -1, pid = fork();

  CHECK(pid >= 0);
  if (pid == 0) {
    target = map(1);
    for (unsigned long n = 0; n < 2; n++)
      CHECK(thread_create(write_for_ever, (void *)n) != 0);
    throw_for_ever(0);
  }
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

/* --- pages that become a superpage again --- */

#define DENSE_WRITERS 2
#define DENSE_PASSES 20
#define DENSE_WORDS (LARGE / 2 / sizeof(uint)) /* a superpage of any machine */

/* Each thread has a word in each page, which holds the number of its last pass. */
static volatile uint *dense;

static void write_dense(uint word, uint from, uint to, uint pass) {
  for (uint i = from + word; i < to; i += WORDS) {
    CHECK(dense[i] == pass - 1);
    dense[i] = pass;
  }
}

struct writer {
  uint word, pass;
};

static int keep_writing(void *arg) {
  struct writer *w = arg;

  for (uint i = 0; i < DENSE_PASSES; i++)
    write_dense(w->word, 0, DENSE_WORDS, ++w->pass);
  return 0;
}

/* Superpages that this process was given so far. */
static uint superpages(void) {
  static struct procinfo p[64];
  int n = procs(p, sizeof(p) / sizeof(p[0]));

  for (int i = 0; i < n; i++)
    if (p[i].pid == getpid())
      return p[i].faults.super;
  failed("this process is not listed");
  return 0;
}

/* While there is a child, who writes gets pages of his own. Then all but a few are
 * ours, and with those the last, so that they move to a superpage while others
 * write to them. What was there before may have left free pages in each stretch of
 * RAM, and our pages take the place of some: a stretch is kept for the superpage
 * meanwhile. */
static void put_together(void) {
  struct writer w[DENSE_WRITERS] = {{.word = 1}, {.word = WORDS - 1}};
  const uint most = DENSE_WORDS - 3 * WORDS;
  struct thread *t[DENSE_WRITERS];
  uint *kept;
  uint before;
  int hold[2];
  char c;

  dense = map(LARGE / PAGE);
  write_dense(0, 0, DENSE_WORDS, 1);
  before = superpages();
  for (uint pass = 2; pass < 5; pass++) {
    CHECK(pipe(hold) == 0);
    if (fork() == 0) {
      close(hold[1]);
      read(hold[0], &c, 1);
      exit(0);
    }
    close(hold[0]);
    kept = map(LARGE / PAGE);
    for (uint i = 0; i < LARGE / sizeof(uint); i += DENSE_WORDS)
      kept[i] = 1;
    write_dense(0, 0, most, pass);
    close(hold[1]);
    CHECK(wait(0) > 0);
    CHECK(munmap(kept, LARGE) == 0);
    for (uint i = 0; i < DENSE_WRITERS; i++)
      CHECK((t[i] = thread_create(keep_writing, &w[i])) != 0);
    write_dense(0, most, DENSE_WORDS, pass);
    for (uint i = 0; i < DENSE_WRITERS; i++)
      CHECK(thread_join(t[i]) == 0);
  }
  CHECK(superpages() > before);
  CHECK(munmap((void *)dense, LARGE) == 0);
}

int main(int argc, char **argv) {
  long long n;
  int option;

  while ((option = getopt(argc, argv, "s:n:t:")) != -1) {
    if (option == '?' || parse_number(optarg, &n) < 0 || n < 1 ||
        (option == 't' && n > THREADS_MAX))
      bad_usage("[-s SEED] [-n ROUNDS] [-t THREADS]");
    if (option == 's')
      seed = n;
    else if (option == 'n')
      rounds = n;
    else
      nthreads = n;
  }
  for (uint i = 0; i < 5; i++) {
    must_be_killed(0);
    must_be_killed((void *)1);
  }
  reuse();
  put_together();
  quarrel();
  printf("vmthreads OK (seed %d)\n", (int)seed);
  return 0;
}
