/*
 * vmpressure [name...]: what happens when there is not enough memory. Each test
 * takes all there is in a way of its own; in each the program that asks for too
 * much gets an error or is ended, and this one, and a small one beside it, live
 * on.
 *
 * With much memory it would take long: from 512 MiB on it says so and stops.
 */
#include "port.h"

#define TOO_MUCH (512 * MB)

static const char *doing;
static struct meminfo start;

static void must(int ok, const char *what) {
  if (!ok) {
    int error = lasterr();
    struct meminfo m = {0};

    meminfo(&m);
    printf("vmpressure %s: not so: %s (error %d; %d pages free, %d cached)\n",
           doing, what, error, (int)m.free, (int)m.cache);
    exit(1);
  }
}

/* Bytes that are free or would be given up. */
static addr available(void) {
  struct meminfo m;

  must(meminfo(&m) == 0, "meminfo");
  return (m.free + m.cache) * m.page_size;
}

static char *reserve(addr bytes, int flags) {
  char *p =
      mmap(0, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

  return p == MAP_FAILED ? 0 : p;
}

static void touch(char *p, addr bytes, addr step) {
  for (addr at = 0; at < bytes; at += step)
    p[at] = (char)(at / PAGE + 1);
}

/* --- a small process that must not be harmed --- */

static int bystander_pipe[2], bystander;

static void bystander_run(void) {
  char *p = reserve(64 * PAGE, MAP_PRIVATE), c;

  must(p != 0, "a little memory");
  touch(p, 64 * PAGE, PAGE);
  must(read(bystander_pipe[0], &c, 1) == 1, "the end of the test");
  for (addr at = 0; at < 64 * PAGE; at += PAGE)
    must(p[at] == (char)(at / PAGE + 1), "the bystander's memory");
  exit(0);
}

static void bystander_start(void) {
  must(pipe(bystander_pipe) == 0, "pipe");
  bystander = fork();
  must(bystander >= 0, "fork");
  if (bystander == 0)
    bystander_run();
}

static void bystander_end(void) {
  must(write(bystander_pipe[1], "x", 1) == 1, "write to the bystander");
  must(os_wait(bystander) == 0, "the bystander lives");
  close(bystander_pipe[0]);
  close(bystander_pipe[1]);
}

/* Run fn() in a child; its status. */
static int run_child(void (*fn)(void)) {
  int pid = fork();

  must(pid >= 0, "fork");
  if (pid == 0) {
    fn();
    exit(0);
  }
  return os_wait(pid);
}

/* --- the tests --- */

/* A request that cannot be met is refused before any of it is taken. */
static void refused(void) {
  addr before = available(), all = start.total * start.page_size;

  must(reserve(all, MAP_PRIVATE) == 0, "mmap of all memory fails");
  must(sbrk((int)all) == (char *)-1, "sbrk of all memory fails");
  must(available() + MB > before, "nothing was taken");
}

/* What is cached goes when programs need the memory. */
static void most_of_it(void) {
  addr bytes = available() / 10 * 8;
  char *p = reserve(bytes, MAP_PRIVATE);

  must(p != 0, "mmap of most memory");
  touch(p, bytes, PAGE);
  for (addr at = 0; at < bytes; at += PAGE)
    must(p[at] == (char)(at / PAGE + 1), "what was written");
}

static void reclaimed(void) {
  static char buf[16 * PAGE];
  int fd = open("vmpressure.tmp", O_CREATE | O_RDWR | O_TRUNC);

  must(fd >= 0, "open");
  for (int i = 0; i < 3; i++)
    must(write(fd, buf, sizeof(buf)) == (int)sizeof(buf), "write");
  must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
  while (read(fd, buf, sizeof(buf)) > 0)
    continue;
  must(run_child(most_of_it) == 0, "most of the memory can be used");
  close(fd);
  unlink("vmpressure.tmp");
}

/* What a program has it may change, or replace, however much it is: that needs no
 * memory. And not a reason to be given too much beside it. */
static void keep_most(void) {
  addr bytes = available() / 10 * 6, rest = available() / 10 * 6;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  char *p = reserve(bytes, MAP_PRIVATE);

  must(p != 0, "mmap of more than half of memory");
  touch(p, bytes, PAGE);
  must(mprotect(p, bytes, PROT_READ) == 0, "mprotect takes rights");
  must(mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0, "and gives them back");
  touch(p, bytes, PAGE);
  must(mmap(p, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == p,
       "mmap in its place");
  must(p[0] == 0, "which is empty");
  touch(p, bytes, PAGE);
  must(mprotect(p, bytes, PROT_READ) == 0, "mprotect takes rights again");
  must(reserve(rest, MAP_PRIVATE) == 0, "mmap of as much again fails");
}

static void changed(void) {
  must(run_child(keep_most) == 0, "memory that is there can be changed");
}

/* More than there is, asked for with leave and then used. */
static void too_much_private(void) {
  addr bytes = start.total * start.page_size / 4 * 5;
  char *p = reserve(bytes, MAP_PRIVATE | MAP_NORESERVE);

  must(p != 0, "mmap of more than all memory with MAP_NORESERVE");
  touch(p, bytes, PAGE);
}

static void too_much_shared(void) {
  addr bytes = start.total * start.page_size / 4 * 5;
  char *p = reserve(bytes, MAP_SHARED | MAP_NORESERVE);

  must(p != 0, "mmap of more than all memory, shared");
  touch(p, bytes, PAGE);
}

static void too_much_heap(void) {
  addr bytes = start.total * start.page_size / 4 * 5;
  char *p = sbrklazy((int)bytes);

  must(p != (char *)-1, "sbrklazy");
  touch(p, bytes, PAGE);
}

static void one_private(void) {
  must(run_child(too_much_private) == -1, "who uses too much is ended");
}

static void one_shared(void) {
  must(run_child(too_much_shared) == -1, "who uses too much is ended");
}

static void one_heap(void) {
  must(run_child(too_much_heap) == -1, "who uses too much is ended");
}

/* The kernel touches it for the program. */
static void too_much_read(void) {
  addr bytes = start.total * start.page_size / 4 * 5;
  char *p = reserve(bytes, MAP_PRIVATE | MAP_NORESERVE);
  int fd = open("/README", O_RDONLY);

  must(p != 0 && fd >= 0, "mmap, open");
  for (addr at = 0; at < bytes; at += PAGE) {
    lseek(fd, 0, SEEK_SET);
    must(read(fd, p + at, 1) == 1, "read");
  }
}

static void one_reader(void) {
  int status = run_child(too_much_read);

  must(status == -1 || status == 1, "who reads too much is ended");
}

/* Tables only: memory that is read and never written, a page in each table's
 * reach. */
static void too_many_tables(void) {
  const addr stride = 2 * MB, most = sizeof(addr) == 8 ? 1UL << 37 : 1UL << 30;
  char *p = reserve(most, MAP_PRIVATE | MAP_NORESERVE);

  must(p != 0, "mmap of much address space");
  for (addr at = 0; at < most; at += stride)
    (void)*(volatile char *)(p + at);
}

static void page_tables(void) {
  int status = run_child(too_many_tables);

  must(status == -1 || (status == 0 && sizeof(addr) == 4),
       "who needs too many tables is ended");
}

/* Several at once, each with a share that is too large for all. */
static void several(void) {
  enum { HOGS = 5 };
  addr bytes = available() / 3;
  int pid[HOGS], well = 0, ended = 0, hold[2];
  char c;

  must(pipe(hold) == 0, "pipe");
  for (int i = 0; i < HOGS; i++) {
    pid[i] = fork();
    must(pid[i] >= 0, "fork");
    if (pid[i] == 0) {
      char *p = reserve(bytes, MAP_PRIVATE | MAP_NORESERVE);

      close(hold[1]);
      if (p != 0)
        touch(p, bytes, PAGE);
      exit(read(hold[0], &c, 1)); /* until the parent has seen enough */
    }
  }
  close(hold[0]);
  /* Some must be ended before all can have theirs. */
  must(waitpid(-1, &pid[0], 0) > 0, "the first one ends");
  ended++;
  close(hold[1]);
  for (int i = 1; i < HOGS; i++) {
    int status = 1;

    must(waitpid(-1, &status, 0) > 0, "a child");
    must(status == 0 || status == -1, "its status");
    well += status == 0;
    ended += status == -1;
  }
  must(well > 0, "some had what they wanted");
}

/* --- memory that the kernel wants for itself --- */

enum { FILES = 8, FILE_BYTES = 256 * 1024 };

static char file_name[] = "vmpressure.0";

/* A file's pages, clean and mapped. */
static char *map_file(void) {
  static char buf[16 * PAGE];
  int fd = open(file_name, O_CREATE | O_RDWR | O_TRUNC);
  char *p;

  must(fd >= 0, "open");
  for (addr done = 0; done < FILE_BYTES; done += sizeof(buf))
    must(write(fd, buf, sizeof(buf)) == (int)sizeof(buf), "write");
  p = mmap(0, FILE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
  must(p != MAP_FAILED, "mmap of a file");
  close(fd);
  return p;
}

/* Let programs have all but so many free pages. */
static void leave_free(addr pages) {
  addr bytes = start.total * start.page_size;
  char *p = reserve(bytes, MAP_PRIVATE | MAP_NORESERVE);
  struct meminfo m;

  must(p != 0, "mmap of all memory with MAP_NORESERVE");
  for (addr at = 0; at < bytes; at += PAGE) {
    must(meminfo(&m) == 0, "meminfo");
    if (m.free <= pages)
      break;
    p[at] = 1;
  }
}

static void nothing(void) {}

static void child_and_file(void) {
  int fd = open("/README", O_RDONLY);

  must(fd >= 0, "open");
  close(fd);
  must(run_child(nothing) == 0, "the child of a small process");
}

/* Pages that are free, or files' and thus clean: the kernel can have them, but for
 * a few hundred without which programs cannot run (kernel/proc/oom.c). */
static int has_room(void) {
  enum { KEPT = 200 };

  return available() / PAGE > KEPT;
}

/* What the kernel wants for itself comes from clean pages of files, although they
 * are mapped: pipes can have nearly all of it, and while there is some, processes
 * can be made, and files opened. */
static void kernel_wants(void) {
  const addr most = 250;
  int fd[2], status = run_child(too_much_private);
  addr n = 0;
  char *p[FILES];

  must(status == -1, "what was cached before is not any more");
  for (int i = 0; i < FILES; i++) {
    file_name[sizeof(file_name) - 2] = (char)('0' + i);
    p[i] = map_file();
  }
  sync();
  for (int i = 0; i < FILES; i++)
    for (addr at = 0; at < FILE_BYTES; at += PAGE)
      must(*(volatile char *)(p[i] + at) == 0, "what the file holds");
  leave_free(100);
  must(available() > FILES * FILE_BYTES, "files are cached");
  while (n < most && pipe(fd) == 0) {
    n++;
    if (n % 16 == 0 && has_room())
      child_and_file();
  }
  must(n == most || !has_room(), "the kernel gets what files can give up");
  for (int i = 0; i < FILES; i++) {
    file_name[sizeof(file_name) - 2] = (char)('0' + i);
    unlink(file_name);
  }
}

enum { HOARDERS = 30 };

/* As many pipes as can be had, until the parent has seen enough. */
static void hoard(int ready, int hold) {
  int fd[2];
  char c;

  while (pipe(fd) == 0)
    continue;
  must(write(ready, "x", 1) == 1, "write");
  read(hold, &c, 1);
  exit(0);
}

/* Memory is in pipes. Who then wants a little is not the one to end, although
 * those who hoard pipes have less memory of their own. */
static void pipes(void) {
  int ready[2], hold[2], ended = 0, n = 0;
  char *p = reserve(2 * MB, MAP_PRIVATE), c;

  must(p != 0 && pipe(ready) == 0 && pipe(hold) == 0, "mmap, pipe");
  touch(p, MB, PAGE);
  for (int pid = 1; n < HOARDERS && pid > 0; n += pid > 0) {
    pid = fork();
    if (pid == 0) {
      close(ready[0]);
      close(hold[1]);
      hoard(ready[1], hold[0]);
    }
    must(pid < 0 || read(ready[0], &c, 1) == 1, "a hoarder is ready");
  }
  touch(p + MB, MB, PAGE);
  close(hold[1]);
  for (int i = 0; i < n; i++) {
    int status = 1;

    must(waitpid(-1, &status, 0) > 0, "a hoarder");
    must(status == 0 || status == -1, "its status");
    ended += status == -1;
  }
  must(ended > 0, "a hoarder was ended");
}

/* Copies that are made when memory is gone: a process of a third of all memory
 * forks, and all of them write. */
static void fork_and_write(void) {
  addr bytes = available() / 3;
  char *p = reserve(bytes, MAP_PRIVATE);
  int pid[3];

  must(p != 0, "mmap of a third");
  touch(p, bytes, PAGE);
  for (int i = 0; i < 3; i++) {
    pid[i] = fork();
    if (pid[i] == 0) {
      for (addr at = 0; at < bytes; at += PAGE) {
        must(p[at] == (char)(at / PAGE + 1), "an inherited page");
        p[at] = 1;
      }
      exit(0);
    }
  }
  for (int i = 0; i < 3; i++)
    if (pid[i] > 0)
      os_wait(pid[i]);
  for (addr at = 0; at < bytes; at += PAGE)
    must(p[at] == (char)(at / PAGE + 1), "the parent's own page");
}

static void copies(void) {
  int status = run_child(fork_and_write);

  must(status == 0 || status == -1, "the one that forks");
}

/* Many small ones, until none can be made: an error, and no more. */
static void many_processes(void) {
  enum { MOST = 400 };
  int n = 0, hold[2];
  char c;

  must(pipe(hold) == 0, "pipe");
  for (; n < MOST; n++) {
    int pid = fork();

    if (pid < 0)
      break;
    if (pid == 0) {
      char *p = reserve(MB, MAP_PRIVATE | MAP_NORESERVE);

      close(hold[1]);
      if (p != 0)
        touch(p, MB / 2, PAGE);
      read(hold[0], &c, 1);
      exit(0);
    }
  }
  close(hold[1]);
  close(hold[0]);
  for (int i = 0; i < n; i++)
    must(waitpid(-1, 0, 0) > 0, "a child");
}

static void crowd(void) {
  must(run_child(many_processes) != 1, "many processes");
}

/* Touch shared memory until there are only a few pages, unmap all of it but one
 * page, and sleep. */
static void sleep_on_it(int ready) {
  const addr file_pages = 80, few = 20; /* files keep some; what is left */
  addr bytes = start.total * start.page_size, step = 4 * PAGE;
  char *p = reserve(bytes, MAP_SHARED | MAP_NORESERVE);
  struct meminfo m;

  must(p != 0, "mmap of all memory, shared");
  for (addr at = PAGE; at + step <= bytes; at += step) {
    must(meminfo(&m) == 0, "meminfo");
    if (m.free + (m.cache > file_pages ? m.cache - file_pages : 0) < few)
      break;
    touch(p + at, step, PAGE);
    must(munmap(p + at, step) == 0, "munmap");
  }
  must(write(ready, "x", 1) == 1, "write to the parent");
  for (;;)
    pause(1000);
}

/* Who sleeps and has nearly all, although nothing of it is mapped, ends when
 * others cannot be made any more; not one who has more than he seems to. */
static void sleeper(void) {
  enum { CHILDREN = 30 };
  int ready[2], hold[2], pid, other = fork();
  char *p, c;

  must(other >= 0 && pipe(hold) == 0, "fork, pipe");
  if (other == 0) {
    p = reserve(2 * MB, MAP_PRIVATE);
    must(p != 0, "mmap");
    touch(p, 2 * MB, PAGE);
    for (;;)
      pause(1000);
  }
  must(pipe(ready) == 0, "pipe");
  pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0)
    sleep_on_it(ready[1]);
  must(read(ready[0], &c, 1) == 1, "nearly all memory is taken");
  for (int i = 0; i < CHILDREN; i++) {
    int child = fork();

    must(child >= 0, "a child, although memory is gone");
    if (child == 0) {
      close(hold[1]);
      read(hold[0], &c, 1);
      exit(0);
    }
  }
  close(hold[1]);
  must(os_wait(pid) == -1, "who has nearly all of it is ended");
  for (int i = 0; i < CHILDREN; i++)
    must(waitpid(-1, 0, 0) > 0, "a child");
  must(kill(other) == 0 && os_wait(other) == -1, "the other lives until now");
  close(hold[0]);
  close(ready[0]);
  close(ready[1]);
}

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"refused", refused},       {"reclaimed", reclaimed},
    {"changed", changed},       {"one_private", one_private},
    {"one_shared", one_shared}, {"one_heap", one_heap},
    {"one_reader", one_reader}, {"page_tables", page_tables},
    {"several", several},       {"copies", copies},
    {"crowd", crowd},           {"kernel_wants", kernel_wants},
    {"sleeper", sleeper},       {"pipes", pipes},
};

static void run_test(unsigned i) {
  struct os_memory before;

  doing = tests[i].name;
  os_memory(&before);
  bystander_start();
  must(run_child(tests[i].run) == 0, "the test");
  bystander_end();
  must(os_memory_back(&before), "the memory came back");
  must(os_memcheck() == 0, "memcheck");
  printf("vmpressure %s: OK\n", doing);
}

static int chosen(const char *name, int n, char **names) {
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0)
      return 1;
  return n == 0;
}

int main(int argc, char **argv) {
  os_start();
  doing = "start";
  must(meminfo(&start) == 0, "meminfo");
  if (start.total * start.page_size >= TOO_MUCH) {
    printf("vmpressure: skipped: takes too long with this much memory\n");
    return 0;
  }
  for (unsigned i = 0; i < NELEM(tests); i++)
    if (chosen(tests[i].name, argc - 1, argv + 1))
      run_test(i);
  printf("vmpressure OK\n");
  return 0;
}
