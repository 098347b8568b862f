/*
 * Pipes: data goes through whole and in order, small writes are not torn, a
 * reader that is late does not stop a writer at once, and a missing other end is
 * noticed on both sides.
 */
#include "usertests.h"

#define ATOMIC 512     /* bytes that one write() keeps together */
#define CAPACITY 16384 /* bytes that a pipe must hold */

/* A megabyte in chunks of all sizes arrives as it was sent. */
static void pipe1(void) {
  const uint total = 1 << 20;
  uint64 seed = 7;
  int fd[2];
  int n;
  uint at = 0;

  CHECK_EQ(pipe(fd), 0);
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    close(fd[0]);
    while (at < total) {
      n = 1 + (int)(random_next(&seed) % 9000);
      if (at + n > total)
        n = (int)(total - at);
      fill(scratch, n, 1, at);
      CHECK_EQ(write(fd[1], scratch, n), n);
      at += n;
    }
    exit(0);
  }
  close(fd[1]);
  seed = 99;
  while ((n = read(fd[0], scratch, 1 + random_next(&seed) % 9000)) > 0) {
    CHECK(filled(scratch, n, 1, at));
    at += n;
  }
  CHECK_EQ(n, 0);
  CHECK_EQ(at, total);
  CHECK_EQ(join(pid), 0);
  close(fd[0]);
}

struct writer {
  int fd;
  char letter;
};

static void write_records(void *arg) {
  struct writer *w = arg;
  char record[ATOMIC];

  memset(record, w->letter, sizeof(record));
  for (int i = 0; i < 100; i++)
    CHECK_EQ(write(w->fd, record, ATOMIC), ATOMIC);
}

static void read_exactly(int fd, char *p, int n) {
  while (n > 0) {
    int got = read(fd, p, n);
    CHECK(got > 0);
    p += got;
    n -= got;
  }
}

/* In odd pieces, so that the room that they leave is odd, too. */
static void read_in_pieces(int fd, char *p, int n) {
  for (int at = 0; at < n; at += 97)
    read_exactly(fd, p + at, n - at < 97 ? n - at : 97);
}

/* Writes of up to 512 bytes by several processes do not mix. */
static void pipeatomic(void) {
  struct writer w = {0, 'a'};
  char record[ATOMIC];
  int pid[4], fd[2];
  int count[4] = {0};

  CHECK_EQ(pipe(fd), 0);
  w.fd = fd[1];
  for (int i = 0; i < 4; i++, w.letter++)
    pid[i] = spawn(write_records, &w);
  close(fd[1]);
  for (int i = 0; i < 400; i++) {
    read_in_pieces(fd[0], record, ATOMIC);
    for (int j = 1; j < ATOMIC; j++)
      CHECK_EQ(record[j], record[0]);
    count[record[0] - 'a']++;
  }
  CHECK_EQ(read(fd[0], record, 1), 0);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(count[i], 100);
    CHECK_EQ(join(pid[i]), 0);
  }
  close(fd[0]);
}

/* Nobody reads, and still 16 KB can be written without waiting. */
static void pipecapacity(void) {
  int fd[2];

  CHECK_EQ(pipe(fd), 0);
  fill(scratch, CAPACITY, 1, 0);
  CHECK_EQ(write(fd[1], scratch, CAPACITY), CAPACITY);
  memset(scratch, 0, CAPACITY);
  read_exactly(fd[0], scratch, CAPACITY);
  CHECK(filled(scratch, CAPACITY, 1, 0));
  close(fd[0]);
  close(fd[1]);
}

/* Writing where nobody can read any more is an error. */
static void pipebroken(void) {
  int fd[2];

  CHECK_EQ(pipe(fd), 0);
  close(fd[0]);
  CHECK_FAILS(write(fd[1], "x", 1), EPIPE);
  close(fd[1]);
}

/* A read returns what is there, then 0 once all writers are gone. */
static void pipeend(void) {
  char c[10];
  int fd[2], copy;

  CHECK_EQ(pipe(fd), 0);
  CHECK_EQ(write(fd[1], "abc", 3), 3);
  CHECK_EQ(read(fd[0], c, 2), 2);
  copy = dup(fd[1]);
  close(fd[1]);
  CHECK_EQ(write(copy, "d", 1), 1);
  CHECK_EQ(read(fd[0], c, sizeof(c)), 2);
  CHECK(c[0] == 'c' && c[1] == 'd');
  close(copy);
  CHECK_EQ(read(fd[0], c, sizeof(c)), 0);
  CHECK_EQ(read(fd[0], c, sizeof(c)), 0);
  close(fd[0]);
}

