/*
 * tour_out: a process takes all memory there is. It is ended; others go on.
 *
 * mmap() promises no more than there could be, unless it is told MAP_NORESERVE; then
 * it comes to light when the memory is touched.
 */
#include "tour.h"

#include "abi/tty.h"

#define CHUNK (1 << 20)
#define MiB(bytes) ((long)((bytes) >> 20))

static struct meminfo memory(void) {
  struct meminfo m;

  if (meminfo(&m) < 0)
    fatal("meminfo");
  return m;
}

static long free_mib(void) {
  struct meminfo m = memory();

  return MiB(m.free * m.page_size);
}

static volatile char *map(unsigned long size, int more_flags) {
  return mmap(0, size, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
}

/* Ask for as much as the machine has. */
static void ask_for_all(void) {
  struct meminfo m = memory();
  unsigned long all = (unsigned long)(m.total * m.page_size);

  say("mmap of %ld MiB: %s", MiB(all),
      map(all, 0) == MAP_FAILED ? strerror(lasterr()) : "granted");
}

/* Take and use memory for as long as there is some. */
static void take_all(void) {
  for (;;) {
    volatile char *at = map(CHUNK, MAP_NORESERVE);

    if (at == MAP_FAILED)
      fatal("no more addresses");
    for (int i = 0; i < CHUNK; i += PAGE)
      at[i] = 1;
  }
}

/* Somebody who has a page, and is asked for it later. */
static void bystander(int ask, int answer) {
  static volatile char page[PAGE];
  char c;

  page[0] = 42;
  if (read(ask, &c, 1) == 1)
    c = page[0];
  write(answer, &c, 1);
  exit(0);
}

static int start_bystander(int *ask, int *answer) {
  int to[2], from[2], pid;

  if (pipe(to) < 0 || pipe(from) < 0)
    fatal("pipe");
  pid = fork();
  if (pid < 0)
    fatal("fork");
  if (pid == 0)
    bystander(to[0], from[1]);
  *ask = to[1];
  *answer = from[0];
  return pid;
}

int main(void) {
  int ask, answer, other, greedy, status;
  char c = 0;

  other = start_bystander(&ask, &answer);
  say("%ld MiB are free; process %d has a page with 42 in it", free_mib(),
      other);
  step("now ask for as much as the machine has");
  ask_for_all();
  step("now a child takes it piece by piece, unreserved, and writes to it");
  greedy = fork();
  if (greedy < 0)
    fatal("fork");
  if (greedy == 0)
    take_all();
  waitpid(greedy, &status, 0);
  say("process %d ended with status %d%s", greedy, status,
      status == STATUS_KILLED ? ": killed" : "");
  step("above is why; now look how much is free, and ask the other");
  say("%ld MiB are free", free_mib());
  write(ask, &c, 1);
  if (read(answer, &c, 1) != 1)
    fatal("process %d", other);
  say("process %d goes on: its page has %d", other, c);
  waitpid(other, &status, 0);
  return status;
}
