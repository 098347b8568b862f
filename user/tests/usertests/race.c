/*
 * Several processes in the file system at once. Whatever the order, each
 * operation happens wholly or not at all, and nothing is lost.
 */
#include "usertests.h"

/* Make `n` children run fn(i); all must exit with 0. */
static void in_parallel(int n, void (*fn)(int)) {
  int pid[16];

  CHECK(n <= (int)NELEM(pid));
  for (int i = 0; i < n; i++) {
    pid[i] = fork();
    CHECK(pid[i] >= 0);
    if (pid[i] == 0) {
      fn(i);
      exit(0);
    }
  }
  for (int i = 0; i < n; i++)
    CHECK_EQ(join(pid[i]), 0);
}

static int shared_fd;

static void write_shared(int i) {
  char line[10];

  memset(line, i ? 'p' : 'c', sizeof(line));
  for (int k = 0; k < 200; k++)
    CHECK_EQ(write(shared_fd, line, sizeof(line)), sizeof(line));
}

/* Two processes with one descriptor share its offset: no write is lost. */
static void sharedfd(void) {
  int count[2] = {0, 0}, n;

  shared_fd = open("sharedfd", O_CREATE | O_RDWR);
  CHECK(shared_fd >= 0);
  in_parallel(2, write_shared);
  CHECK_EQ(lseek(shared_fd, 0, SEEK_SET), 0);
  while ((n = read(shared_fd, scratch, SCRATCH_SIZE)) > 0)
    for (int i = 0; i < n; i++)
      count[scratch[i] == 'p']++;
  CHECK_EQ(count[0], 2000);
  CHECK_EQ(count[1], 2000);
  close(shared_fd);
  remove("sharedfd");
}

static void write_own_file(int i) {
  char name[8];

  numbered(name, "f", i);
  make_file(name, 12 * 500, i);
}

/* Four processes write a file each. */
static void fourfiles(void) {
  char name[8];

  in_parallel(4, write_own_file);
  for (int i = 0; i < 4; i++) {
    numbered(name, "f", i);
    check_file(name, 12 * 500, i);
    remove(name);
  }
}

static void create_and_delete(int i) {
  char prefix[3] = {(char)('p' + i), '-', 0};
  char name[DIRSIZ + 1];

  for (int k = 0; k < 20; k++) {
    numbered(name, prefix, k);
    make_file(name, 0, 0);
    if (k % 2 == 0)
      continue;
    numbered(name, prefix, k / 2);
    remove(name);
  }
}

/* Four processes create and remove files in one directory; at the end there
 * are the ones that nobody removed. */
static void createdelete(void) {
  char name[DIRSIZ + 1];
  char prefix[3] = {0, '-', 0};

  in_parallel(4, create_and_delete);
  for (int i = 0; i < 4; i++) {
    prefix[0] = (char)('p' + i);
    for (int k = 0; k < 20; k++) {
      numbered(name, prefix, k);
      CHECK_EQ(exists(name), k >= 10);
      if (k >= 10)
        remove(name);
    }
  }
}

static void link_or_create(int i) {
  char name[4] = {'C', 0, 0, 0};

  for (int k = 0; k < 40; k++) {
    name[1] = (char)('0' + k);
    if (k % 3 == i) {
      link("C", name);
    } else {
      int fd = open(name, O_CREATE | O_RDWR);
      CHECK(fd >= 0);
      close(fd);
    }
  }
}

/* Three processes create and link the same names: each name is there once. */
static void concreate(void) {
  char seen[40] = {0};
  struct dirent e;
  int fd;

  make_file("C", 1, 1);
  in_parallel(3, link_or_create);
  remove("C");
  fd = open(".", O_RDONLY);
  while (read(fd, &e, sizeof(e)) == sizeof(e)) {
    if (e.inum == 0 || e.name[0] != 'C')
      continue;
    int k = e.name[1] - '0';
    CHECK(k >= 0 && k < 40 && e.name[2] == 0);
    CHECK(!seen[k]);
    seen[k] = 1;
  }
  close(fd);
  for (int k = 0; k < 40; k++) {
    char name[4] = {'C', (char)('0' + k), 0, 0};
    CHECK(seen[k]);
    remove(name);
  }
}

static void link_or_unlink(int i) {
  uint64 seed = (uint64)i * 2654435761u + 97;

  for (int k = 0; k < 100; k++) {
    switch (random_next(&seed) % 3) {
      case 0: {
        int fd = open("x", O_RDWR | O_CREATE);
        if (fd >= 0)
          close(fd);
        break;
      }
      case 1:
        link("/cat", "x");
        break;
      default:
        unlink("x");
    }
  }
}

/* One name is created, linked and removed by all at once. */
static void linkunlink(void) {
  int links = links_of("/cat");

  in_parallel(3, link_or_unlink);
  unlink("x");
  CHECK_EQ(links_of("/cat"), links);
}