/* Each end has one direction, and a pipe has no place in the file system. */
static void pipeends(void) {
  struct stat st;
  char c;
  int fd[2];

  CHECK_EQ(pipe(fd), 0);
  CHECK_FAILS(write(fd[0], "x", 1), EBADF);
  CHECK_FAILS(read(fd[1], &c, 1), EBADF);
  CHECK_FAILS(lseek(fd[0], 0, SEEK_SET), ESPIPE);
  CHECK_EQ(fstat(fd[0], &st), -1);
  CHECK_EQ(ftruncate(fd[1], 0), -1);
  CHECK_FAILS(ttyctl(fd[0], TTY_GETMODE, 0), ENOTTY);
  close(fd[0]);
  close(fd[1]);
}

static void write_too_much(void *arg) {
  int *fd = arg;

  close(fd[0]);
  for (int i = 0; i < 100; i++)
    if (write(fd[1], scratch, SCRATCH_SIZE) != SCRATCH_SIZE)
      exit(3);
}

/* A writer that waits for room learns that its reader is gone. */
static void pipewriterwaits(void) {
  int fd[2];

  CHECK_EQ(pipe(fd), 0);
  int pid = spawn(write_too_much, fd);
  close(fd[1]);
  read_exactly(fd[0], scratch, 10);
  pause(1);
  close(fd[0]);
  CHECK_EQ(join(pid), 3);
}

static void read_for_ever(void *arg) {
  char c;

  read(*(int *)arg, &c, 1);
}

/* A reader and a writer that wait can be killed. */
static void pipekill(void) {
  int fd[2], full[2];

  CHECK_EQ(pipe(fd), 0);
  int reader = spawn(read_for_ever, &fd[0]);
  CHECK_EQ(pipe(full), 0);
  int writer = fork();
  CHECK(writer >= 0);
  if (writer == 0)
    for (;;)
      write(full[1], scratch, SCRATCH_SIZE);
  pause(1);
  CHECK_EQ(kill(reader), 0);
  CHECK_EQ(kill(writer), 0);
  CHECK_EQ(join(reader), STATUS_KILLED);
  CHECK_EQ(join(writer), STATUS_KILLED);
  for (int i = 0; i < 2; i++) {
    close(fd[i]);
    close(full[i]);
  }
}

/* The parent waits for three killed children that held a pipe's ends: the end
 * of the pipe comes when the last of them is gone. */
static void preempt(void) {
  char c;
  int fd[2], pid[3];

  CHECK_EQ(pipe(fd), 0);
  for (int i = 0; i < 3; i++) {
    pid[i] = fork();
    CHECK(pid[i] >= 0);
    if (pid[i] > 0)
      continue;
    if (i == 2)
      CHECK_EQ(write(fd[1], "x", 1), 1);
    for (;;)
      continue;
  }
  close(fd[1]);
  CHECK_EQ(read(fd[0], &c, 1), 1);
  for (int i = 0; i < 3; i++)
    CHECK_EQ(kill(pid[i]), 0);
  for (int i = 0; i < 3; i++)
    CHECK_EQ(join(pid[i]), STATUS_KILLED);
  CHECK_EQ(read(fd[0], &c, 1), 0);
  close(fd[0]);
}

/* Two processes send a byte back and forth, which needs every wakeup. */
static void pingpong(void) {
  const int rounds = quick ? 500 : 2000;
  struct gate ping, pong;

  gate_init(&ping);
  gate_init(&pong);
  int pid = fork();
  CHECK(pid >= 0);
  for (int i = 0; i < rounds; i++) {
    if (pid)
      gate_open(&ping);
    gate_pass(pid ? &pong : &ping);
    if (!pid)
      gate_open(&pong);
  }
  if (pid == 0)
    exit(0);
  CHECK_EQ(join(pid), 0);
  gate_close(&ping);
  gate_close(&pong);
}

/* A number goes through a chain of processes, each of which adds one. */
static void pipechain(void) {
  const int length = 20;
  int first[2], in, out[2], value = 0;

  CHECK_EQ(pipe(first), 0);
  in = first[0];
  for (int i = 0; i < length; i++) {
    CHECK_EQ(pipe(out), 0);
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      CHECK_EQ(read(in, &value, sizeof(value)), sizeof(value));
      value++;
      CHECK_EQ(write(out[1], &value, sizeof(value)), sizeof(value));
      exit(0);
    }
    close(in);
    close(out[1]);
    in = out[0];
  }
  CHECK_EQ(write(first[1], &value, sizeof(value)), sizeof(value));
  CHECK_EQ(read(in, &value, sizeof(value)), sizeof(value));
  CHECK_EQ(value, length);
  close(first[1]);
  close(in);
  for (int i = 0; i < length; i++)
    CHECK(wait(0) > 0);
}

const struct test pipe_tests[] = {
    TEST(pipe1),   TEST(pipeatomic), TEST(pipecapacity),    TEST(pipebroken),
    TEST(pipeend), TEST(pipeends),   TEST(pipewriterwaits), TEST(pipekill),
    TEST(preempt), TEST(pingpong),   TEST(pipechain),       TESTS_END};
