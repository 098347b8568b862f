/*
 * When something runs out: memory, processes, blocks, inodes. The call that
 * meets the end fails, what it had taken goes back, and the system goes on.
 */
#include "usertests.h"

/* Where there is much memory, other processes hold most of it, taken in large
 * steps, while a test uses up the rest. Each takes what its address space has
 * room for. */
#define ROOM_PAGES (200 << 8) /* 200 MB, for the test */
#define BALLAST_STEP (8 << 20)
#define BALLAST_MAX 16

struct ballast {
  int pid[BALLAST_MAX];
  int n;
};

static void ballast_hold(void *arg) {
  struct gate *g = arg;
  char *a;

  while (available_pages() > ROOM_PAGES &&
         (a = sbrk(BALLAST_STEP)) != (char *)-1)
    for (int i = 0; i < BALLAST_STEP; i += PGSIZE)
      a[i] = 1;
  gate_open(g);
  while (getppid() != 1) /* if the test should fail */
    pause(10);
}

static void ballast_take(struct ballast *b) {
  struct gate held;

  gate_init(&held);
  for (b->n = 0; available_pages() > ROOM_PAGES; b->n++) {
    CHECK(b->n < BALLAST_MAX);
    b->pid[b->n] = spawn(ballast_hold, &held);
    gate_pass(&held);
  }
  gate_close(&held);
}

static void ballast_drop(struct ballast *b) {
  while (b->n-- > 0) {
    CHECK_EQ(kill(b->pid[b->n]), 0);
    CHECK_EQ(join(b->pid[b->n]), STATUS_KILLED);
  }
}

/* Take all memory in steps of `step` bytes; pages are touched. */
static void eat_memory(int step) {
  char *a;

  while (step >= PGSIZE) {
    a = sbrk(step);
    if (a == (char *)-1)
      step /= 2;
    else
      for (int i = 0; i < step; i += PGSIZE)
        a[i] = 1;
  }
}

static void malloc_all(void *arg) {
  void *list = 0, *p;

  (void)arg;
  while ((p = malloc(10001)) != 0) {
    *(void **)p = list;
    list = p;
  }
  CHECK(list != 0);
  while (list) {
    p = *(void **)list;
    free(list);
    list = p;
  }
  p = malloc(1024 * 20);
  CHECK(p != 0);
  free(p);
}

/* malloc until there is no more; after free() there is again. */
static void mem(void) {
  struct ballast b;

  ballast_take(&b);
  CHECK_EQ(run_child(malloc_all, 0), 0);
  ballast_drop(&b);
}

static void eat_and_wait(void *arg) {
  struct gate *g = arg;

  eat_memory(10 << 20);
  gate_open(g);
  while (getppid() != 1) /* if the parent should fail */
    pause(10);
}

/* Several processes take all memory, one after the other, and are killed: all of
 * it comes back. */
static void sbrkfail(void) {
  struct ballast b;
  struct gate full;
  int pid[4];

  ballast_take(&b);
  gate_init(&full);
  for (uint i = 0; i < NELEM(pid); i++) {
    pid[i] = spawn(eat_and_wait, &full);
    gate_pass(&full);
  }
  CHECK(sbrk(100 << 20) == (char *)-1);
  for (uint i = 0; i < NELEM(pid); i++)
    CHECK_EQ(kill(pid[i]), 0);
  for (uint i = 0; i < NELEM(pid); i++)
    CHECK_EQ(join(pid[i]), STATUS_KILLED);
  CHECK(sbrk(PGSIZE) != (char *)-1);
  gate_close(&full);
  ballast_drop(&b);
}

/* A process that holds all memory and gives back a few pages when told. */
struct eater {
  struct gate ask, done;
  int pid;
};

static void eat_and_obey(void *arg) {
  struct eater *e = arg;

  close(e->ask.fd[1]); /* so that the parent's end, should it come, is seen */
  eat_memory(8 << 20);
  for (;;) {
    gate_open(&e->done);
    gate_pass(&e->ask);
    sbrk(-PGSIZE);
  }
}

static void eater_start(struct eater *e) {
  gate_init(&e->ask);
  gate_init(&e->done);
  e->pid = spawn(eat_and_obey, e);
  gate_pass(&e->done);
}

static void eater_give_page(struct eater *e) {
  gate_open(&e->ask);
  gate_pass(&e->done);
}

static void eater_stop(struct eater *e) {
  CHECK_EQ(kill(e->pid), 0);
  CHECK_EQ(join(e->pid), STATUS_KILLED);
  gate_close(&e->ask);
  gate_close(&e->done);
}

