/*
 * Directories, links and names, one process at a time.
 */
#include "usertests.h"

/* Make, enter, leave and remove a directory. */
static void dirtest(void) {
  make_dir("dir0");
  CHECK_EQ(chdir("dir0"), 0);
  CHECK_EQ(chdir(".."), 0);
  remove("dir0");
  CHECK_FAILS(chdir("dir0"), ENOENT);
  CHECK_FAILS(chdir("/echo"), ENOTDIR);
  CHECK_FAILS(mkdir("no/such"), ENOENT);
}

/* Paths through subdirectories, by every route; removals in wrong order. */
static void subdir(void) {
  make_dir("dd");
  make_file("dd/ff", 2, 1);
  CHECK_FAILS(unlink("dd"), ENOTEMPTY);
  make_dir("dd/dd");
  make_file("dd/dd/ff", 2, 2);
  check_file("dd/dd/../ff", 2, 1);
  CHECK_EQ(link("dd/dd/ff", "dd/dd/ffff"), 0);
  remove("dd/dd/ff");
  CHECK_FAILS(open("dd/dd/ff", O_RDONLY), ENOENT);
  CHECK_EQ(chdir("dd"), 0);
  CHECK_EQ(chdir("dd/../../dd"), 0);
  CHECK_EQ(chdir("./.."), 0);
  check_file("./dd//dd///ffff", 2, 2);
  CHECK_FAILS(open("dd/ff/ff", O_CREATE), ENOTDIR);
  CHECK_FAILS(open("dd/xx/ff", O_CREATE), ENOENT);
  CHECK_EQ(open("dd", O_CREATE | O_RDWR), -1);
  CHECK_EQ(open("dd", O_RDWR), -1);
  CHECK_EQ(open("dd", O_WRONLY), -1);
  CHECK_EQ(link("dd/ff/ff", "dd/dd/xx"), -1);
  CHECK_EQ(link("dd/xx/ff", "dd/dd/xx"), -1);
  CHECK_FAILS(link("dd/ff", "dd/dd/ffff"), EEXIST);
  CHECK_EQ(mkdir("dd/ff/ff"), -1);
  CHECK_EQ(mkdir("dd/xx/ff"), -1);
  CHECK_FAILS(mkdir("dd/dd/ffff"), EEXIST);
  CHECK_EQ(unlink("dd/xx/ff"), -1);
  CHECK_EQ(unlink("dd/ff/ff"), -1);
  CHECK_EQ(chdir("dd/ff"), -1);
  remove("dd/dd/ffff");
  remove("dd/ff");
  CHECK_FAILS(unlink("dd"), ENOTEMPTY);
  remove("dd/dd");
  remove("dd");
}

/* Neither . nor .. can be removed, nor a directory that is in use below. */
static void rmdot(void) {
  make_dir("dots");
  CHECK_EQ(chdir("dots"), 0);
  CHECK_EQ(unlink("."), -1);
  CHECK_EQ(unlink(".."), -1);
  CHECK_EQ(chdir(".."), 0);
  CHECK_EQ(unlink("dots/."), -1);
  CHECK_EQ(unlink("dots/.."), -1);
  CHECK_EQ(unlink("/"), -1);
  CHECK_EQ(unlink("/.."), -1);
  remove("dots");
}

/* A file is not a directory. */
static void dirfile(void) {
  make_file("file", 0, 0);
  CHECK_FAILS(chdir("file"), ENOTDIR);
  CHECK_FAILS(open("file/xx", O_RDONLY), ENOTDIR);
  CHECK_FAILS(open("file/xx", O_CREATE), ENOTDIR);
  CHECK_FAILS(mkdir("file/xx"), ENOTDIR);
  CHECK_FAILS(unlink("file/xx"), ENOTDIR);
  CHECK_FAILS(link("/echo", "file/xx"), ENOTDIR);
  remove("file");
  int fd = open(".", O_RDONLY);
  CHECK(fd >= 0);
  CHECK_FAILS(write(fd, "x", 1), EBADF);
  close(fd);
}

/* link gives a second name; the file goes with the last. */
static void linktest(void) {
  make_file("lf1", 5, 1);
  CHECK_EQ(link("lf1", "lf2"), 0);
  CHECK_EQ(links_of("lf2"), 2);
  CHECK_EQ(inode_of("lf1"), inode_of("lf2"));
  remove("lf1");
  CHECK(!exists("lf1"));
  check_file("lf2", 5, 1);
  CHECK_FAILS(link("lf2", "lf2"), EEXIST);
  remove("lf2");
  CHECK_FAILS(link("lf2", "lf1"), ENOENT);
  CHECK_EQ(link(".", "lf1"), -1);
}

