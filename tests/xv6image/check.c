/*
 * check: each of the 21 system calls, by number, does what xv6's does. Data,
 * bss and constants are where the linker put them. Prints "check OK", or the
 * number of the line that was wrong.
 */
#include "rt.h"

static void must(int good, int line) {
  if (good)
    return;
  put(1, "check: line ");
  put_number(1, line);
  put(1, "\n");
  exit(1);
}
#define MUST(cond) must((cond), __LINE__)

static char zeros[5000];
static int number = 42;
static const char *const words[] = {"constant", "data"};

static void processes(void) {
  int status = 0, pid = (int)getpid(), child;

  MUST(pid > 1);
  child = (int)fork();
  if (child == 0)
    exit(getpid() == pid ? 1 : 77);
  MUST(wait(&status) == child && status == 77);
  MUST(wait(&status) == -1);
  child = (int)fork();
  if (child == 0)
    for (;;)
      sleep(100);
  MUST(kill(child) == 0);
  MUST(wait(&status) == child && status == -1);
  MUST(kill(99999) == -1);
  long before = uptime();
  MUST(sleep(1) == 0 && uptime() > before);
}

static void memory(void) {
  long top = sbrk(0);
  char *p = (char *)sbrk(10000);

  MUST((long)p == top && p[9999] == 0);
  p[9999] = 1;
  MUST(sbrk(-10000) == top + 10000 && sbrk(0) == top);
  for (int i = 0; i < (int)sizeof(zeros); i++)
    MUST(zeros[i] == 0);
  MUST(number == 42);
  number = 43;
  MUST(same(words[0], "constant") && same(words[1], "data"));
}

static void files(void) {
  struct stat st;
  int fd = (int)open("check.f", CREATE | RDWR);

  MUST(fd == 3);
  MUST(write(fd, "hello", 5) == 5);
  MUST(fstat(fd, &st) == 0 && st.type == 2 && st.size == 5 && st.nlink == 1);
  MUST(st.dev == 1);
  MUST(link("check.f", "check.g") == 0);
  MUST(fstat(fd, &st) == 0 && st.nlink == 2);
  MUST(dup(fd) == 4 && close(4) == 0 && close(fd) == 0 && close(fd) == -1);
  MUST(unlink("check.f") == 0 && open("check.f", RDONLY) == -1);
  fd = (int)open("check.g", RDONLY);
  char buf[10];
  MUST(read(fd, buf, 10) == 5 && buf[4] == 'o');
  MUST(write(fd, "x", 1) == -1);
  close(fd);
  MUST(unlink("check.g") == 0);
}

static void directories(void) {
  struct dirent e[4];
  int fd;

  MUST(mkdir("check.d") == 0 && chdir("check.d") == 0);
  MUST(mknod("dev", 1, 0) == 0);
  fd = (int)open(".", RDONLY);
  MUST(read(fd, e, sizeof(e)) == 3 * sizeof(e[0]));
  MUST(same(e[0].name, ".") && same(e[1].name, "..") && same(e[2].name, "dev"));
  close(fd);
  MUST(unlink("dev") == 0 && chdir("..") == 0);
  MUST(unlink("check.d") == 0);
}

static void pipes(void) {
  int fd[2];
  char c[4];

  MUST(pipe(fd) == 0);
  MUST(write(fd[1], "abc", 3) == 3 && read(fd[0], c, 4) == 3 && c[2] == 'c');
  close(fd[1]);
  MUST(read(fd[0], c, 1) == 0);
  close(fd[0]);
}

int main(int argc, char **argv) {
  MUST(argc >= 1 && argv[argc] == 0);
  MUST(((long)&argc & ~0xfffL) + 0x1000 > (long)argv); /* the stack page */
  processes();
  memory();
  files();
  directories();
  pipes();
  MUST(exec("nothing", argv) == -1);
  put(1, "check OK\n");
  exit(0);
}
