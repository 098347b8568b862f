// A program that is called like one of the system's own, but gets the stack of
// USERSTACK pages that every program from elsewhere gets: a read below it ends
// the program.

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "user/user.h"

int
main(int argc, char *argv[])
{
  int pid, xstatus;

  pid = fork();
  if(pid == 0){
    char *sp = (char*) r_sp() - USERSTACK * PGSIZE;
    printf("oops: read %d\n", *(volatile char*) sp);
    exit(1);
  }
  wait(&xstatus);
  if(xstatus != -1)
    exit(1);
  printf("stack OK\n");
  exit(0);
}
