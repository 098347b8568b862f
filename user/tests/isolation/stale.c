/*
 * Translations that a processor remembers. A process, the victim, has threads
 * that load or store all the time in pages of its own, each thread on whatever
 * processor it gets. Its first thread takes these pages away, in one of the
 * ways below, while another process, the taker, gets and gives back
 * pages as fast as it can and fills them with a secret.
 *
 *   victim   threads: load ...... load | fault, or other memory
 *            first:   ....... munmap --+-- fills new pages with the secret
 *   taker    map, is it zero? fill with the secret, is it still there? unmap
 *
 * No thread of the victim may ever load the secret at the old address, and the
 * taker may find nothing in its pages but zeros, and then its secret. With one
 * processor this shows little.
 *
 * usertests' tlb_* show what is not repeated here: stores that go on after
 * mprotect(), and a child's copy that its parent goes on writing.
 */
#include "isolation.h"
#include "user/thread.h"

#define THREADS 2
#define PAGES \
  200 /* more than a processor's list of free pages holds (kalloc.c) */
#define FILE_PAGES 60 /* of a file, which may have 268 KiB */
#define TAKEN 64      /* pages that the taker gets at a time */
#define PASSES 5      /* through filled pages, to see whether they stay so */
#define ROUNDS 1      /* of each way, loading and storing */
#define AFTER 4       /* rounds of the taker after the victim's end */
#define WORDS (PAGE / sizeof(uint))
#define WORD 5 /* of a page: the one that threads use */
#define MARK 0x600d0000u
#define FILE_NAME "isolation.stale"

/* What all see. */
static struct common {
  uint stop;        /* [a] the taker's work is done */
  uint started;     /* [a] bit for each thread that was in all pages */
  uint leaked;      /* [a] what was loaded and must not be */
  uint overwritten; /* [a] what the taker found in its pages */
  uint old;         /* [a] what it found in new ones */
  uint rounds;      /* [a] that the taker did */
} * common;

static volatile uint *target;
static uint pages; /* there */
static int file_fd;