static void mkdir_and_rmdir(int i) {
  (void)i;
  for (int k = 0; k < 50; k++) {
    mkdir("d");
    int fd = open("d/file", O_CREATE | O_RDWR);
    if (fd >= 0)
      close(fd);
    unlink("d/file");
    unlink("d");
  }
}

/* A directory comes and goes while others work in it. */
static void dirrace(void) {
  in_parallel(3, mkdir_and_rmdir);
  unlink("d/file");
  unlink("d");
  CHECK(!exists("d"));
}

static void rename_around(int i) {
  static const char *name[] = {"r0", "r1", "r2", "r3"};
  uint64 seed = (uint64)i + 5;

  for (int k = 0; k < 100; k++)
    rename(name[random_next(&seed) % 4], name[random_next(&seed) % 4]);
}

/* Renames among four names by several processes: one file at least is left,
 * and each that is left is whole. */
static void renamerace(void) {
  char name[4];
  int left = 0;

  for (int i = 0; i < 4; i++) {
    numbered(name, "r", i);
    make_file(name, 2000, 1);
  }
  in_parallel(3, rename_around);
  for (int i = 0; i < 4; i++) {
    numbered(name, "r", i);
    if (!exists(name))
      continue;
    check_file(name, 2000, 1);
    remove(name);
    left++;
  }
  CHECK(left >= 1);
}

static void move_directories(int i) {
  for (int k = 0; k < 100; k++) {
    rename(i ? "a/x" : "b/x", i ? "b/x" : "a/x");
    rename(i ? "a" : "b", i ? "b/a" : "a/b"); /* must never make a loop */
    rename("b/a", "a");
    rename("a/b", "b");
  }
}

/* Directories moved into each other by two processes never end up in a
 * circle that nothing reaches. */
static void dirloop(void) {
  make_dir("a");
  make_dir("b");
  make_dir("a/x");
  in_parallel(2, move_directories);
  rename("b/a", "a");
  rename("a/b", "b");
  unlink("a/x");
  unlink("b/x");
  remove("a");
  remove("b");
}

static void write_many(int i) {
  char name[3] = {'b', (char)('a' + i), 0};
  int rounds = quick ? 3 : 15;

  unlink(name);
  for (int k = 0; k < rounds; k++) {
    int fd = open(name, O_CREATE | O_RDWR);
    CHECK(fd >= 0);
    for (int j = 0; j <= i; j++)
      CHECK_EQ(write(fd, scratch, SCRATCH_SIZE), SCRATCH_SIZE);
    close(fd);
    unlink(name);
  }
}

/* Parallel writes that together are more than the log holds. */
static void manywrites(void) { in_parallel(4, write_many); }

static void read_all(int i) {
  for (int k = 0; k < 10; k++)
    check_file("common", 50000, 9);
  (void)i;
}

/* Several readers of one file. */
static void sharedread(void) {
  make_file("common", 50000, 9);
  in_parallel(4, read_all);
  remove("common");
}

static void fork_with_open_dir(int i) {
  (void)i;
  for (int k = 0; k < 10; k++) {
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      chdir("d");
      exit(0);
    }
    unlink("d");
    mkdir("d");
    CHECK_EQ(join(pid), 0);
  }
}

/* Exit gives up a current directory that somebody else removes. */
static void exitiputtest(void) {
  mkdir("d");
  in_parallel(3, fork_with_open_dir);
  unlink("d");
}

static void rename_from_removed(void *arg) {
  (void)arg;
  if (chdir("q/b") < 0)
    return;
  unlink("../../q/b");
  unlink("/usertests.d/q");
  for (int i = 0; i < 50; i++)
    rename("/usertests.d/r", "x");
}

static void sit_in_removed(void *arg) {
  chdir("q");
  for (long i = 0; i < (long)arg; i++)
    yield();
}

static void keep_log_busy(void *arg) {
  (void)arg;
  while (getppid() != 1) { /* if the parent should fail */
    make_file("/usertests.d/w", 2000, 1);
    unlink("/usertests.d/w");
  }
}

/* The last to leave a removed directory frees it, whatever others do just then
 * inside an operation of the log. */
static void removedraces(void) {
  int writer = spawn(keep_log_busy, 0);

  make_dir("r");
  for (long i = 0; i < repeats(quick ? 20 : 200, 3); i++) {
    int sitter, renamer;

    mkdir("q");
    mkdir("q/b");
    sitter = spawn(sit_in_removed, (void *)(i % 50));
    renamer = spawn(rename_from_removed, 0);
    join(sitter);
    join(renamer);
    unlink("q/b");
    unlink("q");
  }
  kill(writer);
  join(writer);
  unlink("w");
  unlink("r");
  unlink("q/x");
}

const struct test race_tests[] = {
    TEST(sharedfd),   TEST(fourfiles),  TEST(createdelete), TEST(concreate),
    TEST(linkunlink), TEST(dirrace),    TEST(renamerace),   TEST(dirloop),
    TEST(manywrites), TEST(sharedread), TEST(exitiputtest), TEST(removedraces),
    TESTS_END};
