/*
 * tour_twice: one program that runs twice, and one file that two have mapped: one
 * frame of each page, until somebody writes to what is only his.
 *
 * The second process is this program with the pid and the addresses of the first
 * as its arguments; it compares both page tables.
 */
#include "tour.h"

#define NAME "tour_twice.file"

static volatile char data[PAGE] __attribute__((aligned(PAGE))) = "data";

int main(int argc, char **argv);

static volatile char *map_file(int flags) {
  int fd = open(NAME, O_RDWR);
  volatile char *at = mmap(0, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

  if (fd < 0 || at == MAP_FAILED)
    fatal(NAME);
  close(fd);
  return at;
}

static void make_file(void) {
  static char page[PAGE];
  int fd = open(NAME, O_CREATE | O_TRUNC | O_RDWR);

  memset(page, 'a', sizeof(page));
  if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page))
    fatal(NAME);
  close(fd);
}

/* Say whether both have one frame, each at its own address. */
static void compare(const char *what, const volatile void *mine, int first,
                    const volatile void *his) {
  ull a = frame_of(getpid(), mine), b = frame_of(first, his);

  say("%s at 0x%lx: mine 0x%llx, %d's 0x%llx: %s", what, (unsigned long)mine, a,
      first, b, a == b ? "one frame" : "two frames");
}

static void second(int first, const volatile char *his_data,
                   const volatile char *his_map) {
  volatile char *both, *own;

  compare("text", (void *)main, first, (void *)main);
  say("data reads '%c'", data[0]);
  compare("data", data, first, his_data);
  step("the same file, so the same frames; now I write to my data");
  data[0] = 'D';
  compare("data", data, first, his_data);
  step("text stays one; now I map the file that the first has mapped");
  both = map_file(MAP_SHARED);
  say("the file reads '%c'", both[0]);
  compare("shared map", both, first, his_map);
  step("one frame, that of the file's cache; now I write 'b' to it");
  both[0] = 'b';
  compare("shared map", both, first, his_map);
  own = map_file(MAP_PRIVATE);
  say("a private map of it reads '%c'", own[0]);
  compare("private map", own, first, his_map);
  step("the cache's frame again, without W; now I write 'c' to it");
  own[0] = 'c';
  compare("private map", own, first, his_map);
  step("a copy, which nobody else sees");
  exit(0);
}

static void start_second(const char *name, const volatile char *map) {
  char pid[16], at[2][24];
  char *args[] = {(char *)name, pid, at[0], at[1], 0};

  snprintf(pid, sizeof(pid), "%d", getpid());
  snprintf(at[0], sizeof(at[0]), "0x%lx", (unsigned long)data);
  snprintf(at[1], sizeof(at[1]), "0x%lx", (unsigned long)map);
  if (fork() == 0) {
    exec(args[0], args);
    fatal("%s", args[0]);
  }
}

static const volatile char *address(const char *text) {
  long long value;

  if (parse_number(text, &value) < 0)
    bad_usage("");
  return (const volatile char *)(unsigned long)value;
}

int main(int argc, char **argv) {
  volatile char *map;
  int status;

  if (argc == 4)
    second(atoi(argv[1]), address(argv[2]), address(argv[3]));
  make_file();
  map = map_file(MAP_SHARED);
  show("main", (void *)main);
  show("data", data);
  show("a file", map);
  say("data reads '%c', the file '%c'", data[0], map[0]);
  step("now start this program a second time");
  start_second(argv[0], map);
  wait(&status);
  unlink(NAME);
  say("data reads '%c', the file '%c'", data[0], map[0]);
  return status;
}
