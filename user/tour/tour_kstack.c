/*
 * tour_kstack: where the kernel's stacks are, and what is under each: a page that is
 * not there. No program can make one overflow; the kernel does so itself when it is
 * booted for that.
 */
#include "tour.h"

#define RUNS 64
#define CHILDREN 3

struct stacks {
  int n;
  int guarded; /* with nothing below */
  uint64 highest;
  uint64 pages;
};

static int is_stack(const struct ptentry *e) {
  return strncmp(e->name, "stack ", 6) == 0;
}

/* Stacks in the kernel's table. A run is one stack or a part, if its frames do not
 * follow each other. */
static struct stacks find_stacks(void) {
  static struct ptentry runs[RUNS];
  struct stacks s = {0};
  char last[sizeof(runs[0].name)] = "";
  uint64 from = 0;
  int n;

  while ((n = ptdump(PID_KERNEL, from, runs, RUNS)) > 0) {
    for (int i = 0; i < n; i++) {
      struct ptwalk below;

      if (!is_stack(&runs[i]))
        continue;
      s.pages += runs[i].size / PAGE;
      if (strcmp(runs[i].name, last) == 0)
        continue;
      strcpy(last, runs[i].name);
      below = walk(PID_KERNEL, runs[i].va - PAGE);
      s.n++;
      s.guarded += !mapped(&below);
      s.highest = runs[i].va;
    }
    from = runs[n - 1].va + runs[n - 1].size;
  }
  if (n < 0)
    fatal("page table of the kernel");
  return s;
}

static void show_stacks(const char *when) {
  struct stacks s = find_stacks();

  say("%s: %d stacks, %llu pages; below %d there is nothing", when, s.n,
      (ull)s.pages, s.guarded);
}

/* The walk for the page under the highest stack, to where it ends. */
static void show_guard(void) {
  struct stacks s = find_stacks();
  unsigned long guard = (unsigned long)s.highest - PAGE;
  struct ptwalk w = walk(PID_KERNEL, guard);

  say("a stack begins at 0x%llx; the page below, 0x%lx, is %s", (ull)s.highest,
      guard, w.name);
  for (int i = 0; i < w.steps; i++)
    say("  level %d, entry %d: 0x%llx", w.step[i].level, w.step[i].index,
        (ull)w.step[i].pte);
}

static void with_children(void) {
  int fd[2];
  char c;

  if (pipe(fd) < 0)
    fatal("pipe");
  for (int i = 0; i < CHILDREN; i++)
    if (fork() == 0) {
      close(fd[1]);
      read(fd[0], &c, 1); /* until the parent closes it */
      exit(0);
    }
  close(fd[0]);
  show_stacks("with three children more");
  close(fd[1]);
  while (wait(0) >= 0)
    ;
}

int main(void) {
  say("each thread has a stack in the kernel");
  show_stacks("now");
  step("now look at what is under one");
  show_guard();
  step("an entry that is 0: to touch it is a fault; now fork three times");
  with_children();
  show_stacks("without them");
  step("stacks are kept for the next; their guards stay");
  say("the kernel overflows one itself, and says so, when it is booted by");
  say("  make qemu APPEND=selftest=stack");
  return 0;
}
