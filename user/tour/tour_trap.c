/*
 * tour_trap: what a system call crosses. While a program runs its own page table is
 * in use; what is mapped there for the kernel only is what a trap can use before
 * it has done anything.
 */
#include "machine.h"
#include "tour.h"

#define CALLS 1000
#define KINDS 4

/* Pages of one name that user mode may not touch. */
struct kind {
  char name[20];
  uint64 va; /* of the first */
  long pages;
};

static struct sysinfo sys;

static void count(struct kind *kinds, const struct ptentry *e) {
  int i = 0;

  while (i < KINDS - 1 && kinds[i].pages && strcmp(kinds[i].name, e->name))
    i++;
  if (kinds[i].pages == 0) {
    strcpy(kinds[i].name, e->name);
    kinds[i].va = e->va;
  }
  kinds[i].pages += (long)(e->size / PAGE);
}

/* What is the kernel's in this process's table. */
static void find_kinds(struct kind *kinds) {
  struct ptentry run;

  for (uint64 from = 0; kernels_run(&sys, from, &run); from = run.va + run.size)
    count(kinds, &run);
}

static void show_kinds(const struct kind *kinds) {
  for (int i = 0; i < KINDS && kinds[i].pages; i++)
    say("without u: %s, from 0x%llx, pages: %ld", kinds[i].name,
        (ull)kinds[i].va, kinds[i].pages);
}

/* Is the kernel there when a trap comes? Its text begins at TOUR_TEXT. */
static void show_roots(void) {
  struct ptwalk mine = walk(getpid(), TOUR_TEXT);
  struct ptwalk kernels = walk(PID_KERNEL, TOUR_TEXT);

  say("my root page is 0x%llx, the kernel's 0x%llx", (ull)mine.root,
      (ull)kernels.root);
  say("the kernel's text at 0x%lx is %s in my table", TOUR_TEXT,
      mapped(&mine) ? "mapped" : "not mapped");
  say(mapped(&mine) ? "so a trap need not change tables: u keeps me out"
                    : "so a trap must change tables, on a page in both");
}

/* By the first page; by that of the text, where all of the kernel is one kind. */
static void compare(const struct kind *kinds, int child) {
  for (int i = 0; i < KINDS && kinds[i].pages; i++) {
    unsigned long va = (unsigned long)kinds[i].va;
    const void *at = (const void *)(va < TOUR_TEXT ? TOUR_TEXT : va);
    ull a = frame_of(getpid(), at), b = frame_of(child, at);

    say("%s at 0x%lx: mine 0x%llx, %d's 0x%llx: %s", kinds[i].name,
        (unsigned long)at, a, child, b, a == b ? "one frame" : "two frames");
  }
}

/* Compare with a child, which only waits meanwhile. */
static void compare_with_child(const struct kind *kinds) {
  int fd[2], child;
  char c;

  if (pipe(fd) < 0)
    fatal("pipe");
  child = fork();
  if (child < 0)
    fatal("fork");
  if (child == 0) {
    close(fd[1]);
    read(fd[0], &c, 1); /* until the parent closes it */
    exit(0);
  }
  close(fd[0]);
  compare(kinds, child);
  close(fd[1]);
  wait(0);
}

static void many_calls(void) {
  struct sysinfo a = system_info(), b;
  uint64 start = clock();

  for (int i = 0; i < CALLS; i++)
    getpid();
  start = clock() - start;
  b = system_info();
  say("%d calls: %llu page faults, %llu changes of thread on all CPUs", CALLS,
      (ull)(b.faults.total - a.faults.total), (ull)(b.switches - a.switches));
  say("%llu ns for each", (ull)start / CALLS);
}

static void show_entry(const struct kind *kinds) {
  for (int i = 0; i < KINDS; i++)
    if (strcmp(kinds[i].name, TOUR_TRAP_PAGE) == 0)
      show_trap_entry(kinds[i].va);
}

int main(void) {
  static struct kind kinds[KINDS];

  sys = system_info();
  find_kinds(kinds);
  show_kinds(kinds);
  step("a trap can use this at first, no more; now look for the kernel");
  show_roots();
  step("now fork, and see what of this is each process's own");
  compare_with_child(kinds);
  step("now 1000 times getpid: in and out, and no other thread runs");
  many_calls();
  show_entry(kinds);
  return 0;
}
