// What newer releases have: pause, sbrklazy, sys_sbrk with its two ways,
// SBRK_ERROR, and memory that appears when it is touched.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "kernel/memlayout.h"
#include "kernel/riscv.h"
#include "kernel/vm.h"
#include "user/user.h"

#define REGION (64 * PGSIZE)

int
main(int argc, char *argv[])
{
  char *p = sbrklazy(REGION);
  int fd[2];

  if(p == SBRK_ERROR){
    printf("sbrklazy failed\n");
    exit(1);
  }
  for(int i = 0; i < REGION; i += PGSIZE)
    if(p[i] != 0)
      exit(2);
  *(int*)(p + REGION - 4) = 99;
  if(pipe(fd) < 0 || write(fd[1], p + REGION - 4, 4) != 4)
    exit(3);
  if(read(fd[0], p + 3 * PGSIZE + 5, 4) != 4 || p[3 * PGSIZE + 5] != 99)
    exit(4);
  if(sbrk(-REGION) == SBRK_ERROR || sys_sbrk(PGSIZE, SBRK_EAGER) != p ||
     sys_sbrk(PGSIZE, SBRK_LAZY) != p + PGSIZE)
    exit(5);
  if(pause(1) != 0)
    exit(6);
  printf("new style OK\n");
  exit(0);
}
