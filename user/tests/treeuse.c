/*
 * treeuse: use all that a disk has, whatever state it is in. The disk is changed
 * beyond recognition; this is for images that are thrown away.
 *
 *   treeuse           as a program of the shell
 *   /init             as the first process of a machine whose disk has nothing
 *                     but this: it gets a console, does its work in a child, has
 *                     the kernel's account of its memory checked, and switches
 *                     the machine off
 *
 * Every call may fail, and a program that maps a damaged file may be killed for it;
 * nothing else may happen. tests/fuzz/fuzz_disks.py damages the images, and looks
 * at what is said here and by the kernel.
 *
 * If the disk has a file PLANT, the tree that is to be damaged is planted instead.
 */
#include "user/user.h"

#define CONSOLE_MAJOR 1 /* kernel/dev/chardev.h */
#define PLANT "/plant"
#define PATH_MAX 200
#define DEPTH_MAX 6          /* a damaged tree may be a ring */
#define VISITS_MAX 400       /* and a bush */
#define LARGE 40000          /* bytes; such a file has an indirect block */
#define PAGE 4096            /* to touch each */
#define MAP_PAGES 70         /* of a file, at most */
#define RUN_NS 2000000000ULL /* a program */
#define FAULTS_SHOWN 10      /* of memcheck's */

#define ENTRY_NAME 14
struct entry {
  ushort inum;
  char name[ENTRY_NAME];
};

static char data[LARGE];
static int visits;
static uint own_inode; /* this program's: to lose it would end the work */

/* --- one file --- */

static void write_file(const char *path, int n) {
  int fd = open(path, O_CREATE | O_RDWR | O_TRUNC);

  if (fd < 0)
    return;
  write(fd, data, n);
  close(fd);
}

