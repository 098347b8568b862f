/*
 * holdmem: memory of every kind, held still by two processes, for who looks at it
 * from outside (tests/boot/test_explore.py).
 *
 *    heap      4 pages of the parent's; after fork both have them, and the child
 *              writes the second
 *    anon      shared memory: 3 pages of 8 are touched
 *    file      this program's own file, mapped to be read: 2 pages touched
 *    zeros     private memory that was only read
 *    large     room for a superpage, every page of it written, before fork
 *
 * It prints both pids and "held", and waits to be killed.
 */
#include "user/user.h"

#define PAGE 4096
#define HEAP_PAGES 4
#define ANON_PAGES 8
#define ANON_TOUCHED 3
#define ZERO_PAGES 3
#define LARGE (8 * 1024 * 1024) /* a whole superpage lies in it somewhere */
#define EVER 1000000            /* ticks */

static char *map(unsigned long size, int flags, int fd) {
  char *p =
      mmap(0, size, fd < 0 ? PROT_READ | PROT_WRITE : PROT_READ, flags, fd, 0);

  if (p == MAP_FAILED)
    fatal("mmap");
  return p;
}

static void touch(volatile char *p, int pages) {
  for (int i = 0; i < pages; i++)
    p[i * PAGE] = i + 1;
}

static char look(volatile char *p, int pages) {
  char sum = 0;

  for (int i = 0; i < pages; i++)
    sum += p[i * PAGE];
  return sum;
}

int main(int argc, char **argv) {
  int fd = open(argv[0], O_RDONLY), pid;
  char *heap = sbrk(HEAP_PAGES * PAGE);

  (void)argc;
  if (fd < 0)
    fatal("open %s", argv[0]);
  touch(heap, HEAP_PAGES);
  touch(map(ANON_PAGES * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1), ANON_TOUCHED);
  look(map(2 * PAGE, MAP_SHARED, fd), 2);
  look(map(ZERO_PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1), ZERO_PAGES);
  touch(map(LARGE, MAP_PRIVATE | MAP_ANONYMOUS, -1), LARGE / PAGE);
  pid = fork();
  if (pid < 0)
    fatal("fork");
  if (pid == 0) {
    touch(heap + PAGE, 1);
    printf("%d %d held\n", getppid(), getpid());
  }
  for (;;)
    pause(EVER);
}
