/*
 * fptest: floating-point registers belong to each process. Several processes
 * compute the same sums of different numbers, while they are interrupted,
 * yield, and fork in the middle of a computation; every one must come to the
 * result that it gets when it is alone.
 */
#include "kernel/types.h"

#include "user/user.h"

#define STEPS 20000

/* The square root of x by Newton's method, then a sum that depends on the
 * order of its terms: a register that changes in between shows. */
static double compute(double x, int disturbed) {
  double root = x, sum = 0;

  for (int i = 0; i < STEPS; i++) {
    root = x;
    for (int k = 0; k < 8; k++)
      root = 0.5 * (root + x / root);
    sum += root / (1.0 + i);
    if (disturbed && i % 500 == 0)
      yield();
  }
  return sum;
}

/* fork while values are in registers; parent and child go on alike. */
static int forked(double x, double expected) {
  double before = compute(x, 0);
  int pid = fork();
  double after = compute(x, 1);
  int status = 1;

  if (before != expected || after != expected)
    return 0;
  if (pid == 0)
    exit(0);
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static int worker(double x) {
  double expected = compute(x, 0);

  for (int round = 0; round < 3; round++)
    if (compute(x, 1) != expected)
      return 0;
  return forked(x, expected);
}

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 6;
  int status, good = 1;

  for (int i = 0; i < n; i++) {
    int pid = fork();

    if (pid < 0)
      good = 0;
    if (pid == 0)
      exit(!worker(2.0 + i));
  }
  while (wait(&status) >= 0)
    if (status != 0)
      good = 0;
  printf(good ? "fptest OK\n" : "fptest FAILED\n");
  return !good;
}
