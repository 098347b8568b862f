/*
 * copyin, copyout, copyinstr: what system calls do with addresses that a
 * program must not use. Every call that takes a pointer is given addresses in
 * the kernel, in devices, at the trapframe and trampoline, beyond what can be
 * translated, in the guard page, in read-only text, and ones that begin well and
 * end badly.
 */
#include "abi/limits.h"
#include "usertests.h"

static const addr forbidden[] = FORBIDDEN_ADDRESSES;

/* Run fn for each forbidden address, the guard page and the end of the heap. */
static void for_bad_addresses(void (*fn)(char *addr)) {
  for (uint i = 0; i < NELEM(forbidden); i++)
    fn((char *)forbidden[i]);
  fn((char *)(addr)region_named("guard").start);
  fn(sbrk(0) + 64 * PGSIZE);
}

static int data_fd; /* a file of 8192 bytes, open for reading and writing */
static int pipe_fd[2];

static void open_targets(void) {
  make_file("f", 8192, 1);
  data_fd = open("f", O_RDWR);
  CHECK(data_fd >= 0);
  CHECK_EQ(pipe(pipe_fd), 0);
}

static void close_targets(void) {
  close(data_fd);
  close(pipe_fd[0]);
  close(pipe_fd[1]);
  remove("f");
}

static void copyin_one(char *addr) {
  CHECK_FAILS(write(data_fd, addr, 8192), EFAULT);
  CHECK_FAILS(write(1, addr, 8192), EFAULT);
  CHECK_FAILS(write(pipe_fd[1], addr, 8192), EFAULT);
  CHECK_FAILS(write(pipe_fd[1], addr, 1), EFAULT);
}

/* write() from memory that is not the program's: nothing is written. */
static void copyin(void) {
  open_targets();
  for_bad_addresses(copyin_one);
  CHECK_EQ(lseek(data_fd, 0, SEEK_CUR), 0);
  close_targets();
}

static void copyout_one(char *addr) {
  CHECK_EQ(lseek(data_fd, 0, SEEK_SET), 0);
  CHECK_FAILS(read(data_fd, addr, 8192), EFAULT);
  CHECK_EQ(write(pipe_fd[1], "x", 1), 1);
  CHECK_FAILS(read(pipe_fd[0], addr, 8192), EFAULT);
  read(pipe_fd[0], scratch, 1);
}

/* read() into memory that is not the program's. */
static void copyout(void) {
  open_targets();
  /* One byte stays in the pipe, so that no read there can wait. */
  CHECK_EQ(write(pipe_fd[1], "xx", 2), 2);
  for_bad_addresses(copyout_one);
  close_targets();
}

static void copyout_calls_one(char *addr) {
  CHECK_FAILS(fstat(0, (struct stat *)addr), EFAULT);
  CHECK_FAILS(pipe((int *)addr), EFAULT);
  CHECK_FAILS(getcwd(addr, 100), EFAULT);
  CHECK_FAILS(meminfo((struct meminfo *)addr), EFAULT);
  CHECK_FAILS(sysinfo((struct sysinfo *)addr), EFAULT);
  CHECK_FAILS(time((uint64 *)addr), EFAULT);
  CHECK_FAILS(procs((struct procinfo *)addr, 100), EFAULT);
  CHECK_FAILS(vmregions(getpid(), (struct vmregion *)addr, 100), EFAULT);
  CHECK_FAILS(ptdump(getpid(), 0, (struct ptentry *)addr, 100), EFAULT);
  CHECK_FAILS(ptwalk(getpid(), 0, (struct ptwalk *)addr), EFAULT);
}

/* The other calls that fill in a structure; pipe() must not keep its
 * descriptors. */
static void copyoutcalls(void) {
  int fd = lowest_fd();

  for_bad_addresses(copyout_calls_one);
  CHECK_EQ(lowest_fd(), fd);
}

static void exit_5(void *arg) {
  (void)arg;
  exit(5);
}

static void wait_one(char *addr) {
  int status = 0;
  int pid = spawn(exit_5, 0);

  CHECK_FAILS(wait((int *)addr), EFAULT);
  CHECK_EQ(wait(&status), pid);
  CHECK_EQ(status, 5);
}

/* wait() with nowhere to put the status leaves the child to be waited for. */
static void copyoutwait(void) { for_bad_addresses(wait_one); }

/* Memory that may be read but not written: the program's own code. */
static void copyouttext(void) {
  char *text = (char *)copyouttext;

  open_targets();
  CHECK_FAILS(read(data_fd, text, 16), EFAULT);
  CHECK_FAILS(fstat(data_fd, (struct stat *)text), EFAULT);
  CHECK_FAILS(pipe((int *)text), EFAULT);
  CHECK_EQ(write(pipe_fd[1], "0123456789", 10), 10);
  CHECK_FAILS(read(pipe_fd[0], text, 10), EFAULT);
  CHECK_EQ(lseek(data_fd, 0, SEEK_SET), 0);
  CHECK_EQ(write(data_fd, text, 16), 16);
  CHECK_EQ(lseek(data_fd, 0, SEEK_SET), 0);
  CHECK_EQ(read(data_fd, scratch, 16), 16);
  CHECK_EQ(memcmp(scratch, text, 16), 0);
  close_targets();
}

static void copyinstr_one(char *addr) {
  char *argv[] = {"echo", 0};

  CHECK_FAILS(open(addr, O_CREATE | O_WRONLY), EFAULT);
  CHECK_FAILS(unlink(addr), EFAULT);
  CHECK_FAILS(mkdir(addr), EFAULT);
  CHECK_FAILS(chdir(addr), EFAULT);
  CHECK_FAILS(mknod(addr, 1, 0), EFAULT);
  CHECK_FAILS(link(addr, "y"), EFAULT);
  CHECK_FAILS(link("y", addr), EFAULT);
  CHECK_FAILS(rename(addr, "y"), EFAULT);
  CHECK_FAILS(exec(addr, argv), EFAULT);
}