/* Link counts of directories count their subdirectories. */
static void dirlinks(void) {
  make_dir("d");
  int before = links_of("d");
  make_dir("d/a");
  make_dir("d/b");
  CHECK_EQ(links_of("d"), before + 2);
  remove("d/a");
  CHECK_EQ(links_of("d"), before + 1);
  remove("d/b");
  remove("d");
}

/* A directory large enough to need its indirect block; with -q a second block. */
static void bigdir(void) {
  const int n = repeats(quick ? 100 : 1000, BSIZE / sizeof(struct dirent) + 1);
  char name[DIRSIZ + 1];

  make_file("bd", 0, 0);
  for (int i = 0; i < n; i++) {
    numbered(name, "x", i);
    CHECK_EQ(link("bd", name), 0);
  }
  remove("bd");
  for (int i = n - 1; i >= 0; i--) {
    numbered(name, "x", i);
    CHECK_EQ(links_of(name), i + 1);
    remove(name);
  }
}

/* An empty path is the current directory; nothing can be made at it. */
static void emptypath(void) {
  struct stat here, empty;
  int fd;

  make_dir("ed");
  CHECK_EQ(chdir("ed"), 0);
  CHECK_EQ(stat(".", &here), 0);
  fd = open("", O_RDONLY);
  CHECK(fd >= 0);
  CHECK_EQ(fstat(fd, &empty), 0);
  close(fd);
  CHECK_EQ(empty.type, T_DIR);
  CHECK_EQ(empty.ino, here.ino);
  CHECK_EQ(open("", O_RDWR), -1);
  CHECK_EQ(unlink(""), -1);
  CHECK_EQ(link("", "x"), -1);
  CHECK_EQ(chdir(""), 0);
  CHECK_EQ(chdir(".."), 0);
  remove("ed");
}

/* Names that come to nothing must not leak references to inodes. */
static void iref(void) {
  for (int i = 0; i < 60; i++) {
    make_dir("irefd");
    CHECK_EQ(chdir("irefd"), 0);
    CHECK_EQ(mkdir(""), -1);
    CHECK_EQ(link("/echo", ""), -1);
    CHECK_EQ(open("", O_CREATE), -1);
    int fd = open("xx", O_CREATE);
    if (fd >= 0)
      close(fd);
    unlink("xx");
    CHECK_EQ(chdir(".."), 0);
    remove("irefd");
  }
}

static void remove_own_directory(void *arg) {
  (void)arg;
  make_dir("iputdir");
  CHECK_EQ(chdir("iputdir"), 0);
  remove("../iputdir");
  CHECK_EQ(open("x", O_CREATE | O_RDWR), -1);
  CHECK_EQ(mkdir("x"), -1);
  CHECK_EQ(open("..", O_RDONLY) >= 0 && exists("../iputdir"), 0);
}

/* The current directory may be removed; leaving it or exit frees it. */
static void iputtest(void) {
  CHECK_EQ(run_child(remove_own_directory, 0), 0);
  make_dir("iputdir");
  CHECK_EQ(chdir("iputdir"), 0);
  remove("../iputdir");
  CHECK_EQ(chdir("/"), 0);
}

static void keep_open(void *arg) {
  (void)arg;
  for (int i = 0; i < 20; i++) {
    int fd = open("oidir", O_RDWR);
    CHECK_EQ(fd, -1);
    yield();
  }
}

/* Opening a directory for writing fails while it comes and goes. */
static void openiput(void) {
  make_dir("oidir");
  int pid = spawn(keep_open, 0);
  remove("oidir");
  CHECK_EQ(join(pid), 0);
}

static int listed(const char *dir, const char *name) {
  struct dirent e;
  int found = 0;
  int fd = open(dir, O_RDONLY);

  CHECK(fd >= 0);
  while (read(fd, &e, sizeof(e)) == sizeof(e))
    if (e.inum && !strcmp(e.name, name))
      found++;
  close(fd);
  return found;
}

