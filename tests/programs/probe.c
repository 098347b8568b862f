// In the manner of a kernel course's tests: addresses that a program must not
// touch, each tried in a child that has to be killed for it, and system calls
// by number.

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

static int
call(int number)
{
  register long a0 asm("a0") = 0;
  register long a7 asm("a7") = number;
  asm volatile("ecall" : "+r" (a0) : "r" (a7) : "memory");
  return a0;
}

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
  if(call(SYS_getpid) != getpid() || call(SYS_fork + 1000) != -1)
    exit(2);
  if(PGROUNDUP((uint64) 1) != PGSIZE || MAXFILE != NDIRECT + NINDIRECT)
    exit(3);
  printf("probe OK\n");
  exit(0);
}