/* Paths at bad addresses. */
static void copyinstr1(void) {
  make_file("y", 1, 1);
  for_bad_addresses(copyinstr_one);
  remove("y");
}

/* Paths and arguments that are too long. */
static void copyinstr2(void) {
  static char path[5000];
  char *argv[] = {"echo", path, 0};

  memset(path, 'x', sizeof(path));
  path[sizeof(path) - 1] = 0;
  CHECK_FAILS(open(path, O_CREATE), ENAMETOOLONG);
  CHECK_FAILS(unlink(path), ENAMETOOLONG);
  CHECK_FAILS(mkdir(path), ENAMETOOLONG);
  CHECK_FAILS(link(path, "y"), ENAMETOOLONG);
  CHECK_FAILS(exec(path, argv), ENAMETOOLONG);
  path[PATH_MAX] = 0;
  CHECK_FAILS(open(path, O_RDONLY), ENAMETOOLONG);
  path[PATH_MAX - 1] = 0;
  CHECK_FAILS(open(path, O_RDONLY), ENOENT);
}

/* A path that reaches the end of memory without a final 0. */
static void copyinstr3(void) {
  char *top;

  sbrk(2 * PGSIZE - (addr)sbrk(0) % PGSIZE);
  top = sbrk(0);
  CHECK_EQ((addr)top % PGSIZE, 0);
  top[-1] = 'x';
  CHECK_FAILS(open(top - 1, O_CREATE), EFAULT);
  CHECK_FAILS(unlink(top - 1), EFAULT);
  CHECK_FAILS(link(top - 1, "y"), EFAULT);
  top[-1] = 0;
  top[-2] = 'x';
  CHECK_FAILS(open(top - 2, O_RDONLY), ENOENT);
  /* Across the boundary between two pages all is well. */
  strcpy(top - PGSIZE - 2, "dir");
  CHECK_EQ(mkdir(top - PGSIZE - 2), 0);
  remove("dir");
}

/* A system call result must be an error or at most `most`, and the offset
 * must agree with it. */
static void check_partial(long result, long most) {
  CHECK(result == -1 || (result >= 0 && result <= most));
  CHECK_EQ(lseek(data_fd, 0, SEEK_CUR), result < 0 ? 0 : result);
}

/* Buffers that begin in the heap and end after it. */
static void straddle(void) {
  char *top;

  open_targets();
  sbrk(2 * PGSIZE - (addr)sbrk(0) % PGSIZE);
  top = sbrk(0);
  check_partial(read(data_fd, top - 100, 8192), 100);
  lseek(data_fd, 0, SEEK_SET);
  check_partial(write(data_fd, top - 100, 8192), 100);
  CHECK_FAILS(fstat(data_fd, (struct stat *)(top - 8)), EFAULT);
  CHECK_FAILS(pipe((int *)(top - 4)), EFAULT);
  CHECK_FAILS(meminfo((struct meminfo *)(top - 8)), EFAULT);
  close_targets();
}

/* Buffers whose end wraps around, and negative lengths. */
static void wrap(void) {
  open_targets();
  CHECK_EQ(read(data_fd, (char *)-10L, 100), -1);
  CHECK_EQ(write(data_fd, (char *)-10L, 100), -1);
  CHECK_EQ(read(data_fd, scratch, -1), -1);
  CHECK_EQ(write(data_fd, scratch, -1), -1);
  CHECK_EQ(write(pipe_fd[1], scratch, -1), -1);
  CHECK_EQ(read(data_fd, scratch, (int)0x80000000), -1);
  CHECK_EQ(getcwd(scratch, -1), -1);
  CHECK_EQ(procs((struct procinfo *)scratch, -1), -1);
  CHECK_EQ(write(data_fd, scratch, 0), 0);
  close_targets();
}

/* Structures and buffers at odd addresses work: the kernel copies bytes. */
static void misaligned(void) {
  struct stat st;
  int fd[2];

  make_file("f", 100, 1);
  CHECK_EQ(stat("f", (struct stat *)(scratch + 1)), 0);
  memmove(&st, scratch + 1, sizeof(st));
  CHECK_EQ(st.size, 100);
  CHECK_EQ(pipe((int *)(scratch + 3)), 0);
  memmove(fd, scratch + 3, sizeof(fd));
  CHECK_EQ(close(fd[0]), 0);
  CHECK_EQ(close(fd[1]), 0);
  remove("f");
}

/* exec with an argument list that is not all there. */
static void copyinargv(void) {
  char **top;
  char *echo[] = {"echo", 0, 0};

  for (uint i = 0; i < NELEM(forbidden); i++) {
    CHECK_FAILS(exec("/echo", (char **)forbidden[i]), EFAULT);
    echo[1] = (char *)forbidden[i];
    CHECK_FAILS(exec("/echo", echo), EFAULT);
  }
  sbrk(PGSIZE - (addr)sbrk(0) % PGSIZE);
  top = (char **)sbrk(0);
  top[-1] = "echo";
  CHECK_FAILS(exec("/echo", top - 1), EFAULT);
}

const struct test copy_tests[] = {
    TEST(copyin),      TEST(copyout),    TEST(copyoutcalls), TEST(copyoutwait),
    TEST(copyouttext), TEST(copyinstr1), TEST(copyinstr2),   TEST(copyinstr3),
    TEST(straddle),    TEST(wrap),       TEST(misaligned),   TEST(copyinargv),
    TESTS_END};
