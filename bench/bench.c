/*
 * bench: what the operating system's operations cost.
 *
 *   bench [-r rounds] [-t target] [operation...]
 *
 * The same source is compiled for Pagewise and for Linux (linux/), so that the
 * two can be measured side by side in the same emulator; port_*.h has the few
 * calls that are spelled differently.
 *
 * Each operation is a function that repeats it n times between start_clock()
 * and stop_clock(). It runs in a child of its own: the address space is then
 * small and the same whatever was measured before, and an operation that fails
 * takes no other with it. The child finds the n that takes `target`
 * microseconds (which warms the caches too), runs that `rounds` times, and
 * prints
 *
 *   name  minimum  median  n
 *
 * in nanoseconds for one repetition. Under `qemu -icount shift=0` the machine's
 * clock advances by one nanosecond an instruction, and the same numbers are
 * instructions. run.py does both and makes the tables.
 */
#ifdef BENCH_LINUX
#include "port_linux.h"
#else
#include "port_pagewise.h"
#endif

#define PAGE 4096
#define MB (1024 * 1024)
#define CHUNK 4096 /* bytes that one read or write moves */
#define FILE_BYTES (200 * 1024)
#define STREAM_BYTES (20 * MB)
#define FAULT_BYTES MB /* less than a superpage: each page has a fault */
#define SPARSE_BYTES (1024UL * MB)
#define SPARSE_STEP (64UL * MB)
#define ROUNDS_MAX 99
#define REPEAT_MAX (1L << 24)

static char chunk[CHUNK];
static const char *const file = "/bench.tmp";

/* The stop watch: time between start and stop adds up. */
static uint64 measured, started;

static void start_clock(void) { started = os_now(); }

static void stop_clock(void) { measured += os_now() - started; }

/* Leave the process that measures one operation if a call went wrong. */
static void must(int ok, const char *what) {
  if (ok)
    return;
  printf("bench: %s failed\n", what);
  os_exit(1);
}

static void reap(void) {
  int status = 0;
  must(os_wait(&status) > 0 && status == 0, "a child");
}

static char *grow(long bytes) {
  char *p = sbrk(bytes);
  must(p != (char *)-1, "sbrk");
  return p;
}

static void touch(char *p, long bytes) {
  for (long i = 0; i < bytes; i += PAGE)
    ((volatile char *)p)[i] = 1;
}

static int open_file(int flags) {
  int fd = open(file, flags, 0600);
  must(fd >= 0, "open");
  return fd;
}

static void write_file(int fd) {
  for (int done = 0; done < FILE_BYTES; done += CHUNK)
    must(write(fd, chunk, CHUNK) == CHUNK, "write");
}

/* --- processes --- */

static void null_call(long n) {
  start_clock();
  while (n--)
    os_getpid();
  stop_clock();
}

static void fork_exit_wait(long n) {
  start_clock();
  while (n--) {
    int pid = os_fork();
    must(pid >= 0, "fork");
    if (pid == 0)
      os_exit(0);
    reap();
  }
  stop_clock();
}

static void fork_exec(long n) {
  start_clock();
  while (n--) {
    int pid = os_fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
      os_exec("/nothing");
      os_exit(1);
    }
    reap();
  }
  stop_clock();
}

static void fork_with(long bytes, long n) {
  touch(grow(bytes), bytes);
  fork_exit_wait(n);
  grow(-bytes);
}

static void fork_8mb(long n) { fork_with(8 * MB, n); }

static void fork_64mb(long n) { fork_with(64 * MB, n); }

static void heap(long bytes, long n) {
  start_clock();
  while (n--) {
    touch(grow(bytes), bytes);
    grow(-bytes);
  }
  stop_clock();
}

static void heap_4mb(long n) { heap(4 * MB, n); }

static void heap_32mb(long n) { heap(32 * MB, n); }

/* --- mappings --- */

static char *map(unsigned long bytes, int prot, int flags, int fd) {
  char *p = mmap(0, bytes, prot, flags, fd, 0);
  must(p != MAP_FAILED, "mmap");
  return p;
}

static void map_and_touch(long n) {
  while (n--) {
    char *p = map(FAULT_BYTES, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1);
    touch(p, FAULT_BYTES);
    must(munmap(p, FAULT_BYTES) == 0, "munmap");
  }
}

static void faults(long n) {
  start_clock();
  map_and_touch(n);
  stop_clock();
}

