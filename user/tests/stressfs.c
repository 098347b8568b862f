/*
 * stressfs: several processes write files of several blocks at once, read them
 * back, and remove them, so that transactions of the log are made up of what
 * many processes do and logs fill up in the middle of it.
 *
 * Each process checks that it reads what it wrote.
 */
#include "kernel/types.h"

#include "kernel/fcntl.h"
#include "user/user.h"

#define CHUNK 512

static char data[CHUNK];

static void fail(const char *what, int who) {
  fprintf(2, "stressfs: process %d: %s (error %d)\n", who, what, lasterr());
  exit(1);
}

static void write_file(const char *path, int who, int chunks) {
  int fd = open(path, O_CREATE | O_RDWR | O_TRUNC);

  if (fd < 0)
    fail("cannot create", who);
  for (int i = 0; i < chunks; i++) {
    memset(data, 'a' + (who + i) % 26, CHUNK);
    if (write(fd, data, CHUNK) != CHUNK)
      fail("cannot write", who);
  }
  close(fd);
}

static void read_file(const char *path, int who, int chunks) {
  int fd = open(path, O_RDONLY);

  if (fd < 0)
    fail("cannot open", who);
  for (int i = 0; i < chunks; i++) {
    if (read(fd, data, CHUNK) != CHUNK)
      fail("cannot read", who);
    for (int k = 0; k < CHUNK; k++)
      if (data[k] != 'a' + (who + i) % 26)
        fail("read other data", who);
  }
  if (read(fd, data, 1) != 0)
    fail("the file is too long", who);
  close(fd);
}

static void work(int who, int chunks, int rounds) {
  char path[] = "stressfs00";

  path[8] = (char)('0' + who / 10);
  path[9] = (char)('0' + who % 10);
  for (int i = 0; i < rounds; i++) {
    write_file(path, who, chunks);
    read_file(path, who, chunks);
    if (unlink(path) < 0)
      fail("cannot remove", who);
  }
}

/* The i-th argument as a number from 1 to max. */
static int number(int argc, char **argv, int i, int otherwise, int max) {
  int n = argc > i ? atoi(argv[i]) : otherwise;

  if (n < 1 || n > max) {
    fprintf(2, "usage: stressfs [processes [chunks [rounds]]]\n");
    exit(2);
  }
  return n;
}

int main(int argc, char **argv) {
  int processes = number(argc, argv, 1, 5, 100);
  int chunks = number(argc, argv, 2, 20, 536);
  int rounds = number(argc, argv, 3, 10, 1000000);
  int status, good = 1;

  printf("stressfs starting\n");
  for (int who = 0; who < processes; who++) {
    int pid = fork();

    if (pid < 0)
      fail("cannot fork", who);
    if (pid == 0) {
      work(who, chunks, rounds);
      exit(0);
    }
  }
  while (wait(&status) >= 0)
    if (status != 0)
      good = 0;
  printf(good ? "stressfs OK\n" : "stressfs FAILED\n");
  return !good;
}