/* Do fn() with no memory at all, then with one page, two, ... until it says
 * that it came through. Whatever it lacked on the way must be an error. */
static void with_few_pages(int (*fn)(void)) {
  struct ballast b;
  struct eater e;
  int pages = 0;

  ballast_take(&b);
  eater_start(&e);
  while (!fn()) {
    CHECK(++pages < 1000);
    eater_give_page(&e);
  }
  eater_stop(&e);
  ballast_drop(&b);
}

static int try_fork(void) {
  int pid = fork();

  if (pid == 0)
    exit(9);
  if (pid > 0)
    CHECK_EQ(join(pid), 9);
  return pid > 0;
}

/* fork at the edge of memory. */
static void forkout(void) { with_few_pages(try_fork); }

static int try_exec(void) {
  char *argv[] = {"/echo", 0};
  int status, pid = fork();

  if (pid < 0)
    return 0;
  if (pid == 0) {
    close(1);
    exec("/echo", argv);
    exit(9);
  }
  status = join(pid);
  CHECK(status == 0 || status == 9 || status == 1);
  return status != 9;
}

/* exec at the edge of memory. */
static void execout(void) { with_few_pages(try_exec); }

static int try_pipes(void) {
  int fd[10][2];
  int n = 0;

  while (n < 10 && pipe(fd[n]) == 0)
    n++;
  for (int i = 0; i < n; i++) {
    CHECK_EQ(write(fd[i][1], "x", 1), 1);
    CHECK_EQ(read(fd[i][0], scratch, 1), 1);
    close(fd[i][0]);
    close(fd[i][1]);
  }
  return n == 10;
}

/* Pipes at the edge of memory. */
static void pipeout(void) { with_few_pages(try_pipes); }

/* Removing may lack memory, too: then the next try begins with it. */
static int try_files(void) {
  int fd, n = -1;

  unlink("d/f");
  unlink("d");
  if (mkdir("d") < 0)
    return 0;
  fd = open("d/f", O_CREATE | O_RDWR);
  if (fd >= 0)
    n = write(fd, scratch, SCRATCH_SIZE);
  if (fd >= 0)
    close(fd);
  return n == SCRATCH_SIZE && unlink("d/f") == 0 && unlink("d") == 0;
}

/* Files at the edge of memory. */
static void fileout(void) { with_few_pages(try_files); }

static int try_inspect(void) {
  static struct procinfo p[10];
  static struct ptentry e[10];

  return procs(p, 10) > 0 && ptdump(getpid(), 0, e, 10) > 0 &&
         getcwd(scratch, SCRATCH_SIZE) >= 0;
}

/* Looking at the system at the edge of memory. */
static void inspectout(void) { with_few_pages(try_inspect); }

/* As many processes as there can be, and an error for the next. */
static void forktest(void) {
  const int max = 2000;
  int n = 0, pid;
  struct gate hold;

  gate_init(&hold);
  while (n < max && (pid = fork()) >= 0) {
    if (pid == 0) {
      char c;
      close(hold.fd[1]);
      read(hold.fd[0], &c, 1); /* until the parent closes it */
      exit(0);
    }
    n++;
  }
  CHECK(lasterr() == EAGAIN || lasterr() == ENOMEM);
  CHECK(n > 40 && n < max);
  gate_close(&hold);
  while (n-- > 0)
    CHECK(wait(0) > 0);
  CHECK_FAILS(wait(0), ECHILD);
}

/* Write files until the disk is full, which is an error. How many. */
static int fill_disk(void) {
  char name[DIRSIZ + 1];
  int files = 0, fd, n = 0;

  for (int full = 0; !full && files < 2000; files++) {
    numbered(name, "big", files);
    fd = open(name, O_CREATE | O_RDWR | O_TRUNC);
    if (fd < 0)
      break;
    for (uint i = 0; i < MAXFILE * BSIZE && !full; i += n) {
      uint part = MAXFILE * BSIZE - i;
      part = part < SCRATCH_SIZE ? part : SCRATCH_SIZE;
      fill(scratch, part, files, i);
      n = write(fd, scratch, part);
      full = n != (int)part;
      if (n < 0)
        CHECK_EQ(lasterr(), ENOSPC);
    }
    close(fd);
  }
  return files;
}

static void empty_disk(int files) {
  char name[DIRSIZ + 1];

  while (files-- > 0) {
    numbered(name, "big", files);
    unlink(name);
  }
}

/* What was written until the disk was full is right, and after removing it the
 * space is there again. */