/* Where a file may be: at its ends, where blocks become indirect, beyond. */
static void read_file(int fd) {
  static const long offsets[] = {0,      1000,       12 * 1024 - 1,
                                 100000, 268 * 1024, 0x7fffffff};

  for (uint i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
    if (lseek(fd, offsets[i], SEEK_SET) >= 0)
      read(fd, data, 3000);
}

/* A page that cannot be had kills who touches it: a child. */
static void touch_pages(int fd, unsigned long size, int flags) {
  int prot = flags & MAP_SHARED ? PROT_READ | PROT_WRITE : PROT_READ;
  volatile char *p;

  if (fork() != 0) {
    wait(0);
    return;
  }
  p = mmap(0, size, prot, flags, fd, 0);
  if (p != MAP_FAILED) {
    for (unsigned long at = 0; at < size; at += PAGE) {
      char c = p[at];

      if (flags & MAP_SHARED)
        p[at] = (char)(c + 1);
    }
    msync((void *)p, size, MS_SYNC);
  }
  exit(0);
}

static void use_file(const char *path, const struct stat *st) {
  unsigned long pages = st->size / PAGE + 1;
  int fd = open(path, O_RDONLY);

  if (fd < 0)
    return;
  read_file(fd);
  if (st->type == T_FILE)
    touch_pages(fd, (pages < MAP_PAGES ? pages : MAP_PAGES) * PAGE,
                MAP_PRIVATE);
  close(fd);
}

/* As a program, which it hardly is. Lest it be this one, it is told to end; what
 * became of one by the damage may go on for ever. */
static void run_file(const char *path) {
  char *argv[] = {"child", "end", 0};
  uint64 start = clock();
  int pid = fork();

  if (pid == 0) {
    exec(path, argv);
    exit(0);
  }
  while (pid > 0 && waitpid(pid, 0, WNOHANG) == 0) {
    if (clock() - start > RUN_NS)
      kill(pid);
    yield();
  }
}

static void change_file(const char *path, const struct stat *st) {
  static const int lengths[] = {13000, 5, 100000, 0};
  int fd = st->ino != own_inode ? open(path, O_RDWR) : -1;

  if (fd < 0)
    return;
  write(fd, data, 2000);
  for (uint i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    lseek(fd, 0, SEEK_END);
    write(fd, data, 1500);
    ftruncate(fd, lengths[i]);
    if (i == 1)
      touch_pages(fd, PAGE, MAP_SHARED);
  }
  write(fd, data, LARGE);
  close(fd);
}

/* --- the tree --- */

/* Call use() for each entry of a directory and, before it, of those below. */
static void walk(const char *dir, int depth,
                 void (*use)(const char *path, const struct stat *st)) {
  char path[PATH_MAX];
  struct entry e;
  struct stat st;
  int fd = open(dir, O_RDONLY);

  if (fd < 0)
    return;
  while (visits < VISITS_MAX && read(fd, &e, sizeof(e)) == sizeof(e)) {
    if (e.inum == 0 || strlen(dir) + ENTRY_NAME + 2 > PATH_MAX)
      continue;
    visits++;
    snprintf(path, sizeof(path), "%s/%.14s", dir, e.name);
    if (stat(path, &st) < 0)
      continue;
    if (st.type == T_DIR && depth < DEPTH_MAX && e.name[0] != '.')
      walk(path, depth + 1, use);
    use(path, &st);
  }
  close(fd);
}

static void look(const char *path, const struct stat *st) {
  char cwd[PATH_MAX];

  if (st->type != T_DIR)
    use_file(path, st);
  else if (chdir(path) == 0)
    getcwd(cwd, sizeof(cwd));
  chdir("/");
}

/* Names that directories get; the change of one may be seen by the next. */
static void change_directory(const char *dir) {
  char x[PATH_MAX + 4], y[PATH_MAX + 4], z[PATH_MAX + 8];

  snprintf(x, sizeof(x), "%s/x", dir);
  snprintf(y, sizeof(y), "%s/y", dir);
  snprintf(z, sizeof(z), "%s/y/zz", dir);
  write_file(x, 3000);
  link(x, y);
  rename(y, x);
  unlink(y);
  mkdir(y);
  write_file(z, 10);
  rename(x, "/moved");
  unlink(z);
  rename(y, "/d/e/y");
}

static void change(const char *path, const struct stat *st) {
  static int turn;
  char other[PATH_MAX + 4];

  if (st->type == T_DIR) {
    change_directory(path);
    if (turn++ % 2 == 0)
      unlink(path);
    return;
  }
  if (st->type == T_FILE && st->ino != own_inode)
    change_file(path, st);
  snprintf(other, sizeof(other), "%s+", path);
  link(path, other);
  if (turn++ % 3 == 0)
    rename(other, "/d/moved");
  if (st->ino != own_inode && turn % 2 == 0)
    unlink(path);
}

static void run(const char *path, const struct stat *st) {
  if (st->type == T_FILE)
    run_file(path);
}

/* Some of each kind: directories in each other, files with holes, with and
 * without an indirect block, links, a device. */
static void plant(void) {
  int fd;

  mkdir("/d");
  mkdir("/d/e");
  mkdir("/d/e/f");
  mkdir("/g");
  write_file("/d/large", LARGE);
  write_file("/d/e/small", 10);
  write_file("/g/blocks", 5000);
  link("/d/e/small", "/g/link");
  mknod("/g/device", CONSOLE_MAJOR, 0);
  fd = open("/g/hole", O_CREATE | O_RDWR);
  lseek(fd, 60000, SEEK_SET);
  write(fd, "end", 3);
  close(fd);
  unlink(PLANT);
}

static void use_all(void) {
  struct stat st;

  if (stat("/init", &st) == 0)
    own_inode = st.ino;
  walk("", 0, look);
  visits = 0;
  walk("", 0, run);
  visits = 0;
  change_directory("");
  walk("", 0, change);
  sync();
  visits = 0;
  walk("", 0, look);
}

/* --- as init --- */

static void check_memory(void) {
  static struct memfault faults[FAULTS_SHOWN];
  struct memcheck sum;
  int n = memcheck(&sum, faults, FAULTS_SHOWN);

  for (int i = 0; i < n && i < FAULTS_SHOWN; i++)
    printf("treeuse: frame 0x%llx: kind %d, %u, %u\n",
           (unsigned long long)faults[i].pa, faults[i].kind, faults[i].count,
           faults[i].found);
  if (n == 0)
    printf("treeuse: memory is right\n");
  else
    printf("treeuse: MEMORY IS WRONG (%d)\n", n);
}

/* 0 if that is one, which is then descriptor 0, 1 and 2. */
static int open_console(const char *path) {
  int fd = open(path, O_RDWR);

  if (fd == 0 && ttyctl(fd, TTY_GETMODE, 0) < 0)
    close(fd);
  else if (fd == 0)
    return dup(dup(0)) < 0 ? -1 : 0;
  return -1;
}

static void be_init(void) {
  struct stat st;
  int status = -1;

  if (open_console("/console") < 0) {
    mknod("/tty", CONSOLE_MAJOR, 0);
    if (open_console("/tty") < 0)
      exit(STATUS_NO_CONSOLE);
  }
  if (stat(PLANT, &st) == 0) {
    plant();
    printf("treeuse: planted\n");
  } else if (fork() == 0) {
    use_all();
    exit(0);
  } else {
    wait(&status);
    while (wait(0) >= 0)
      ;
    printf("treeuse: used, status %d\n", status);
  }
  check_memory();
  sync();
  reboot(REBOOT_POWEROFF);
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1)
    return 0;
  if (getpid() == 1)
    be_init();
  else
    use_all();
  return 0;
}
