// In the manner of a kernel course's tests: addresses that a program must not
// touch, each tried in a child that has to be killed for it, and the limits
// and numbers in the headers.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "kernel/memlayout.h"
#include "kernel/riscv.h"
#include "kernel/syscall.h"
#include "user/user.h"

uint64 addrs[] = { KERNBASE, KERNBASE + PGSIZE, TRAPFRAME, TRAMPOLINE, MAXVA,
                   0xffffffffffffffff };

void
probe(uint64 a)
{
  int pid, xstatus;

  pid = fork();
  if(pid < 0){
    printf("fork failed\n");
    exit(1);
  }
  if(pid == 0){
    *(volatile char*) a = 99;
    printf("oops: wrote %p\n", (void*) a);
    exit(1);
  }
  wait(&xstatus);
  if(xstatus != -1)
    exit(1);
}

// The kernel takes paths of less than MAXPATH bytes.
void
longpath(void)
{
  static char path[MAXPATH+1];
  char *args[] = { "echo", 0 };

  memset(path, 'x', MAXPATH);
  if(unlink(path) != -1 || open(path, O_CREATE|O_WRONLY) != -1 ||
     link(path, path) != -1 || exec(path, args) != -1){
    printf("a path of MAXPATH bytes\n");
    exit(1);
  }
}

// Text starts at address 0, and may be read.
int
first(char *p)
{
  return *p == 0 && p[1] == 0;
}

int
main(int argc, char *argv[])
{
  char *guard = (char*) (r_sp() - USERSTACK * PGSIZE);
  int fd = open("/README.none", O_RDONLY);

  if(fd != -1)
    exit(1);
  for(int i = 0; i < sizeof(addrs)/sizeof(addrs[0]); i++)
    probe(addrs[i]);
  probe((uint64) guard);
  longpath();
  if(first(0))
    exit(4);
  if(SYS_sleep != SYS_pause)
    exit(5);
  if(SYS_fork != 1 || SYS_getpid != 11 || SYS_close != 21)
    exit(2);
  if(PGROUNDUP((uint64) 1) != PGSIZE || MAXFILE != NDIRECT + NINDIRECT)
    exit(3);
  printf("probe OK\n");
  exit(0);
}
