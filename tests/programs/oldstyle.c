// The habits of older programs: void main without exit, sleep and sbrk by
// their old names, and functions and variables of the program's own that are
// called like something in a larger library.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static int clock;
int yield = 7;
char *optarg = "mine";

static int
rename(int a)
{
  return a + clock;
}

void
sync(int n)
{
  printf("sync %d\n", n);
}

char*
strerror(char *s)
{
  return s;
}

void
panic(char *s)
{
  fprintf(2, "%s\n", s);
  exit(1);
}

void
main(int argc, char *argv[])
{
  int status = 0;
  int pid;
  uint64 top = (uint64) sbrk(0);
  uint64 big = 0x123456789abc;
  char *p;

  clock = 1;
  printf("%s %d %d %s %s\n", argv[0], argc, rename(4), strerror("own"), optarg);
  sync(yield);
  p = sbrk(4096);
  if((uint64) p != top || p[0] != 0)
    panic("sbrk");
  p = malloc(100);
  strcpy(p, "malloc");
  printf("%s %d %c 0x%x %%\n", p, -5, 'c', 255);
  free(p);
  printf("size %l\n", 5000000000L);
  printf("%p\n", (void*) 0xabcdef12L);
  printf("%ld %d %lx %s %lu %c\n", big, -7, big, "text", big + 1, 'c');
  if((pid = fork()) < 0)
    panic("fork");
  if(pid == 0){
    sleep(1);
    exit(3);
  }
  if(wait(&status) != pid || status != 3)
    panic("wait");
  printf("old style OK\n");
}
