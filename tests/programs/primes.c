// A sieve of processes: each prints a prime and passes on, through a pipe,
// the numbers that it does not divide.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

#define LAST 60

static int
next(int fd, int *n)
{
  return read(fd, n, sizeof(*n)) == sizeof(*n);
}

static void
sieve(int in)
{
  int out[2];
  int prime, n;

  if(!next(in, &prime))
    exit(0);
  printf("prime %d\n", prime);
  if(pipe(out) < 0){
    fprintf(2, "primes: pipe failed\n");
    exit(1);
  }
  if(fork() == 0){
    close(in);
    close(out[1]);
    sieve(out[0]);
  }
  close(out[0]);
  while(next(in, &n))
    if(n % prime)
      write(out[1], &n, sizeof(n));
  close(out[1]);
  close(in);
  wait((int*) 0);
  exit(0);
}

int
main(void)
{
  int fd[2];

  pipe(fd);
  if(fork() == 0){
    close(fd[1]);
    sieve(fd[0]);
  }
  close(fd[0]);
  for(int i = 2; i <= LAST; i++)
    write(fd[1], &i, sizeof(i));
  close(fd[1]);
  wait(0);
  exit(0);
}