/* rename moves, replaces, and refuses what would break the tree. */
static void renames(void) {
  make_file("a", 10, 1);
  CHECK_EQ(rename("a", "b"), 0);
  CHECK(!exists("a"));
  check_file("b", 10, 1);
  make_file("c", 20, 2);
  CHECK_EQ(rename("b", "c"), 0);
  CHECK_EQ(listed(".", "c"), 1);
  check_file("c", 10, 1);
  CHECK_EQ(rename("c", "c"), 0);
  check_file("c", 10, 1);
  CHECK_FAILS(rename("b", "d"), ENOENT);
  CHECK_FAILS(rename("c", "no/d"), ENOENT);
  CHECK_FAILS(rename("c", "c/d"), ENOTDIR);
  CHECK_EQ(rename(".", "d"), -1);
  CHECK_EQ(rename("..", "d"), -1);
  CHECK_EQ(rename("c", ""), -1);
  remove("c");
}

/* The same for directories: "..", link counts, loops. */
static void renamedir(void) {
  make_dir("p");
  make_dir("q");
  make_dir("p/sub");
  int p_links = links_of("p"), q_links = links_of("q");
  CHECK_EQ(rename("p/sub", "q/moved"), 0);
  CHECK_EQ(inode_of("q/moved/.."), inode_of("q"));
  CHECK_EQ(links_of("p"), p_links - 1);
  CHECK_EQ(links_of("q"), q_links + 1);
  CHECK_FAILS(rename("q", "q/moved/x"), EINVAL);
  CHECK_EQ(rename("q", "q"), 0);
  make_file("f", 1, 1);
  CHECK_EQ(rename("f", "p"), -1);
  CHECK_EQ(rename("p", "f"), -1);
  CHECK_EQ(rename("p", "q"), -1); /* q is not empty */
  remove("f");
  remove("q/moved");
  remove("q");
  remove("p");
}

static void check_cwd(const char *want) {
  char path[200];

  CHECK_EQ(getcwd(path, sizeof(path)) == -1, 0);
  if (strcmp(path, want) == 0)
    return;
  printf("  getcwd says %s, expected %s\n", path, want);
  exit(1);
}

/* getcwd follows chdir and rename. */
static void getcwds(void) {
  char small[4];

  CHECK_EQ(chdir("/"), 0);
  check_cwd("/");
  CHECK_EQ(chdir("/usertests.d"), 0);
  make_dir("one");
  make_dir("one/two");
  CHECK_EQ(chdir("one/two"), 0);
  check_cwd("/usertests.d/one/two");
  CHECK_FAILS(getcwd(small, sizeof(small)), ERANGE);
  CHECK_FAILS(getcwd(small, 0), EINVAL);
  CHECK_EQ(rename("../../one", "../../ONE"), 0);
  check_cwd("/usertests.d/ONE/two");
  CHECK_EQ(chdir("../.."), 0);
  check_cwd("/usertests.d");
  remove("ONE/two");
  remove("ONE");
}

static void remove_parents(void *arg) {
  (void)arg;
  remove("/usertests.d/one/two");
  remove("/usertests.d/one");
}

/* Nothing moves into a directory that was removed, though we are still in it,
 * and looking up from there harms nothing. */
static void renameremoved(void) {
  make_dir("one");
  make_dir("one/two");
  make_dir("moves");
  CHECK_EQ(chdir("one/two"), 0);
  CHECK_EQ(run_child(remove_parents, 0), 0);
  for (int i = 0; i < 3; i++) {
    CHECK_FAILS(rename("/usertests.d/moves", "new"), ENOENT);
    make_file("/usertests.d/reuse", 10, i); /* takes the freed inode */
    remove("/usertests.d/reuse");
  }
  CHECK_EQ(chdir("/usertests.d"), 0);
  remove("moves");
}

/* As deep as a path can reach. */
static void deep(void) {
  const int depth = quick ? 10 : 60;

  for (int i = 0; i < depth; i++) {
    make_dir("d");
    CHECK_EQ(chdir("d"), 0);
  }
  make_file("bottom", 100, 1);
  for (int i = 0; i < depth; i++)
    strcpy(scratch + 3 * i, "../");
  CHECK_EQ(inode_of(scratch), inode_of("/usertests.d"));
  remove("bottom");
  for (int i = 0; i < depth; i++) {
    CHECK_EQ(chdir(".."), 0);
    remove("d");
  }
}

const struct test dir_tests[] = {
    TEST(dirtest),   TEST(subdir),   TEST(rmdot),    TEST(dirfile),
    TEST(linktest),  TEST(dirlinks), TEST(bigdir),   TEST(iref),
    TEST(emptypath), TEST(iputtest), TEST(openiput), TEST(renames),
    TEST(renamedir), TEST(getcwds),  TEST(deep),     TEST(renameremoved),
    TESTS_END};