static void set(uint *word, uint value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static uint get(uint *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

/* --- the taker --- */

static int take(void *unused) {
  (void)unused;
  while (!get(&common->stop)) {
    uint *p = map(TAKEN, ANON);

    for (uint i = 0; i < TAKEN * WORDS; i += WORDS) {
      if (p[i + WORD] != 0)
        set(&common->old, p[i + WORD]);
      p[i + WORD] = PATTERN;
    }
    for (uint i = 0; i < TAKEN * WORDS; i += WORDS)
      if (*(volatile uint *)(p + i + WORD) != PATTERN)
        set(&common->overwritten, p[i + WORD]);
    CHECK(munmap(p, TAKEN * PAGE) == 0);
    __atomic_fetch_add(&common->rounds, 1, __ATOMIC_SEQ_CST);
  }
  return 0;
}

/* --- the victim --- */

static int load_for_ever(void *arg) {
  uint self_bit = 1u << (addr)arg;

  for (;;) {
    for (uint i = WORD; i < pages * WORDS; i += WORDS) {
      uint seen = target[i];

      if (seen != 0 && seen != MARK)
        set(&common->leaked, seen);
    }
    __atomic_fetch_or(&common->started, self_bit, __ATOMIC_SEQ_CST);
  }
  return 0;
}

static int store_for_ever(void *arg) {
  uint self_bit = 1u << (addr)arg;

  for (;;) {
    for (uint i = WORD; i < pages * WORDS; i += WORDS)
      target[i] = MARK;
    __atomic_fetch_or(&common->started, self_bit, __ATOMIC_SEQ_CST);
  }
  return 0;
}

/* The pages are likely to be those that were just given up. */
static void fill_fresh(volatile uint *fresh) {
  for (uint i = WORD; i < PAGES * WORDS; i += WORDS) {
    if (fresh[i] != 0)
      set(&common->old, fresh[i]);
    fresh[i] = PATTERN;
  }
  for (uint k = 0; k < PASSES; k++)
    for (uint i = WORD; i < PAGES * WORDS; i += WORDS)
      if (fresh[i] != PATTERN)
        set(&common->overwritten, fresh[i]);
}

/* --- ways to take the pages away; the victim's threads die of some --- */

static void way_unmap(void) {
  CHECK(munmap((void *)target, pages * PAGE) == 0);
}

static void way_throw_away(void) {
  CHECK(madvise((void *)target, pages * PAGE, MADV_DONTNEED) == 0);
}

static void way_replace(void) {
  CHECK(mmap((void *)target, pages * PAGE, RW, ANON | MAP_FIXED, -1, 0) ==
        target);
}

static void way_shrink(void) { CHECK(sbrk(-(int)pages * PAGE) != SBRK_ERROR); }

static void way_truncate(void) { CHECK(ftruncate(file_fd, 0) == 0); }

static void way_exec(void) {
  char *argv[] = {"true", 0};

  exec("/true", argv);
  CHECK(0);
}

static void way_exit(void) { exit(0); }

/* The child writes its secret where its parent goes on. */
static void way_fork(void) {
  int pid = fork();

  CHECK(pid >= 0);
  if (pid == 0) {
    for (uint i = WORD; i < pages * WORDS; i += WORDS) {
      CHECK(target[i] == MARK || target[i] == 0);
      target[i] = PATTERN;
    }
    for (uint k = 0; k < PASSES; k++)
      for (uint i = WORD; i < pages * WORDS; i += WORDS)
        CHECK(target[i] == PATTERN);
    exit(0);
  }
  CHECK(join(pid) == 0);
}

enum memory { MAPPED, HEAP, OF_FILE };

static const struct way {
  const char *name;
  void (*take_away)(void);
  enum memory memory;
  int ends; /* status of the victim: killed, or 0 */
} ways[] = {
    {"munmap", way_unmap, MAPPED, STATUS_KILLED},
    {"madvise", way_throw_away, MAPPED, 0},
    {"mmap over it", way_replace, MAPPED, 0},
    {"sbrk", way_shrink, HEAP, STATUS_KILLED},
    {"ftruncate", way_truncate, OF_FILE, STATUS_KILLED},
    {"exec", way_exec, MAPPED, 0},
    {"exit", way_exit, MAPPED, 0},
    {"fork", way_fork, MAPPED, 0},
};

static void make_target(enum memory memory) {
  pages = memory == OF_FILE ? FILE_PAGES : PAGES;
  if (memory == HEAP) {
    sbrk((int)(-(addr)sbrk(0) % PAGE));
    target = (uint *)sbrk(pages * PAGE);
    CHECK((char *)target != SBRK_ERROR);
  } else if (memory == OF_FILE) {
    file_fd = open(FILE_NAME, O_CREATE | O_TRUNC | O_RDWR);
    CHECK(file_fd >= 0 && ftruncate(file_fd, pages * PAGE) == 0);
    target = mmap(0, pages * PAGE, RW, MAP_SHARED, file_fd, 0);
    CHECK(target != MAP_FAILED);
  } else {
    target = map(pages, ANON);
  }
  for (uint i = WORD; i < pages * WORDS; i += WORDS)
    target[i] = MARK;
}

struct trial {
  const struct way *way;
  int (*thread)(void *);
};

static int be_victim(void *arg) {
  const struct trial *t = arg;
  uint *fresh = map(PAGES, ANON);

  make_target(t->way->memory);
  for (addr i = 0; i < THREADS; i++)
    CHECK(thread_create(t->thread, (void *)i) != 0);
  while (get(&common->started) != (1u << THREADS) - 1)
    yield();
  t->way->take_away();
  if (t->way->ends == 0) {
    fill_fresh(fresh);
    exit(0);
  }
  fill_fresh(fresh); /* until the threads' end is ours */
  for (;;)
    pause(1);
}

static void check_trial(const struct trial *t) {
  int taker, status;
  uint rounds;

  memset(common, 0, sizeof(*common));
  taker = spawn(take, 0);
  while (get(&common->rounds) == 0)
    yield();
  status = join(spawn(be_victim, (void *)t));
  rounds = get(&common->rounds);
  while (get(&common->rounds) < rounds + AFTER)
    yield();
  set(&common->stop, 1);
  trying(t->way->name, t->thread == store_for_ever);
  CHECK(join(taker) == 0);
  CHECK(status == t->way->ends);
  CHECK(common->leaked == 0);
  CHECK(common->overwritten == 0);
  CHECK(common->old == 0);
}

void stale_memory(void) {
  common = map(1, SHARED);
  for (uint i = 0; i < NELEM(ways); i++)
    for (uint n = 0; n < ROUNDS; n++) {
      check_trial(&(struct trial){&ways[i], load_for_ever});
      check_trial(&(struct trial){&ways[i], store_for_ever});
    }
  unlink(FILE_NAME);
}