static void diskfull(void) {
  int files = fill_disk();

  CHECK_EQ(mkdir("newdir") == 0 && unlink("newdir") == 0 && files == 2000, 0);
  check_file("big0", MAXFILE * BSIZE, 0);
  empty_disk(files);
  make_file("again", 100000, 1);
  check_file("again", 100000, 1);
  remove("again");
}

/* A page of "f", three bytes long, that can be written and is dirty. The file
 * then grows over the rest of it. */
static char *map_and_grow(void) {
  int fd = open("f", O_RDWR), cut = ftruncate(fd, 3);
  char *p = mmap(0, PGSIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  CHECK(cut == 0 && p != MAP_FAILED);
  p[0] = 'A';
  CHECK_EQ(ftruncate(fd, PGSIZE), 0);
  CHECK_EQ(close(fd), 0);
  return p;
}

static void store_into_hole(void *unused) {
  (void)unused;
  map_and_grow()[2000] = 'Z';
}

/* Where the disk has no room for it, nothing can be stored through a mapping, so
 * that msync and sync, which say that all is well, need not lose it. */
static void mapfull(void) {
  int files, from;
  char *p;

  make_file("f", 3, 1);
  make_file("from", 10, 2);
  files = fill_disk();
  expect_killed(store_into_hole, 0);
  p = map_and_grow();
  from = open("from", O_RDONLY);
  CHECK_FAILS(read(from, p + 2000, 10), EFAULT);
  CHECK_EQ(p[0], 'A');
  CHECK_EQ(p[2000], 0);
  CHECK_EQ(msync(p, PGSIZE, MS_SYNC), 0);
  CHECK_EQ(sync(), 0);
  empty_disk(files);
  CHECK_EQ(read(from, p + 2000, 10), 10);
  p[3000] = 'Y';
  CHECK_EQ(msync(p, PGSIZE, MS_SYNC), 0);
  CHECK(filled(p + 2000, 10, 2, 0));
  CHECK_EQ(munmap(p, PGSIZE), 0);
  close(from);
  remove("f");
  remove("from");
}

/* Create files until there are no inodes; the error undoes all, and they come
 * back. A hundred files a directory, so that it stays fast. */
static void outofinodes(void) {
  const int per_dir = 100, max = 30000;
  char path[2 * DIRSIZ + 2];
  int n, fd = 0, err = 0;

  for (n = 0; n < max && fd >= 0; n++) {
    numbered(path, "d", n / per_dir);
    if (n % per_dir == 0 && mkdir(path) < 0)
      break;
    numbered(path + strlen(path), "/f", n % per_dir);
    fd = open(path, O_CREATE | O_RDWR);
    err = lasterr();
    if (fd >= 0)
      close(fd);
  }
  if (fd < 0)
    CHECK_EQ(err, ENOSPC);
  CHECK(n < max);
  for (; n >= 0; n--) {
    numbered(path, "d", n / per_dir);
    numbered(path + strlen(path), "/f", n % per_dir);
    unlink(path);
    numbered(path, "d", n / per_dir);
    if (n % per_dir == 0)
      unlink(path);
  }
  make_file("one", 1, 1);
  remove("one");
}

static void fork_pipe_open(void *arg) {
  int fd[2];

  (void)arg;
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(pipe(fd), 0);
    make_file("f", 3000, i);
    int other = open("f", O_RDWR);
    dup(other);
    chdir("/");
    chdir("/usertests.d");
  }
  remove("f"); /* everything else is left to exit */
}

/* What exit closes and frees is really free: thousands of objects later no
 * more small memory is in use than before. */
static void leaks(void) {
  struct meminfo before, after;

  CHECK_EQ(run_child(fork_pipe_open, 0), 0);
  CHECK_EQ(meminfo(&before), 0);
  for (int i = 0; i < (quick ? 10 : 60); i++)
    CHECK_EQ(run_child(fork_pipe_open, 0), 0);
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(meminfo(&after), 0);
    if (after.slab <= before.slab + 8)
      return;
    pause(1);
  }
  CHECK_EQ(after.slab, before.slab);
}

const struct test full_tests[] = {TEST(leaks),
                                  SLOW_TEST(mem),
                                  SLOW_TEST(sbrkfail),
                                  SLOW_TEST(forkout),
                                  SLOW_TEST(execout),
                                  SLOW_TEST(pipeout),
                                  SLOW_TEST(fileout),
                                  SLOW_TEST(inspectout),
                                  SLOW_TEST(forktest),
                                  SLOW_TEST(diskfull),
                                  SLOW_TEST(mapfull),
                                  SLOW_TEST(outofinodes),
                                  TESTS_END};