/* Each of two does it n times: on two CPUs, in the time of one at best. */
static void faults_2_processes(long n) {
  start_clock();
  int pid = os_fork();
  must(pid >= 0, "fork");
  map_and_touch(n);
  if (pid == 0)
    os_exit(0);
  reap();
  stop_clock();
}

static int fault_thread(void *n) {
  map_and_touch(*(long *)n);
  return 0;
}

static void faults_2_threads(long n) {
  start_clock();
  os_thread t = os_thread_start(fault_thread, &n);
  map_and_touch(n);
  os_thread_join(t);
  stop_clock();
}

static void sparse_1gb(long n) {
  start_clock();
  while (n--) {
    char *p = map(SPARSE_BYTES, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    for (unsigned long at = 0; at < SPARSE_BYTES; at += SPARSE_STEP)
      (void)((volatile char *)p)[at];
    must(munmap(p, SPARSE_BYTES) == 0, "munmap");
  }
  stop_clock();
}

/* Two processes give way to each other: a repetition is two yields. */
static void yield_pair(long n) {
  int pid = os_fork();
  must(pid >= 0, "fork");
  if (pid != 0)
    start_clock();
  while (n--)
    os_yield();
  if (pid == 0)
    os_exit(0);
  reap();
  stop_clock();
}

/* --- pipes --- */

static void echo(int in, int out) {
  char c;
  while (read(in, &c, 1) == 1)
    must(write(out, &c, 1) == 1, "write");
  os_exit(0);
}

static void pipe_round_trip(long n) {
  int there[2], back[2];
  char c = 'x';
  must(pipe(there) == 0 && pipe(back) == 0, "pipe");
  int pid = os_fork();
  must(pid >= 0, "fork");
  if (pid == 0) {
    close(there[1]);
    echo(there[0], back[1]);
  }
  start_clock();
  while (n--)
    must(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1,
         "round trip");
  stop_clock();
  for (int i = 0; i < 2; i++) {
    close(there[i]);
    close(back[i]);
  }
  reap();
}

static void stream(int out) {
  for (long done = 0; done < STREAM_BYTES; done += CHUNK)
    must(write(out, chunk, CHUNK) == CHUNK, "write");
  os_exit(0);
}

static void pipe_20mb(long n) {
  start_clock();
  while (n--) {
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    int pid = os_fork();
    must(pid >= 0, "fork");
    if (pid == 0)
      stream(ends[1]);
    close(ends[1]);
    long total = 0, got;
    while ((got = read(ends[0], chunk, CHUNK)) > 0)
      total += got;
    must(got == 0 && total == STREAM_BYTES, "read");
    close(ends[0]);
    reap();
  }
  stop_clock();
}

/* --- files --- */

static void open_close(long n) {
  close(open_file(OS_CREATE | O_RDWR));
  start_clock();
  while (n--)
    close(open_file(O_RDONLY));
  stop_clock();
  unlink(file);
}

static void read_file(long n) {
  int fd = open_file(OS_CREATE | O_RDWR);
  write_file(fd);
  close(fd);
  start_clock();
  while (n--) {
    fd = open_file(O_RDONLY);
    for (int done = 0; done < FILE_BYTES; done += CHUNK)
      must(read(fd, chunk, CHUNK) == CHUNK, "read");
    close(fd);
  }
  stop_clock();
  unlink(file);
}

/* Write a new file n times, and wait for the disk each time if `durable`. */
static void create_files(long n, int durable) {
  while (n--) {
    start_clock();
    int fd = open_file(OS_CREATE | O_WRONLY);
    write_file(fd);
    if (durable)
      must(os_sync(fd) == 0, "sync");
    close(fd);
    stop_clock();
    unlink(file);
  }
}

static void create_write(long n) { create_files(n, 0); }

static void create_sync(long n) { create_files(n, 1); }

static void map_file(long n) {
  int fd = open_file(OS_CREATE | O_RDWR);
  write_file(fd);
  start_clock();
  while (n--) {
    char *p = map(FILE_BYTES, PROT_READ, MAP_SHARED, fd);
    for (long i = 0; i < FILE_BYTES; i += PAGE)
      (void)((volatile char *)p)[i];
    must(munmap(p, FILE_BYTES) == 0, "munmap");
  }
  stop_clock();
  close(fd);
  unlink(file);
}

static void rewrite(long n) {
  int fd = open_file(OS_CREATE | O_WRONLY);
  write_file(fd);
  close(fd);
  start_clock();
  while (n--) {
    fd = open_file(O_WRONLY);
    write_file(fd);
    close(fd);
  }
  stop_clock();
  unlink(file);
}

static void create_unlink(long n) {
  start_clock();
  while (n--) {
    close(open_file(OS_CREATE | O_WRONLY));
    must(unlink(file) == 0, "unlink");
  }
  stop_clock();
}

static const struct operation {
  const char *name;
  void (*run)(long n);
} operations[] = {
    {"null", null_call},
    {"fork", fork_exit_wait},
    {"exec", fork_exec},
    {"fork-8mb", fork_8mb},
    {"fork-64mb", fork_64mb},
    {"heap-4mb", heap_4mb},
    {"heap-32mb", heap_32mb},
    {"faults", faults},
    {"faults-2p", faults_2_processes},
    {"faults-2t", faults_2_threads},
    {"sparse-1gb", sparse_1gb},
    {"map-file", map_file},
    {"yield", yield_pair},
    {"pipe-trip", pipe_round_trip},
    {"pipe-20mb", pipe_20mb},
    {"read", read_file},
    {"open", open_close},
    {"create-write", create_write},
    {"create-sync", create_sync},
    {"rewrite", rewrite},
    {"create-unlink", create_unlink},
};

#define OPERATIONS ((int)(sizeof operations / sizeof operations[0]))

/* --- measuring --- */

static uint64 time_of(const struct operation *op, long n) {
  measured = 0;
  op->run(n);
  return measured;
}

static long repetitions(const struct operation *op, uint64 target_ns) {
  long n = 1;
  while (time_of(op, n) < target_ns && n < REPEAT_MAX)
    n *= 2;
  return n;
}

static void insert_sorted(uint64 *values, int count, uint64 value) {
  int i = count;
  for (; i > 0 && values[i - 1] > value; i--)
    values[i] = values[i - 1];
  values[i] = value;
}

static void measure(const struct operation *op, int rounds, uint64 target_ns) {
  uint64 ns[ROUNDS_MAX];
  long n = repetitions(op, target_ns);
  for (int i = 0; i < rounds; i++)
    insert_sorted(ns, i, time_of(op, n) / n);
  printf("%s %llu ns minimum, %llu ns median, %ld repetitions\n", op->name,
         (unsigned long long)ns[0], (unsigned long long)ns[rounds / 2], n);
}

/* Measure in a child; 0 if that went well. */
static int measure_apart(const struct operation *op, int rounds,
                         uint64 target_ns) {
  int status = 1;
  int pid = os_fork();
  if (pid == 0) {
    measure(op, rounds, target_ns);
    os_exit(0);
  }
  if (pid < 0 || os_wait(&status) < 0 || status != 0) {
    printf("%s failed\n", op->name);
    return 1;
  }
  return 0;
}

static int named(const char *name, int count, char **names) {
  for (int i = 0; i < count; i++)
    if (strcmp(name, names[i]) == 0)
      return 1;
  return count == 0;
}

static int known(const char *name) {
  for (int i = 0; i < OPERATIONS; i++)
    if (strcmp(name, operations[i].name) == 0)
      return 1;
  return 0;
}

static int explain(void) {
  printf("usage: bench [-r rounds] [-t microseconds] [operation...]\n");
  printf("operations:");
  for (int i = 0; i < OPERATIONS; i++)
    printf(" %s", operations[i].name);
  printf("\n");
  return 2;
}

int main(int argc, char **argv) {
  int rounds = 5, target_us = 50000, arg = 1, failed = 0;
  for (; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
    int value = atoi(argv[arg + 1]);
    if (value <= 0)
      return explain();
    if (strcmp(argv[arg], "-r") == 0 && value <= ROUNDS_MAX)
      rounds = value;
    else if (strcmp(argv[arg], "-t") == 0)
      target_us = value;
    else
      return explain();
  }
  for (int i = arg; i < argc; i++)
    if (!known(argv[i]))
      return explain();

  os_start();
  printf("memory available: %llu KB\n",
         (unsigned long long)(os_available_memory() / 1024));
  for (int i = 0; i < OPERATIONS; i++)
    if (named(operations[i].name, argc - arg, argv + arg))
      failed += measure_apart(&operations[i], rounds, target_us * 1000ULL);
  printf("bench: %d failed\n", failed);
  return failed != 0;
}
